"""When identities were asked for beforehand, read back from the directory and the log."""

from endu.events.event import Seq, decode_record
from endu.events.inbox import Inbox
from endu.organizations.organization import OrganizationId
from endu.stores.sqlite import Reader

LAST = "SELECT seq FROM creations WHERE organization_id = ? ORDER BY seq DESC LIMIT ?"


class SqliteCreations:
    """For anyone. Knows those that have settled."""

    def __init__(self, reader: Reader, inbox: Inbox) -> None:
        self._reader = reader
        self._inbox = inbox

    async def since(self, organization_id: OrganizationId, at_ms: int, limit: int) -> list[int]:
        """The times of the last ones that came in after `at_ms`, oldest first."""
        rows = await self._reader.read(
            lambda db: db.execute(LAST, (organization_id, limit)).fetchall()
        )
        times_ms: list[int] = []
        for (seq,) in rows:
            for found in await self._inbox.take(Seq(seq - 1), 1):
                if found.seq == seq and found.intact:
                    times_ms.append(decode_record(found.record).received_at_ms)
            if times_ms and times_ms[-1] <= at_ms:
                break
        return sorted(time_ms for time_ms in times_ms if time_ms > at_ms)
