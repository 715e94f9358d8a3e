"""From the log to the ledger: who each event was by, its row exactly once, and only then onward.

A crash between any two steps repeats work and loses none: every step may be done again, and the
watermark moves last. While the ledger takes one batch in, the next is already resolved, and
nothing else: batches are resolved, loaded and passed by the watermark in the order of the log.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from msgspec import Struct

from endu.events.event import Logged, Seq
from endu.events.failed import FailedEvents
from endu.events.inbox import Inbox
from endu.events.ledger import Ledger, OwnerChange, SettledEvent, VisitChange
from endu.events.portion import (
    Batch,
    Books,
    evidence_of,
    note_in,
    settled_events,
)
from endu.events.position import Position, SetAside
from endu.events.reading import PIECE, Reading
from endu.events.visits import Given
from endu.identities.evidence import Evidence, Resolution, Review
from endu.ids import Scramble
from endu.organizations.properties import Properties
from endu.turns import in_turns

logger = logging.getLogger(__name__)

BATCH = 20_000  # records: 0.3 s of work, and some 40 MB while it lasts


class Resolver(Protocol):
    async def resolve(self, batch: Sequence[tuple[int, Evidence]]) -> Resolution:
        """Takes evidence in, whole or not at all. Taking it in again gives the same subjects,
        and the reviews that anything unfinished needs."""


class Owners(Protocol):
    async def changes_after(self, version: int) -> Sequence[OwnerChange]:
        """Every change with a greater version, versions ascending."""


class Visits(Protocol):
    async def waiting(self) -> Sequence[Review]:
        """Those that were asked for and never kept."""

    async def found(self, reviews: Sequence[Review]) -> Sequence[Given]:
        """Whose events of shared devices are now, where that has changed. The ledger has all of
        them. Writes nothing."""

    async def keep(self, given: Sequence[Given], reviews: Sequence[Review]) -> None:
        """Takes down what was found, and that these reviews are done."""

    async def changes_after(self, version: int) -> Sequence[VisitChange]:
        """Every change with a greater version, versions ascending."""


class Parts(Struct, frozen=True, kw_only=True):
    """What a settler works with."""

    inbox: Inbox
    resolver: Resolver
    ledger: Ledger
    owners: Owners
    visits: Visits
    failed: FailedEvents
    properties: Properties
    position: Position
    scramble: Scramble


class Counters(Struct):
    """What a settler has done since it started."""

    records: int = 0
    events: int = 0
    set_aside: int = 0
    batches: int = 0
    last_error: str = ""


def nothing(step: str) -> None:
    """What is done at each step where nobody looks."""


class Resolved(Struct, frozen=True):
    """Records whose people are known: their rows, and the devices to look at once the ledger has
    those."""

    rows: list[SettledEvent]
    reviews: list[Review]


class Ready(Struct, frozen=True):
    """A batch in hand. It is not resolved yet, or not as a whole, where `resolved` is None."""

    batch: Batch
    resolved: Resolved | None = None


class Settler:
    """Settles in one task. `of_storage` tells failing storage, which is waited for, from a record
    that cannot be settled, which is set aside. `at_each_step` hears each step as it is done."""

    def __init__(
        self,
        parts: Parts,
        now_ms: Callable[[], int],
        of_storage: Callable[[Exception], bool],
        at_each_step: Callable[[str], None] = nothing,
    ) -> None:
        self._parts = parts
        self._now_ms = now_ms
        self.of_storage = of_storage
        self._done = at_each_step
        self._reading = Reading(parts.inbox)
        self._owners_version = 0
        self._visits_version = 0
        # Rows up to here may be in the ledger already; None: that has to be found out first.
        self._doubtful: int | None = None
        self._ahead: Ready | None = None  # the batch behind the watermark, where it was looked at
        self._writing = asyncio.Lock()  # the directory: one transaction is open at a time
        self.watermark = Seq(0)
        self.unseen = True  # owners or visits were written that questions do not see yet
        self.counters = Counters()

    async def start(self) -> None:
        """Finds out where the last one stopped."""
        self.watermark = await self._parts.position.watermark()
        self._owners_version, self._visits_version = await self._parts.ledger.versions()

    async def settle_once(self, limit: int = BATCH) -> int:
        """One batch, or whatever waits; how many records that were."""
        ahead, self._ahead = self._ahead, None
        try:
            ready = ahead or await self._get_ready(self.watermark, limit)
            batch = ready.batch
            if not batch.count:
                return 0
            async with self._looking_ahead(ready, limit):
                await self._settle_all(ready)
                async with self._writing:
                    await self._parts.position.move(batch.last)
                self.watermark = batch.last
        except BaseException:
            self._doubtful = None
            raise
        self.counters.records += batch.count
        self.counters.batches += 1
        self._done("moved")
        return batch.count

    async def bring_back(self, events: Sequence[Logged]) -> int:
        """Appends those of them that the ledger does not have, though they were settled; how many
        those are. Working them out again finds the same."""
        missing = await self._missing((await self._resolve(events)).rows)
        await self._parts.ledger.append(self._parts.inbox.source, missing)
        self._doubtful = None  # what they want looked at again is, with the next batch
        return len(missing)

    async def tell_all_again(self) -> None:
        """The ledger may have lost some owners or visits."""
        self._owners_version = self._visits_version = 0
        await self._push_owners()
        await self._push_visits()

    async def stop(self) -> None:
        """Nothing of it goes on behind this; it can settle again."""
        await self._reading.stop()

    async def show(self) -> None:
        """Every later question sees what is settled."""
        if self.unseen:
            await self._parts.ledger.refresh()
            self.unseen = False
            self._done("shown")

    @asynccontextmanager
    async def _looking_ahead(self, ready: Ready, limit: int) -> AsyncIterator[None]:
        """Where another whole batch waits, it is resolved meanwhile. What goes wrong with that is
        left for its own turn, and where this turn goes wrong it is dropped."""
        last = ready.batch.last
        if ready.resolved is None or self._parts.inbox.end - last < limit:
            yield
            return
        looking = asyncio.create_task(self._get_ready(last, limit), name="settler, ahead")
        try:
            yield
        finally:
            await asyncio.wait([looking])
        problem = looking.exception()
        if problem is None:
            self._ahead = looking.result()
        elif not isinstance(problem, Exception):
            raise problem

    async def _get_ready(self, after: Seq, limit: int) -> Ready:
        """The records behind `after`, resolved where they can be as a whole."""
        batch = await self._reading.batch_behind(after, limit)
        self._done("taken")
        try:
            return Ready(batch, None if batch.waits else await self._resolve(batch.logged))
        except Exception as problem:  # no fault of one record may stop the others
            if self.of_storage(problem):
                raise
            return Ready(batch)

    async def _settle_all(self, ready: Ready) -> None:
        """Halves what cannot be settled, until the one record that cannot is found."""
        for seq, reason in ready.batch.unreadable:
            await self._set_aside(seq, reason)
        pending = [(ready.batch.logged, ready.resolved)]
        while pending:
            piece, resolved = pending.pop()
            try:
                await self._load(resolved or await self._resolve(piece))
            except Exception as problem:  # no fault of one record may stop the others
                if self.of_storage(problem):
                    raise
                self._doubtful = None
                if len(piece) == 1:
                    logger.exception("Record %d cannot be settled", piece[0].seq)
                    await self._set_aside(piece[0].seq, f"{type(problem).__name__}: {problem}")
                else:
                    middle = len(piece) // 2
                    pending += [(piece[middle:], None), (piece[:middle], None)]

    async def _resolve(self, logged: Sequence[Logged]) -> Resolved:
        parts = self._parts
        evidence: list[tuple[Seq, Evidence]] = []
        books = Books([], [], [], {})
        async for piece in in_turns(logged, PIECE):
            evidence += evidence_of(piece)
            note_in(books, piece, parts.inbox.source, parts.scramble)
        async with self._writing:
            resolution = await parts.resolver.resolve(evidence)
            self._done("resolved")
            await parts.failed.keep(books.added, books.passed, books.dropped)
            await parts.properties.note(books.properties)
        self._done("booked")
        rows: list[SettledEvent] = []
        whose = iter(resolution.whose)
        async for piece in in_turns(logged, PIECE):
            rows += settled_events(piece, whose)
        return Resolved(rows, resolution.reviews)

    async def _load(self, resolved: Resolved) -> None:
        parts = self._parts
        in_doubt = self._doubtful is None
        missing = await self._missing(resolved.rows)
        await parts.ledger.append(parts.inbox.source, missing)
        self.counters.events += len(missing)
        self._done("appended")
        await self._push_owners()
        self._done("owned")
        reviews = await parts.visits.waiting() if in_doubt else resolved.reviews
        given = await parts.visits.found(reviews)
        async with self._writing:
            await parts.visits.keep(given, reviews)
        await self._push_visits()
        self._done("visited")

    async def _missing(self, rows: Sequence[SettledEvent]) -> Sequence[SettledEvent]:
        """Those that no earlier try, whose outcome is unknown, brought into the ledger."""
        ledger, source = self._parts.ledger, self._parts.inbox.source
        if self._doubtful is None:
            self._doubtful = await ledger.last(source)
        if not rows or rows[0].seq > self._doubtful:
            return rows
        present = await ledger.present(source, rows[0].seq, rows[-1].seq)
        return [row for row in rows if row.seq not in present]

    async def _push_owners(self) -> None:
        """What is kept for good: of the next batch, too, where that was resolved meanwhile."""
        changes = await self._parts.owners.changes_after(self._owners_version)
        if changes:
            self.unseen = True
            await self._parts.ledger.set_owners(changes)
            self._owners_version = changes[-1].version

    async def _push_visits(self) -> None:
        changes = await self._parts.visits.changes_after(self._visits_version)
        if changes:
            self.unseen = True
            await self._parts.ledger.set_visits(changes)
            self._visits_version = changes[-1].version

    async def _set_aside(self, seq: Seq, reason: str) -> None:
        logger.error("Record %d is set aside: %s", seq, reason)
        async with self._writing:
            await self._parts.position.set_aside(SetAside(seq, reason, self._now_ms()))
        self.counters.set_aside += 1
