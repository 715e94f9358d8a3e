"""Going through the whole log for the few records that an erasure is about.

Frames are looked through as bytes for the kinds that may be meant; only where one stands are
records decoded. That is as fast as the log can be read.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from endu.events.erasures import Erasure, Naming, Restored
from endu.events.event import (
    ErasureDone,
    ErasurePlanned,
    FailedEvent,
    IdentifierSpelled,
    Record,
    Seq,
    decode_record,
)
from endu.events.frame import Frame, read_frame
from endu.events.naming import Names
from endu.identities.evidence import Creation, ErasureAsked, RuleMade
from endu.identities.forgotten import Plan, Spelled
from endu.identities.identifier import Subject
from endu.ids import Scramble
from endu.stores.log_reader import LogReader

T = TypeVar("T")

FAILED, MADE, RULES = "failed_events", "identities_made", "rules"
COUNTED: Mapping[type[Struct], str] = {FailedEvent: FAILED, Creation: MADE, RuleMade: RULES}


class LogFile:
    """Fits the port `LogSearch`. Each search reads on a connection and in a thread of its own."""

    def __init__(self, inbox: Path, scramble: Scramble, source: int) -> None:
        self._inbox = inbox
        self._scramble = scramble
        self._source = source

    async def naming(self, erasure: Erasure) -> Naming:
        return await asyncio.to_thread(self._with_reader, lambda log: self._naming(log, erasure))

    async def erasures(self) -> list[Restored]:
        return await asyncio.to_thread(self._with_reader, _erasures)

    def _with_reader(self, work: Callable[[LogReader], T]) -> T:
        with closing(LogReader(self._inbox)) as log:
            return work(log)

    def _naming(self, log: LogReader, erasure: Erasure) -> Naming:
        found = Naming({FAILED: [], MADE: [], RULES: []}, [])
        names = Names(erasure.names)
        for seq, record in _records(log, FailedEvent, Creation, RuleMade, IdentifierSpelled):
            if record.organization_id != erasure.organization_id:
                continue
            if isinstance(record, IdentifierSpelled):
                if record.subject in erasure.subjects:
                    found.spelled.append(seq)
            elif seq < erasure.asked and self._names_them(erasure, names, seq, record):
                found.counted[COUNTED[type(record)]].append(seq)
        return found

    def _names_them(
        self, erasure: Erasure, names: Names, seq: Seq, record: FailedEvent | Creation | RuleMade
    ) -> bool:
        if isinstance(record, FailedEvent):
            return names.are_in(record.body, record.received_at_ms)
        if isinstance(record, Creation):
            return self._is_of(erasure, seq, record)
        return not erasure.names.isdisjoint(record.identifiers)

    def _is_of(self, erasure: Erasure, seq: Seq, made: Creation) -> bool:
        """The number that it made is theirs, or nobody else is named in it."""
        number = self._scramble.mix63((self._source << 48 | seq) << 3 | 7)
        named = set(made.identifiers)
        return number in erasure.subjects or bool(named) and named <= erasure.names


def _erasures(log: LogReader) -> list[Restored]:
    asked: dict[int, int] = {}
    planned: dict[int, list[ErasurePlanned]] = {}
    spelled: dict[int, dict[Subject, Spelled]] = {}
    done: dict[int, ErasureDone] = {}
    kinds = ErasureAsked, ErasurePlanned, IdentifierSpelled, ErasureDone
    for seq, record in _records(log, *kinds):
        if isinstance(record, ErasureAsked):
            asked[seq] = record.received_at_ms
        elif isinstance(record, ErasurePlanned):
            planned.setdefault(record.asked, []).append(record)
        elif isinstance(record, IdentifierSpelled):
            theirs = spelled.setdefault(record.asked, {})
            theirs[record.subject] = Spelled(record.subject, record.text)
        else:
            done[record.asked] = record
    restored = (
        _restored(place, asked[place], planned[place], done.get(place)) for place in sorted(planned)
    )
    return [_spelling(each, spelled.get(each.asked, {}).values()) for each in restored]


def _restored(
    asked: int, asked_at_ms: int, planned: list[ErasurePlanned], done: ErasureDone | None
) -> Restored:
    """A plan that was written twice, after a crash, is one plan; where there was nobody left to
    forget, it is empty."""
    plan = next((each for each in planned if each.tombstones), planned[0])
    return Restored(
        asked=asked,
        organization_id=plan.organization_id,
        asked_at_ms=asked_at_ms,
        plan=Plan(
            tombstones=plan.tombstones,
            births=plan.births,
            kept=plan.kept,
            seen=plan.seen,
            conflicts=plan.conflicts,
        ),
        places=tuple(sorted({place for each in planned for place in each.places})),
        counts=done.counts if done else {},
        done_at_ms=done.received_at_ms if done else None,
    )


def _spelling(restored: Restored, spelled: Collection[Spelled]) -> Restored:
    """With the texts that the log still has."""
    return replace(restored, plan=replace(restored.plan, spelled=tuple(spelled)))


def _records(log: LogReader, *kinds: type[Struct]) -> Iterator[tuple[Seq, Any]]:
    """Those of these kinds, in order; what is damaged names nobody."""
    tags = [msgspec.msgpack.encode(kind.__struct_config__.tag) for kind in kinds]
    for frame in log.frames(0):
        if any(tag in frame.body for tag in tags):
            yield from _records_in(frame, tuple(tags))


def _records_in(frame: Frame, tags: tuple[bytes, ...]) -> Iterator[tuple[Seq, Record]]:
    for found in read_frame(frame):
        # An array of fewer than sixteen says so in one byte, and the kind comes first.
        if found.intact and found.record.startswith(tags, 1):
            yield found.seq, decode_record(found.record)
