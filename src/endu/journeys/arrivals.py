"""When events arrived, by their places in the log: half of what a record id is made of."""

from collections.abc import Iterable

from endu.events.ledger import Ledger
from endu.organizations.organization import OrganizationId

SQL = """
SELECT seq, toUnixTimestamp64Milli(received_at)
  FROM endu.events
 WHERE org = {organization:String}
   AND seq IN {seqs:Array(UInt64)}
"""


async def arrivals_of(
    ledger: Ledger, organization_id: OrganizationId, seqs: Iterable[int]
) -> dict[int, int]:
    """Milliseconds by place. Records that are no events of the organization are missing."""
    values = {"organization": organization_id, "seqs": list(seqs)}
    return dict(await ledger.ask(SQL, values))
