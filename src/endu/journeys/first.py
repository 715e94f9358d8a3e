"""The very first event of an instance, and whose it is: the newcomer's sign that it works."""

from endu.announcements import FirstEvent
from endu.event_types.catalog import Catalog
from endu.event_types.event_type import EventTypeId
from endu.events.ledger import Ledger
from endu.identities.directory import Directory
from endu.ids import Scramble, record_id
from endu.organizations.organization import OrganizationId

SQL = """
SELECT org, event_type, source, seq, toUnixTimestamp64Milli(received_at), identifiers
  FROM endu.events
 ORDER BY seq
 LIMIT 1
"""


async def first_event(
    ledger: Ledger, directory: Directory, catalog: Catalog, scramble: Scramble
) -> FirstEvent | None:
    """None while there is none."""
    for org, type_id, source, seq, received_at_ms, identifiers in await ledger.ask(SQL, {}):
        organization_id = OrganizationId(org)
        event_type = catalog.find(organization_id, EventTypeId(type_id))
        deciding = identifiers[0] if identifiers else ""
        identity = await directory.by_identifier(organization_id, deciding)
        return FirstEvent(
            event_type=event_type.name if event_type else type_id,
            record_id=record_id(scramble, source, seq, received_at_ms),
            identifiers=tuple(identifiers),
            c_user_id=identity.c_user_id if identity else None,
        )
    return None
