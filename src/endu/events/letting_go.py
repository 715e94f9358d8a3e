"""Letting go of old events: what they said and did leaves answers, ledger and log, and who was seen
with whom and when stays, so that everybody stays who they are.

Some at a time, by a plan that is written down before anything goes: whoever was killed goes on with
it. The log goes first, so that nothing brings back what has left the ledger.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from msgspec import Struct

from endu.event_types.catalog import Catalog
from endu.events.event import FailedEventsDropped, Seq, encode_record
from endu.events.expiry import EXPIRED, Expiry, expiry_of
from endu.events.failed import FailedEvents
from endu.events.inbox import Entry, Inbox
from endu.events.keeping import Leaves, LogEraser
from endu.events.ledger import Ledger
from endu.organizations.organization import OrganizationId, Organizations, OrganizationSettings

logger = logging.getLogger(__name__)

LOOK_SECONDS = 3600.0
FIRST_PAUSE_SECONDS = 1.0
PLACES_AT_ONCE = 200_000  # a segment's records: each is written again about once
DROPPED_AT_ONCE = 20_000  # in one record: some 180 KB

DUE = f"SELECT seq {EXPIRED} ORDER BY seq LIMIT {{limit:UInt64}}"
COUNT_DUE = f"SELECT count() {EXPIRED}"
OLDEST_DUE = f"""
SELECT max(transform(toString(event_type), {{types:Array(String)}}, {{befores:Array(Int64)}},
                     {{before:Int64}}) - toUnixTimestamp64Milli(ts)) {EXPIRED}"""


class Plan(Struct, frozen=True, array_like=True):
    """Places of events, and of refused ones, that go next."""

    organization_id: OrganizationId
    events: tuple[Seq, ...]
    failed: tuple[Seq, ...]


class PlanKeeper(Protocol):
    async def planned(self) -> Plan | None:
        """What was not done with when somebody was last at it."""

    async def plan(self, plan: Plan) -> None:
        """Returns once it would survive a power cut."""

    async def done(self) -> None:
        """Likewise: nothing is planned any more."""


class RowsLetGo(Protocol):
    async def let_go(self, places: Sequence[Seq]) -> None:
        """Returns once no question finds the events at these places, and those who ask who was
        seen when still do, and that would survive a power cut. May be asked again."""

    async def wash(self) -> None:
        """Returns once no file has what they said. May be asked again."""


class Washable(Protocol):
    async def wash(self) -> None:
        """Returns once the file says nothing of what was deleted."""


class Parts(Struct, frozen=True, kw_only=True):
    """What it works with. `settled_up_to` is the watermark; `settled` returns once a place has
    settled and is seen. `at_each_step` hears each step as it is done."""

    organizations: Organizations
    catalog: Catalog
    ledger: Ledger
    rows: RowsLetGo
    log: LogEraser
    inbox: Inbox
    failed: FailedEvents
    directory: Washable
    plans: PlanKeeper
    settled_up_to: Callable[[], Seq]
    settled: Callable[[Seq], Awaitable[None]]
    now_ms: Callable[[], int]
    at_each_step: Callable[[str], None]


class NothingWent(Exception):
    """What was let go of is due again: to be looked into, and not to be repeated at once."""


class Expired(Struct, frozen=True):
    """How many are older than they are to be kept."""

    events: int
    failed_events: int


class Counters(Struct):
    """Since the start. `overdue_seconds` is how much older than it is to be kept the oldest event
    was that was still there, where the last look began or failed; 0 once it is done."""

    events: int = 0
    failed_events: int = 0
    overdue_seconds: float = 0.0


class LettingGo:
    """One for the whole instance."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._looking = asyncio.Lock()
        self.counters = Counters()

    async def expired(
        self, organization_id: OrganizationId, settings: OrganizationSettings
    ) -> Expired:
        """What these settings would let go of now, of what has settled."""
        expiry = self._expiry(organization_id, settings)
        if expiry is None:
            return Expired(0, 0)
        parts = self._parts
        ((events,),) = await parts.ledger.ask(COUNT_DUE, self._values(expiry))
        failed = await parts.failed.count_before(organization_id, expiry.before_ms)
        return Expired(events, failed)

    async def look(self) -> None:
        """Lets go of everything that is due now. Raises what storage raises: then some is left,
        and is due the next time."""
        async with self._looking:
            planned = await self._parts.plans.planned()
            if planned is not None:
                await self._carry_out(planned)
            for organization in self._parts.organizations.all():
                expiry = self._expiry(organization.organization_id, organization.settings)
                if expiry is not None:
                    # At a start nobody knows yet how far the ledger is.
                    await self._parts.settled(self._parts.inbox.end)
                    await self._let_go_of(expiry)
            self.counters.overdue_seconds = 0.0

    async def _let_go_of(self, expiry: Expiry) -> None:
        await self._look_at_oldest(expiry)
        events = failed = 0
        before = None
        while plan := await self._next(expiry):
            if plan == before:
                raise NothingWent(f"{len(plan.events)} events, {len(plan.failed)} failed events")
            before = plan
            await self._parts.plans.plan(plan)
            self._parts.at_each_step("old events planned")
            await self._carry_out(plan)
            events += len(plan.events)
            failed += len(plan.failed)
        if events or failed:
            what = "Let go of %d events and %d failed events of %s that are older than it keeps"
            logger.info(what, events, failed, expiry.organization_id)

    async def _carry_out(self, plan: Plan) -> None:
        parts = self._parts
        await parts.log.erase([*plan.events, *plan.failed], Leaves.EVIDENCE)
        parts.at_each_step("old events out of the log")
        await parts.rows.let_go(plan.events)
        parts.at_each_step("old events out of the ledger")
        await parts.rows.wash()
        if plan.failed:
            await self._drop(plan)
        parts.at_each_step("old events washed away")
        await parts.plans.done()
        self.counters.events += len(plan.events)
        self.counters.failed_events += len(plan.failed)
        parts.at_each_step("old events let go")

    async def _drop(self, plan: Plan) -> None:
        """As an operator lets go of failed events: the log tells it to whoever settles."""
        entries = []
        for start in range(0, len(plan.failed), DROPPED_AT_ONCE):
            dropped = FailedEventsDropped(
                organization_id=plan.organization_id,
                received_at_ms=self._parts.now_ms(),
                seqs=plan.failed[start : start + DROPPED_AT_ONCE],
            )
            entries.append(Entry(encode_record(dropped), dropped.received_at_ms))
        kept = await self._parts.inbox.append(entries)
        await self._parts.settled(kept[-1].seq)
        await self._parts.directory.wash()

    async def _next(self, expiry: Expiry) -> Plan | None:
        parts, whose = self._parts, expiry.organization_id
        asked = {**self._values(expiry), "limit": PLACES_AT_ONCE}
        events = tuple(Seq(seq) for (seq,) in await parts.ledger.ask(DUE, asked))
        failed = tuple(await parts.failed.before(whose, expiry.before_ms, PLACES_AT_ONCE))
        return Plan(whose, events, failed) if events or failed else None

    async def _look_at_oldest(self, expiry: Expiry) -> None:
        ((overdue_ms,),) = await self._parts.ledger.ask(OLDEST_DUE, self._values(expiry))
        overdue = max(overdue_ms, 0) / 1000
        self.counters.overdue_seconds = max(self.counters.overdue_seconds, overdue)

    def _expiry(
        self, organization_id: OrganizationId, settings: OrganizationSettings
    ) -> Expiry | None:
        if settings.retention_days is None and not settings.retention_days_by_event_type:
            return None
        event_types = self._parts.catalog.all(organization_id)
        return expiry_of(organization_id, settings, event_types, self._parts.now_ms())

    def _values(self, expiry: Expiry) -> dict[str, object]:
        settled = self._parts.settled_up_to()
        return {**expiry.values(), "source": self._parts.inbox.source, "settled": settled}


async def let_go_of_old_events(letting_go: LettingGo, look_seconds: float = LOOK_SECONDS) -> None:
    """Looks at once and then so often, until it is cancelled; what fails is tried again."""
    pause_seconds = FIRST_PAUSE_SECONDS
    while True:
        try:
            await letting_go.look()
        except Exception:  # the outermost loop of this task: whatever it was, it is tried again
            logger.exception("Old events are still there; again in %.0f s", pause_seconds)
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, look_seconds)
        else:
            pause_seconds = FIRST_PAUSE_SECONDS
            await asyncio.sleep(look_seconds)
