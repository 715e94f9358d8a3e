"""Making everything that follows from the log anew: settling it again, from the first record."""

from endu.announcements import Progress, Rebuilt
from endu.events.inbox import Inbox
from endu.events.settler import Settler

# Larger than a running server's: nobody waits for an answer meanwhile, and fewer, larger inserts
# cost the ledger less. Some 100 MB while one lasts.
BATCH = 50_000


async def rebuild(settler: Settler, inbox: Inbox, progress: Progress) -> Rebuilt:
    """Settles what the settler's own, new stores do not have yet: begun again after a crash, it
    goes on where it was. Answers with what was settled this time. Raises what storage raises."""
    await settler.start()
    while await settler.settle_once(BATCH):
        progress("settling", settler.watermark, inbox.end)
    await settler.show()
    done = settler.counters
    return Rebuilt(records=done.records, events=done.events, set_aside=done.set_aside)
