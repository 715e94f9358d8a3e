"""When each identifier of a person was first and last seen, and on how many events.

Those that were let go of count: who was seen when stays.
"""

from msgspec import Struct

from endu.events.ledger import Ledger
from endu.identities.directory import Directory, Identity
from endu.identities.identifier import Subject
from endu.organizations.organization import OrganizationId

# An identifier is on events that it decides, and beside another one on a neighbour's too.
SQL = """
SELECT identifier,
       toUnixTimestamp64Milli(min(ts)),
       toUnixTimestamp64Milli(max(ts)),
       count()
  FROM endu.seen
 ARRAY JOIN arrayDistinct(arrayPushBack(arrayPushBack(others, subject), fingerprint)) AS identifier
 WHERE org = {organization:String}
   AND subject IN {subjects:Array(UInt64)}
   AND identifier IN {mine:Array(UInt64)}
 GROUP BY identifier
"""


class Seen(Struct, frozen=True):
    first_ms: int
    last_ms: int
    events: int


async def when_seen(
    ledger: Ledger, directory: Directory, organization_id: OrganizationId, identity: Identity
) -> dict[Subject, Seen]:
    """Identifiers that are on no event yet are missing."""
    related = await directory.related(organization_id, identity)
    values = {
        "organization": organization_id,
        "subjects": [*identity.subjects, *{pair.subject for pair in related}],
        "mine": identity.subjects,
    }
    return {
        Subject(subject): Seen(first_ms, last_ms, events)
        for subject, first_ms, last_ms, events in await ledger.ask(SQL, values)
    }
