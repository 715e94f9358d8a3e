"""What fails is tried again, and told of meanwhile; each look takes what is due then."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from endu.events.event import Seq
from endu.events.inbox import NotDurable
from endu.events.keeping import Leaves, LogEraser
from endu.events.letting_go import LettingGo, let_go_of_old_events
from endu.stores.letting_go_file import read_plan
from tests.old_events import DAYS, LONG_AGO, Past, ago
from tests.web_world import World, world_on

COUNT = "SELECT count() FROM endu.events"


class FailsAtFirst:
    """A log that cannot be written the first time."""

    def __init__(self, log: LogEraser) -> None:
        self._log = log
        self.failed = False

    async def erase(self, places: Sequence[Seq], leaves: Leaves = Leaves.NOTHING) -> None:
        if not self.failed:
            self.failed = True
            raise NotDurable("the disk is full")
        await self._log.erase(places, leaves)


async def failing_at_first(world: World) -> LettingGo:
    """With one event that is due."""
    await world.record(timestamp=ago(LONG_AGO))
    await Past(world).keep(DAYS)
    parts = world.running.parts.letting_go._parts
    return LettingGo(replace(parts, log=FailsAtFirst(parts.log)))


async def test_what_could_not_go_is_overdue_and_goes_the_next_time(tmp_path: Path) -> None:
    async with world_on(tmp_path) as world:
        work = await failing_at_first(world)
        with pytest.raises(NotDurable):
            await work.look()
        too_old_by = (LONG_AGO - DAYS) * 24 * 3600
        assert too_old_by <= work.counters.overdue_seconds < too_old_by + 3600
        assert await world.running.parts.ledger.ask(COUNT, {}) == [(1,)]
        await work.look()
        assert (work.counters.events, work.counters.overdue_seconds) == (1, 0.0)
        assert await world.running.parts.ledger.ask(COUNT, {}) == [(0,)]


async def test_it_is_tried_again_by_itself(tmp_path: Path) -> None:
    async with world_on(tmp_path) as world:
        work = await failing_at_first(world)
        task = asyncio.create_task(let_go_of_old_events(work, look_seconds=60))
        async with asyncio.timeout(20):
            while not work.counters.events:
                await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await world.running.parts.ledger.ask(COUNT, {}) == [(0,)]


async def test_metrics_tell_how_much_went(tmp_path: Path) -> None:
    async with world_on(tmp_path) as world:
        await world.record(timestamp=ago(LONG_AGO))
        await Past(world).keep(DAYS)
        await world.running.parts.letting_go.look()
        told = (await world.client.get("/metrics")).text
    assert "endu_events_let_go_total 1.0" in told
    assert "endu_failed_events_let_go_total 0.0" in told
    assert "endu_retention_overdue_seconds 0.0" in told


async def test_where_nobody_asked_for_it_nothing_is_looked_for(tmp_path: Path) -> None:
    async with world_on(tmp_path) as world:
        await world.record(timestamp=ago(LONG_AGO))
        parts = world.running.parts.letting_go._parts

        def no_time() -> int:
            raise AssertionError("nobody needs the time")

        await LettingGo(replace(parts, now_ms=no_time)).look()


def test_a_damaged_plan_is_none(tmp_path: Path) -> None:
    plan = tmp_path / "letting-go"
    assert read_plan(plan) is None
    plan.write_bytes(b"\x93\x01")
    assert read_plan(plan) is None
