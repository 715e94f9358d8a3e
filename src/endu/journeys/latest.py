"""Events in the order of the log, as they settle: for watching them come in."""

from msgspec import Raw, Struct

from endu.event_types.catalog import Catalog
from endu.event_types.event_type import EventTypeId
from endu.events.event import RecordId
from endu.events.ledger import Ledger
from endu.ids import Scramble, record_id
from endu.journeys.scope import Time, rfc3339
from endu.organizations.organization import OrganizationId, PropertyId

COLUMNS = """
SELECT seq, source, toUnixTimestamp64Milli(ts), toUnixTimestamp64Milli(received_at),
       event_type, property_id, identifiers, event_data
  FROM endu.events
 WHERE org = {organization:String}
"""
NEWEST = f"{COLUMNS} ORDER BY seq DESC LIMIT {{limit:UInt32}}"
BEHIND = f"{COLUMNS} AND seq > {{after:UInt64}} ORDER BY seq LIMIT {{limit:UInt32}}"


class Arrived(Struct, frozen=True, kw_only=True):
    """One settled event, with its identifiers as they were named."""

    record_id: RecordId
    event_id: EventTypeId
    event_type: str
    property_id: PropertyId
    timestamp: Time
    received_at: Time
    identifiers: tuple[str, ...]
    event_data: Raw


class LatestQuestion(Struct, frozen=True):
    """`after` is a place in the log; None asks for the newest events there are."""

    organization_id: OrganizationId
    after: int | None
    limit: int


async def ask_latest(
    question: LatestQuestion, ledger: Ledger, catalog: Catalog, scramble: Scramble
) -> tuple[list[Arrived], int]:
    """Oldest first, and the place behind which to ask on."""
    values = {"organization": question.organization_id, "limit": question.limit}
    if question.after is None:
        rows = (await ledger.ask(NEWEST, values))[::-1]
    else:
        rows = await ledger.ask(BEHIND, {**values, "after": question.after})
    names = {each.event_id: each.name for each in catalog.all(question.organization_id)}
    arrived = [
        Arrived(
            record_id=RecordId(record_id(scramble, source, seq, received_at_ms)),
            event_id=EventTypeId(event_type),
            event_type=names.get(EventTypeId(event_type), event_type),
            property_id=PropertyId(property_id),
            timestamp=rfc3339(happened_at_ms),
            received_at=rfc3339(received_at_ms),
            identifiers=tuple(identifiers),
            event_data=Raw(event_data.encode()),
        )
        for (seq, source, happened_at_ms, received_at_ms, event_type, property_id, identifiers,
             event_data) in rows
    ]  # fmt: skip
    return arrived, rows[-1][0] if rows else question.after or 0
