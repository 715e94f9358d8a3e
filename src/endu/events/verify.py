"""Reading everything back: is the log as it was written, and does the ledger say what it says?
And does it say of owners and visits what the directory says?

Damage is reported, never repaired: `endu rebuild` makes the ledger again from the log.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from endu.announcements import Damage, Progress, Verified
from endu.events.bare import check_of
from endu.events.event import BareEvent, Event, Logged, Seq
from endu.events.frame import Frame, read_frame
from endu.events.inbox import LogUnreadable
from endu.events.ledger import LedgerDamaged
from endu.events.portion import Batch, read_batch
from endu.events.position import Position, all_aside
from endu.events.whose import Whose, compare_whose

AT_ONCE = 20_000  # records compared with the ledger in one question
GREATEST = (1 << 63) - 1


class LogToRead(Protocol):
    def frames(self, after: int) -> Iterator[Frame]:
        """Those with records behind `after`, in order. Raises LogUnreadable."""

    def end(self) -> int:
        """The last place of the last frame; 0 for an empty log. Raises LogUnreadable."""

    def damaged_files(self, progress: Progress) -> Iterator[tuple[str, str]]:
        """Reads every byte of the sealed ones: which is damaged or missing, and what of it.
        Raises LogUnreadable."""


class LedgerToRead(Protocol):
    async def checks(self, source: int, first: int, last: int) -> list[tuple[Any, ...]]:
        """(seq, check) of each row in the range, in order; twice what is there twice. Raises
        LedgerDamaged where they cannot be read."""

    async def bare_checks(self, source: int, first: int, last: int) -> list[tuple[Any, ...]]:
        """The same of what is left of events that were let go of."""

    async def damaged_parts(self) -> list[tuple[str, str]]:
        """Reads every byte: the parts that are not as they were written, and why."""


class ToVerify(Struct, frozen=True):
    """What is read, and nothing of it changed. Where nobody can say how far the ledger is, nothing
    is missing in it. `leaving` are places of events that are being let go of: those that the log
    has no more may still be in the ledger."""

    log: LogToRead
    ledger: LedgerToRead
    position: Position | None
    source: int
    whose: Sequence[Whose] = ()  # owners and visits
    leaving: frozenset[int] = frozenset()


async def verify(what: ToVerify, progress: Progress) -> Verified:
    """Names every record that is damaged, missing, doubled or set aside."""
    position = what.position
    aside = {each.seq: each.reason for each in await all_aside(position)} if position else {}
    reading = _Reading(what, await position.watermark() if position else 0, aside)
    try:
        files = what.log.damaged_files(progress)
        reading.damage += [Damage(where, why) for where, why in files]
        end = what.log.end()
        for frame in what.log.frames(0):
            reading.look_at(frame)
            if len(reading.unmatched) >= AT_ONCE:
                await reading.match(frame.last)
            progress("log and ledger", frame.last, end)
    except LogUnreadable as problem:
        reading.damage.append(Damage("log", str(problem)))
    await reading.match(reading.end)
    await reading.match(GREATEST)
    reading.end_must_be_settled()
    for whose in what.whose:
        reading.damage += await compare_whose(whose)
    for where, why in await what.ledger.damaged_parts():
        reading.damage.append(Damage(f"ledger, {where}", why))
    reading.damage += [
        Damage(f"record {seq}", f"was set aside: {why}") for seq, why in sorted(aside.items())
    ]
    return Verified(records=reading.records, events=reading.events, damage=tuple(reading.damage))


class _Reading:
    """How far a verification has come."""

    def __init__(self, what: ToVerify, watermark: int, aside: Mapping[Seq, str]) -> None:
        self._what = what
        self._watermark = watermark
        self._aside = aside
        self._matched = 0  # up to here log and ledger were compared
        self._unreadable: set[int] = set()  # behind that: what the ledger has of these may be right
        self.end = 0
        self.unmatched: list[Logged] = []
        self.records = 0
        self.events = 0
        self.damage: list[Damage] = []

    def look_at(self, frame: Frame) -> None:
        if frame.first <= self.end:
            where = f"records {frame.first} to {frame.last}"
            self.damage.append(Damage(where, f"come behind {self.end}: places were used twice"))
        found = read_frame(frame)
        batch = Batch(Seq(frame.last), len(found), [], [])
        read_batch(found, batch)
        if not frame.intact and not batch.unreadable:
            where = f"records {frame.first} to {frame.last}"
            self.damage.append(Damage(where, "their frame is not as it was written"))
        for seq, reason in batch.unreadable:
            self._unreadable.add(seq)
            if seq not in self._aside:
                self.damage.append(Damage(f"record {seq}", reason))
        self.records += len(batch.logged) + len(batch.unreadable)
        self.unmatched += [e for e in batch.logged if isinstance(e.record, Event | BareEvent)]
        self.end = max(self.end, frame.last)

    async def match(self, last: int) -> None:
        """Compares the events up to `last` with the ledger."""
        first = self._matched + 1
        if first > last:
            return
        events, bare = _checks_of(self.unmatched)
        self.events += len(events)
        self.unmatched = []
        self._matched = last
        ledger, source = self._what.ledger, self._what.source
        try:
            rows = await ledger.checks(source, first, last)
            bare_rows = await ledger.bare_checks(source, first, last)
        except LedgerDamaged as problem:
            self.damage.append(Damage(f"ledger, records {first} to {last}", str(problem)))
        else:
            leaving = {row[0] for row in rows if row[0] in bare and row[0] in self._what.leaving}
            staying = [row for row in rows if row[0] not in leaving]
            self.damage += compare(events, self._due(events), self._readable(staying))
            due = self._due(bare) - leaving
            self.damage += compare(bare, due, self._readable(bare_rows))
        self._unreadable.clear()

    def _due(self, seqs: Iterable[Seq]) -> set[Seq]:
        return {s for s in seqs if s <= self._watermark and s not in self._aside}

    def _readable(self, rows: Iterable[tuple[Any, ...]]) -> list[tuple[int, int]]:
        return [(row[0], row[1]) for row in rows if row[0] not in self._unreadable]

    def end_must_be_settled(self) -> None:
        """The settler cannot have come further than the log goes."""
        if self._watermark > self.end:
            what = f"ends at {self.end}, but {self._watermark} was settled: its tail is lost"
            self.damage.append(Damage("log", what))


def _checks_of(logged: Sequence[Logged]) -> tuple[dict[Seq, int], dict[Seq, int]]:
    """Of events, and of what is left of some, as the ledger is to have them."""
    events, bare = dict[Seq, int](), dict[Seq, int]()
    for each in logged:
        if isinstance(each.record, BareEvent):
            bare[each.seq] = check_of(each.record)
        else:
            events[each.seq] = each.check
    return events, bare


def compare(
    events: Mapping[Seq, int], due: set[Seq], rows: Sequence[tuple[int, int]]
) -> list[Damage]:
    """`events` are places and checks of the log, `due` those that must be in the ledger, `rows`
    what is there."""
    damage = []
    found: set[int] = set()
    for seq, check in rows:
        if seq in found:
            damage.append(Damage(f"record {seq}", "is in the ledger twice"))
        elif seq not in events:
            damage.append(Damage(f"record {seq}", "is in the ledger, but no event in the log"))
        elif events[Seq(seq)] != check:
            damage.append(Damage(f"record {seq}", "has another check sum in the ledger"))
        found.add(seq)
    missing = sorted(due - found)
    return damage + [Damage(f"record {seq}", "is missing in the ledger") for seq in missing]
