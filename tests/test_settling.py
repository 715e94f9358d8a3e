"""The settler at work: its pace, its patience, and that its end leaves nobody waiting."""

import asyncio

import pytest

from endu.events.event import Seq
from endu.events.ledger import LedgerDamaged
from endu.events.settler import BATCH, Parts, Settler
from endu.events.settling import SettlerDied, Settling, settling
from endu.stores.memory_books import MemoryPosition
from endu.stores.trouble import of_storage
from tests.log_world import NOON, an_entry
from tests.settling import TornLedger, parts_in_memory, seqs_in


async def test_it_settles_what_comes_and_says_when_it_is_visible() -> None:
    parts = parts_in_memory()
    async with settling(fresh(parts), parts.inbox) as work:
        await work.settled(Seq(0), 1)
        for n in range(3):
            (kept,) = await parts.inbox.append([an_entry()])
            await work.settled(kept.seq, 5)
            assert await seqs_in(parts) == list(range(1, n + 2))
        with pytest.raises(TimeoutError):
            await work.settled(Seq(99), 0.05)
    assert not work.alive
    await work.ended()


async def test_who_names_no_time_waits_for_as_long_as_it_takes() -> None:
    parts = parts_in_memory(ledger=TornLedger([LedgerDamaged("torn")]))
    async with settling(fresh(parts), parts.inbox) as work:
        waiting = asyncio.create_task(work.settled(Seq(2), None))
        for _ in range(2):
            await parts.inbox.append([an_entry()])
        await asyncio.wait_for(waiting, 10)
    assert await seqs_in(parts) == [1, 2]


async def test_leaving_settles_what_still_waits() -> None:
    parts = parts_in_memory()
    async with settling(fresh(parts), parts.inbox):
        await asyncio.gather(*(parts.inbox.append([an_entry()]) for _ in range(300)))
    assert await parts.position.watermark() == 300


async def test_a_backlog_does_not_hold_up_who_stops_it() -> None:
    parts = parts_in_memory()
    for _ in range(BATCH + 1):
        await parts.inbox.append([an_entry()])
    work = Settling(fresh(parts), parts.inbox)
    work.start()
    await work.stop(within_seconds=0)
    assert (work.waiting, work.counters.records) == (1, BATCH)


async def test_failing_storage_is_waited_for() -> None:
    failures = [OSError("disk full"), LedgerDamaged("torn")]
    parts = parts_in_memory(ledger=TornLedger(list(failures)))
    async with settling(fresh(parts), parts.inbox) as work:
        (*_, last) = await parts.inbox.append([an_entry() for _ in range(7)])
        await work.settled(last.seq, 10)
        assert work.counters.last_error
    assert await seqs_in(parts) == list(range(1, 8))


async def test_whoever_waits_for_a_settler_that_died_is_told_at_once() -> None:
    class Broken(MemoryPosition):
        async def move(self, watermark: Seq) -> None:
            raise AssertionError("a fault of ours")

    parts = parts_in_memory(position=Broken())
    work = Settling(fresh(parts), parts.inbox)
    work.start()
    waiting = asyncio.create_task(work.settled(Seq(1), 30))
    await parts.inbox.append([an_entry()])
    with pytest.raises(AssertionError):
        await asyncio.wait_for(work.ended(), 5)
    with pytest.raises(SettlerDied):
        await asyncio.wait_for(waiting, 1)
    with pytest.raises(SettlerDied):
        await work.settled(Seq(1), 30)
    await work.stop()
    assert not work.alive


def fresh(parts: Parts) -> Settler:
    return Settler(parts, lambda: NOON, of_storage)
