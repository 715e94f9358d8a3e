"""How many events each of some subjects decides: what would move with them."""

from collections.abc import Sequence

from endu.events.ledger import Ledger
from endu.identities.identifier import Subject
from endu.organizations.organization import OrganizationId

SQL = """
SELECT subject, count()
  FROM endu.events
 WHERE org = {organization:String}
   AND subject IN {subjects:Array(UInt64)}
 GROUP BY subject
"""


async def events_of(
    ledger: Ledger, organization_id: OrganizationId, subjects: Sequence[Subject]
) -> dict[Subject, int]:
    """Subjects without events are missing."""
    values = {"organization": organization_id, "subjects": list(subjects)}
    return {Subject(subject): events for subject, events in await ledger.ask(SQL, values)}
