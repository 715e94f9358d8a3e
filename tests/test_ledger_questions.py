"""Questions to the ledger: their values travel beside them, they only read, and each is bounded."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from clickhouse_connect.driver.exceptions import Error
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from endu.cli.checkup import questions_step_back
from endu.events.event import Seq
from endu.events.ledger import Bound, TooDear
from endu.stores.chdb_handles import STEPS_BACK, Limits
from endu.stores.chdb_ledger import ChdbLedger, open_chdb_ledger
from tests.log_world import settled

FIRST, LAST = Seq(1), Seq(1_000)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(st.characters(codec="utf-8")), st.integers(0, (1 << 64) - 1))
async def test_values_are_bound_and_never_part_of_the_text(
    chdb_ledger: ChdbLedger, text: str, number: int
) -> None:
    sql = "SELECT {text:String}, {number:UInt64}"
    assert await chdb_ledger.ask(sql, {"text": text, "number": number}) == [(text, number)]


async def test_a_failed_question_leaves_nothing_to_the_next(chdb_ledger: ChdbLedger) -> None:
    secret = "SELECT number, throwIf(number = 500000) FROM numbers(1000000)"
    for _ in range(5):
        with pytest.raises(Error):
            await chdb_ledger.ask(secret, {})
        assert await chdb_ledger.ask("SELECT 'mine'", {}) == [("mine",)]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO endu.owner_changes VALUES (1, 1, 1)",
        "DROP TABLE endu.events",
        "SET readonly = 0",
        "SET max_execution_time = 1000",
        "SELECT 1 SETTINGS max_memory_usage = 0",
    ],
)
async def test_questions_only_read(chdb_ledger: ChdbLedger, statement: str) -> None:
    with pytest.raises(Error):
        await chdb_ledger.ask(statement, {})
    assert await chdb_ledger.present(0, FIRST, LAST) == set()


async def test_a_question_is_bounded_in_time_and_memory(tmp_path: Path) -> None:
    with open_chdb_ledger(tmp_path / "ledger", Limits(seconds=1, memory_bytes=64 << 20)) as ledger:
        for dear, bound in (
            ("sum(cityHash64(number))", Bound.TIME),
            ("length(groupArray(number))", Bound.SIZE),
        ):
            with pytest.raises(TooDear) as found:
                await ledger.ask(f"SELECT {dear} FROM numbers(100000000000)", {})
            assert found.value.bound is bound
        assert await ledger.ask("SELECT 1", {}) == [(1,)]


async def test_a_cancelled_question_ends_and_frees_its_handle(tmp_path: Path) -> None:
    with open_chdb_ledger(tmp_path / "ledger", Limits(seconds=60, at_once=1)) as ledger:
        endless = "SELECT sum(cityHash64(number)) FROM numbers(1000000000000)"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ledger.ask(endless, {}), 0.2)
        assert await asyncio.wait_for(ledger.ask("SELECT 1", {}), 5) == [(1,)]


async def test_an_answer_says_how_many_rows_were_read_for_it(chdb_ledger: ChdbLedger) -> None:
    await chdb_ledger.append(0, [settled(seq) for seq in range(1, 101)])
    answered = await chdb_ledger.answer("SELECT uniqExact(seq) FROM endu.events", {})
    assert (answered.rows, answered.rows_read) == ([(100,)], 100)
    assert answered.elapsed_ms > 0


async def test_beyond_those_that_may_wait_a_question_is_turned_down(tmp_path: Path) -> None:
    limits = Limits(seconds=60, at_once=1, waiting=1)
    endless = "SELECT sum(cityHash64(number)) FROM numbers(1000000000000)"
    with open_chdb_ledger(tmp_path / "ledger", limits) as ledger:
        asked = [asyncio.create_task(ledger.ask(endless, {})) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(TooDear) as turned_down:
            await ledger.ask("SELECT 1", {})
        assert turned_down.value.bound is Bound.NUMBER
        for each in asked:
            each.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        assert await ledger.ask("SELECT 1", {}) == [(1,)]


@pytest.mark.skipif(not questions_step_back(), reason="may not set priorities")
async def test_a_long_question_steps_back_and_a_short_one_does_not(tmp_path: Path) -> None:
    endless = "SELECT sum(cityHash64(number)) FROM numbers_mt(1000000000000)"
    with open_chdb_ledger(tmp_path / "ledger", Limits(seconds=60)) as ledger:
        for ask, nice in ((ledger.ask, 0), (ledger.answer, STEPS_BACK)):
            asked = asyncio.create_task(ask(endless, {}))
            async with asyncio.timeout(10):
                while nice not in nice_values_of("QueryPipelineEx"):
                    await asyncio.sleep(0.01)
            assert (STEPS_BACK in nice_values_of("QueryPipelineEx")) == (nice == STEPS_BACK)
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)


async def test_merges_let_recording_go_first_and_questions_let_merges(tmp_path: Path) -> None:
    setting = "SELECT value FROM system.server_settings WHERE name = {name:String}"
    with open_chdb_ledger(tmp_path / "ledger", Limits()) as ledger:
        answer = await ledger.ask(setting, {"name": "os_threads_nice_value_merge_mutate"})
    assert 0 < int(answer[0][0]) < STEPS_BACK


def nice_values_of(name: str) -> set[int]:
    """Of the threads of this process that are called so: man 5 proc."""
    values = set()
    for task in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            said = task.joinpath("stat").read_text()
            if f"({name})" in said:
                values.add(int(said.rpartition(")")[2].split()[16]))
    return values


async def test_what_was_cancelled_takes_no_other_question_with_it(tmp_path: Path) -> None:
    """Nor an insert: cancelling comes at any moment, before there is a handle, too."""
    with open_chdb_ledger(tmp_path / "ledger", Limits(at_once=2)) as ledger:
        for seq in range(1, 41):
            asked = asyncio.create_task(ledger.ask("SELECT sum(number) FROM numbers(300000)", {}))
            await asyncio.sleep(seq / 10_000)
            asked.cancel()
            others = [ledger.ask("SELECT 1", {}) for _ in range(3)]
            writing = ledger.append(0, [settled(seq)])
            *answers, _, gone = await asyncio.gather(
                *others, writing, asked, return_exceptions=True
            )
            assert answers == [[(1,)]] * 3
            assert isinstance(gone, asyncio.CancelledError) or gone == [(44999850000,)]
        assert len(await ledger.present(0, FIRST, LAST)) == 40


async def test_more_questions_than_handles_wait_their_turn(chdb_ledger: ChdbLedger) -> None:
    asked = (chdb_ledger.ask("SELECT {n:UInt16}", {"n": n}) for n in range(30))
    assert await asyncio.gather(*asked) == [[(n,)] for n in range(30)]


async def test_while_the_disk_is_spared_a_question_has_its_memory_alone(tmp_path: Path) -> None:
    grouped = "SELECT k FROM (SELECT toString(cityHash64(number)) AS k FROM numbers({})) GROUP BY k"
    counted = f"SELECT count() FROM ({grouped})"
    with open_chdb_ledger(tmp_path / "ledger", Limits(memory_bytes=96 << 20)) as ledger:
        small, large = counted.format(1_000), counted.format(1_500_000)
        assert await ledger.ask(large, {}) == [(1_500_000,)]
        await ledger.spare_disk()
        with pytest.raises(TooDear) as refused:
            await ledger.ask(large, {})
        assert refused.value.bound is Bound.DISK
        assert await ledger.ask(small, {}) == [(1_000,)]
        await ledger.use_disk()
        assert await ledger.ask(large, {}) == [(1_500_000,)]


async def test_a_question_that_runs_when_the_disk_is_to_be_spared_begins_again(
    tmp_path: Path,
) -> None:
    long = "SELECT max(cityHash64(number) % 7) FROM numbers(300000000)"
    with open_chdb_ledger(tmp_path / "ledger", Limits(seconds=60)) as ledger:
        asked = asyncio.create_task(ledger.ask(long, {}))
        while await ledger.ask("SELECT count() FROM system.processes", {}) == [(1,)]:
            pass  # it does not run yet
        await ledger.spare_disk()
        assert not asked.done()
        assert await asyncio.wait_for(asked, 30) == [(6,)]
