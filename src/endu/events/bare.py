"""What is left of an event that is let go of: identity goes on following from it."""

from zlib import crc32

import msgspec

from endu.events.event import BareEvent, Event, EventDetails

_read_details = msgspec.json.Decoder(EventDetails).decode


def bare_of(event: Event) -> BareEvent:
    """The same evidence, the same property, and no word of what was done."""
    return BareEvent(
        organization_id=event.organization_id,
        property_id=event.property_id,
        happened_at_ms=event.happened_at_ms,
        claimed_at_ms=event.claimed_at_ms,
        received_at_ms=event.received_at_ms,
        identifiers=event.identifiers,
        proof=event.proof,
        replay_of=replay_of(event) or "",
    )


def replay_of(event: Event | BareEvent) -> str | None:
    """The id of the failed event that this was."""
    if isinstance(event, BareEvent):
        return event.replay_of or None
    if b'"replay_of"' not in event.details:
        return None
    return _read_details(event.details).replay_of


def check_of(bare: BareEvent) -> int:
    """The check sum of its row in the ledger, which can be made of the event's row as well as of
    this record: CRC-32 over what both have (`BARE_CHECK` in stores/ledger_bare.py)."""
    said = f"{bare.organization_id} {bare.happened_at_ms} {bare.received_at_ms} {bare.proof} "
    return crc32((said + "\n".join(bare.identifiers)).encode())
