"""Requests that become records of the log, and the ids by which answers name such records."""

from collections.abc import Iterable

from endu.events.event import Record, RecordId, Seq, decode_record, encode_record
from endu.events.inbox import Entry, NotDurable, refusal_of
from endu.ids import place_of_record, record_id
from endu.journeys.arrivals import arrivals_of
from endu.organizations.organization import OrganizationId
from endu.web.parts import Parts


async def keep(parts: Parts, record: Record) -> Seq:
    """Returns the record's place once it would survive a power cut. Raises Refusal."""
    entry = Entry(encode_record(record), record.received_at_ms)
    try:
        (kept,) = await parts.inbox.append([entry])
    except NotDurable as fault:
        raise refusal_of(fault) from fault
    return kept.seq


def id_of(parts: Parts, seq: int, received_at_ms: int) -> RecordId:
    return RecordId(record_id(parts.scramble, parts.inbox.source, seq, received_at_ms))


def seq_of(parts: Parts, text: str) -> Seq | None:
    """The place of a record of this instance's log, or None if the id was never one."""
    place = place_of_record(parts.scramble, text)
    return Seq(place[1]) if place and place[0] == parts.inbox.source else None


async def ids_of(
    parts: Parts, organization_id: OrganizationId, seqs: Iterable[int]
) -> dict[int, RecordId]:
    """Most are events, which the ledger knows at once; the others are read from the log."""
    wanted = sorted(set(seqs))
    if not wanted:
        return {}
    arrived = await arrivals_of(parts.ledger, organization_id, wanted)
    for seq in wanted:
        if seq not in arrived:
            arrived |= await _arrival(parts, organization_id, seq)
    return {seq: id_of(parts, seq, arrived[seq]) for seq in wanted if seq in arrived}


async def _arrival(parts: Parts, organization_id: OrganizationId, seq: int) -> dict[int, int]:
    for found in await parts.inbox.take(Seq(seq - 1), 1):
        if found.seq == seq and found.intact:
            record = decode_record(found.record)
            if record.organization_id == organization_id:
                return {seq: record.received_at_ms}
    return {}
