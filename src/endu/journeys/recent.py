"""The newest events of one event type: what a changed schema is tried on."""

from collections.abc import AsyncIterator

from endu.event_types.event_type import EventTypeId
from endu.events.ledger import Ledger
from endu.organizations.organization import OrganizationId

SQL = """
SELECT event_data
  FROM endu.events
 WHERE org = {organization:String}
   AND event_type = {event_type:String}
 ORDER BY seq DESC
 LIMIT {limit:UInt32}
"""


async def recent_event_data(
    ledger: Ledger, organization_id: OrganizationId, event_id: EventTypeId, limit: int
) -> AsyncIterator[str]:
    """The event_data of each, newest first, as JSON text."""
    values = {"organization": organization_id, "event_type": event_id, "limit": limit}
    for (event_data,) in await ledger.ask(SQL, values):
        yield event_data
