"""What the HTTP face asks of the parts behind it: whether events can be kept, and how they fare."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Protocol

from msgspec import Struct
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from endu.events.event import Seq
from endu.events.inbox import AFTER_NO_SPACE_SECONDS, Inbox
from endu.events.settling import SettlerDied, Settling
from endu.refusals import Reason, Refusal

FRESH_SECONDS = 10

LOOK_SECONDS = 0.5
LOOKS_AT_MOST = 7_200  # an hour of lag; what is older counts as that old

DEAD_LOG = "The log cannot be written; see what Endu printed, then start it again."
DEAD_SETTLER = "Nothing settles any more; see what Endu printed, then start it again."


class Disk(Protocol):
    """The watch over the disk. `lacks` is empty, or says why nothing is recorded."""

    lacks: str

    def gauges(self) -> Iterator[tuple[str, str, float]]:
        """Name, what it is, and how much."""


class Behind(Struct, frozen=True, kw_only=True):
    """What is watched. `gauges` and `counts` tell of what only their owners know: name, what it
    is, how much."""

    inbox: Inbox
    settling: Settling
    disk: Disk
    log_alive: Callable[[], bool]
    now: Callable[[], float]  # seconds of a clock that never goes back
    gauges: Callable[[], Iterator[tuple[str, str, float]]]
    counts: Callable[[], Iterator[tuple[str, str, float]]]


class Watch:
    def __init__(self, behind: Behind) -> None:
        self._behind = behind
        self._seen: deque[tuple[float, int]] = deque(maxlen=LOOKS_AT_MOST)  # when, end of the log

    async def fresh(self) -> None:
        """Returns once everything acknowledged before is in every answer; raises Refusal."""
        try:
            await self._behind.settling.settled(self._behind.inbox.end, FRESH_SECONDS)
        except (TimeoutError, SettlerDied) as problem:
            raise Refusal(Reason.NOT_SETTLED, retry_after_seconds=1) from problem

    def why_not_ready(self) -> Refusal | None:
        """Why events cannot be kept now; None where they can."""
        if dead := self.dead():
            return Refusal(Reason.NOT_DURABLE, dead)
        if lacks := self._behind.disk.lacks:
            return Refusal(Reason.DISK_FULL, lacks, retry_after_seconds=AFTER_NO_SPACE_SECONDS)
        return None

    def dead(self) -> str:
        """Why Endu has to be started again; empty while it need not."""
        if not self._behind.log_alive():
            return DEAD_LOG
        return "" if self._behind.settling.alive else DEAD_SETTLER

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Looks how far the log is, now and then, so that it can be told how long things wait."""
        looking = asyncio.create_task(self._look_round(), name="watch")
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    def collect(self) -> Iterator[Metric]:
        settling = self._behind.settling
        done = settling.counters
        yield GaugeMetricFamily(
            "endu_log_end", "The last place of the log.", self._behind.inbox.end
        )
        yield GaugeMetricFamily(
            "endu_settle_waiting", "Records that are not settled.", settling.waiting
        )
        yield GaugeMetricFamily(
            "endu_settle_lag_seconds", "How long the oldest of them has waited.", self.lag_seconds()
        )
        open_now = self.why_not_ready() is None
        yield GaugeMetricFamily("endu_door_open", "1 while events are kept.", open_now)
        yield CounterMetricFamily("endu_settled_events", "Events settled.", done.events)
        yield CounterMetricFamily("endu_set_aside", "Records set aside.", done.set_aside)
        yield CounterMetricFamily("endu_settle_batches", "Batches settled.", done.batches)
        for name, text, value in (*self._behind.disk.gauges(), *self._behind.gauges()):
            yield GaugeMetricFamily(name, text, value)
        for name, text, value in self._behind.counts():
            yield CounterMetricFamily(name, text, value)

    def lag_seconds(self) -> float:
        """To half a second; from the start on at most."""
        settled = self._behind.inbox.end - self._behind.settling.waiting
        while self._seen and self._seen[0][1] <= settled:
            self._seen.popleft()
        return self._behind.now() - self._seen[0][0] if self._seen else 0.0

    async def _look_round(self) -> None:
        while True:
            self._look()
            await asyncio.sleep(LOOK_SECONDS)

    def _look(self) -> None:
        self.lag_seconds()  # forgets what is settled
        end = Seq(self._behind.inbox.end)
        if self._behind.settling.waiting and (not self._seen or self._seen[-1][1] < end):
            self._seen.append((self._behind.now(), end))
