"""What a batch of the log says, without touching anything: evidence, ledger rows, bookkeeping."""

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from endu.events.bare import check_of, replay_of
from endu.events.event import (
    BareEvent,
    Erased,
    ErasureDone,
    ErasurePlanned,
    Event,
    FailedEvent,
    FailedEventsDropped,
    IdentifierSpelled,
    Logged,
    Seq,
    decode_record,
)
from endu.events.failed import Dropped, Failure, Passed
from endu.events.inbox import Found
from endu.events.ledger import SettledEvent
from endu.identities.evidence import ErasureAsked, Evidence, Forgetting, Sighting, Whose
from endu.ids import Scramble, place_of_record
from endu.organizations.organization import OrganizationId, PropertyId

DAMAGED = "the record's bytes are not those that were written"

LATER = 1 << 63
# What somebody did: whole, or what is left of it. Named once, since a union of the two would be
# made anew for each record.
ACTS = (Event, BareEvent)
# Records that say nothing of identities. Those of erasures are for whoever carries them out.
SILENT = (
    FailedEvent,
    FailedEventsDropped,
    Erased,
    ErasurePlanned,
    IdentifierSpelled,
    ErasureDone,
)


class Batch(Struct, frozen=True):
    """`count` records that were found in the log, up to `last`; `unreadable` are the places of
    those that say nothing, with why."""

    last: Seq
    count: int
    logged: list[Logged]
    unreadable: list[tuple[Seq, str]]

    @property
    def waits(self) -> bool:
        """An erasure is not resolved before the ledger has everything that stands before it."""
        return bool(self.logged) and isinstance(self.logged[0].record, ErasureAsked)


class Books(Struct, frozen=True):
    """What a batch says beside identities and events."""

    added: list[Failure]
    passed: list[Passed]
    dropped: list[Dropped]
    properties: dict[tuple[OrganizationId, PropertyId], int]


def read_batch(found: Iterable[Found], batch: Batch) -> None:
    """Adds to the batch what was found."""
    for each in found:
        if not each.intact:
            batch.unreadable.append((each.seq, DAMAGED))
            continue
        try:
            record = decode_record(each.record)
        # bad UTF-8 and deep nesting raise these beside msgspec's own
        except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
            batch.unreadable.append((each.seq, f"not a record of Endu: {problem}"))
        else:
            batch.logged.append(Logged(each.seq, record, each.check, each.reused))


def evidence_of(logged: Iterable[Logged]) -> list[tuple[Seq, Evidence]]:
    """In the order of the log; what says nothing of identities is left out."""
    evidence: list[tuple[Seq, Evidence]] = []
    for each in logged:
        record = each.record
        if isinstance(record, ACTS):
            evidence.append((each.seq, _sighting_of(record)))
        elif isinstance(record, ErasureAsked):
            evidence.append((each.seq, _forgetting_of(record)))
        elif not isinstance(record, SILENT):
            evidence.append((each.seq, record))
    return evidence


def settled_events(logged: Iterable[Logged], whose: Iterator[Whose | None]) -> list[SettledEvent]:
    """The events among them, each with the subjects that the resolver found for it: `whose` goes
    on by one for each record that is evidence."""
    rows = []
    for each in logged:
        record = each.record
        if not isinstance(record, ACTS):
            if not isinstance(record, SILENT):
                next(whose)
        elif (found := next(whose)) is not None:
            rows.append(
                SettledEvent(
                    each.seq,
                    record,
                    each.check if isinstance(record, Event) else check_of(record),
                    each.reused,
                    found.subject,
                    found.others,
                    found.fingerprint,
                )
            )
    return rows


def note_in(books: Books, logged: Iterable[Logged], source: int, scramble: Scramble) -> None:
    first_seen_ms = books.properties
    for each in logged:
        record = each.record
        if isinstance(record, ACTS):
            key = record.organization_id, record.property_id
            at_ms = record.received_at_ms
            if at_ms < first_seen_ms.get(key, LATER):
                first_seen_ms[key] = at_ms
            if replayed := replay_of(record):
                books.passed.extend(_passed_by(each.seq, record, replayed, (source, scramble)))
        elif isinstance(record, FailedEvent):
            books.added.append(Failure(each.seq, record))
        elif isinstance(record, FailedEventsDropped):
            books.dropped.append(Dropped(record.organization_id, record.seqs))


def _sighting_of(event: Event | BareEvent) -> Sighting:
    return Sighting(
        event.organization_id,
        event.identifiers,
        event.proof,
        event.happened_at_ms,
        event.claimed_at_ms,
    )


def _forgetting_of(asked: ErasureAsked) -> Forgetting:
    return Forgetting(
        organization_id=asked.organization_id,
        received_at_ms=asked.received_at_ms,
        subject=asked.subject,
    )


def _passed_by(
    seq: Seq, event: Event | BareEvent, replayed: str, log: tuple[int, Scramble]
) -> list[Passed]:
    """The failed event that this was, if its id is one of this log."""
    source, scramble = log
    place = place_of_record(scramble, replayed)
    if place is None or place[0] != source:
        return []
    return [Passed(event.organization_id, Seq(place[1]), seq)]
