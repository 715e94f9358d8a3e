"""Puts together what lets go of old events: log, ledger, directory, and the plan between them."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from msgspec import Struct
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from endu.erasing import Erased
from endu.event_types.catalog import Catalog
from endu.events.event import Seq
from endu.events.letting_go import LettingGo, Parts, let_go_of_old_events
from endu.events.settler import Settler
from endu.events.settling import Settling
from endu.organizations.organization import Organizations
from endu.stores.letting_go_file import LettingGoFile
from endu.stores.sqlite_failed import SqliteFailedEvents


class Keeping(Struct, frozen=True):
    """Who says how long events are kept, and of which types they are; and where it is written down
    which ones go next."""

    organizations: Organizations
    catalog: Catalog
    plan: Path


def letting_go_of(
    erased: Erased,
    keeping: Keeping,
    settler: Settler,
    settling: Settling,
    at_each_step: Callable[[str], None],
) -> LettingGo:
    """Nothing goes before `letting_go` is entered. It is taken out of what erasing takes out of."""
    directory, inbox = erased.directory, erased.inbox
    settled: Callable[[Seq], Awaitable[None]] = partial(settling.settled, within_seconds=None)
    parts = Parts(
        organizations=keeping.organizations,
        catalog=keeping.catalog,
        ledger=erased.ledger,
        rows=erased.ledger.eraser(inbox.source),
        log=erased.log,
        inbox=inbox,
        failed=SqliteFailedEvents(directory.connection, directory.reader),
        directory=directory.erasures,
        plans=LettingGoFile(keeping.plan),
        settled_up_to=lambda: settler.watermark,
        settled=settled,
        now_ms=lambda: time.time_ns() // 1_000_000,
        at_each_step=at_each_step,
    )
    return LettingGo(parts)


class Told:
    """What letting go has come to, for Prometheus."""

    def __init__(self, work: LettingGo) -> None:
        self._work = work

    def collect(self) -> Iterator[Metric]:
        done = self._work.counters
        yield CounterMetricFamily("endu_events_let_go", "Older than they are kept.", done.events)
        text = "Failed events, likewise."
        yield CounterMetricFamily("endu_failed_events_let_go", text, done.failed_events)
        text = "By how much the oldest event that is to go is too old; 0 once it is gone."
        yield GaugeMetricFamily("endu_retention_overdue_seconds", text, done.overdue_seconds)


@asynccontextmanager
async def letting_go(work: LettingGo) -> AsyncIterator[None]:
    """Until the block is left; what was begun by then is gone on with at the next start."""
    task = asyncio.create_task(let_go_of_old_events(work), name="letting go")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
