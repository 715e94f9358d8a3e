"""Conditions, groups and calendars of questions mean what they say, for any event."""

from collections import Counter
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from endu.journeys.about import Counted, about_of, counted_sql
from endu.journeys.calendar import Interval
from endu.journeys.draft import Draft, draft_of
from endu.journeys.question import Breakdown, Question, Step
from tests.journeys import oracle_frame as oracle
from tests.journeys.logs import common, conditions, fields, several_logs, steps
from tests.journeys.world import Told, World, as_many_logs

EVER = {"from": 0, "to": 4_000_000_000}
INTERVALS: tuple[Interval, ...] = ("hour", "day", "week", "month")


async def drafted(told: Told, asked: dict[str, Any]) -> Draft:
    draft = await draft_of(msgspec.convert(asked, Question), told.sources)
    draft.must_be_sound()
    return draft


async def places(draft: Draft, told: Told, scan: str) -> set[int]:
    sql = f"SELECT seq FROM endu.events WHERE {scan}"
    return {seq for (seq,) in await told.sources.ledger.ask(sql, draft.values.bound)}


@as_many_logs
@given(st.data())
async def test_a_question_is_about_the_events_that_it_asks_for_and_knows_how_sure_they_are(
    world: World, data: st.DataObject
) -> None:
    for told in await world.tell_all(data.draw(several_logs)):
        for _ in range(5):  # several questions for one log, which costs more than they do
            where = data.draw(st.lists(conditions(), min_size=1, max_size=2))
            await finds_what_is_so(told, {**EVER, "where": where})
        asked = data.draw(common(told.log))
        kinds = data.draw(st.lists(steps(), min_size=1, max_size=3))
        await is_about_its_steps(told, asked, kinds)


async def finds_what_is_so(told: Told, asked: dict[str, Any]) -> None:
    draft = await drafted(told, asked)
    expected = {row.seq for row in told.rows if oracle.in_scope(row, asked)}
    assert await places(draft, told, draft.scan([draft.step(Step(), "step")])) == expected


async def is_about_its_steps(
    told: Told, asked: dict[str, Any], kinds: list[dict[str, Any]]
) -> None:
    draft = await drafted(told, asked)
    scan = draft.scan([draft.step(msgspec.convert(step, Step), "steps") for step in kinds])
    draft.must_be_sound()
    mine = [
        row
        for row in told.rows
        if oracle.in_scope(row, asked) and any(oracle.is_of(step, row) for step in kinds)
    ]
    assert await places(draft, told, scan) == {row.seq for row in mine}
    answered = await told.sources.ledger.answer(
        f"SELECT {counted_sql(draft)} FROM endu.events WHERE {scan}",
        draft.values.bound,
    )
    about = await about_of(draft, [answered], Counted(*answered.rows[0]))
    assert (about.anonymous_share, about.contested_share) == oracle.about(mine)
    assert about.rules_version == 7


@as_many_logs
@given(st.data())
async def test_every_event_is_in_its_group_and_in_the_bucket_of_its_time(
    world: World, data: st.DataObject
) -> None:
    for told in await world.tell_all(data.draw(several_logs)):
        for field in data.draw(st.lists(fields(), min_size=1, max_size=4)):
            await is_in_its_group(told, field)
        for _ in range(2):
            asked = data.draw(common(told.log))
            asked.pop("where", None)
            await is_in_its_bucket(told, asked, data.draw(st.sampled_from(INTERVALS)))


async def is_in_its_group(told: Told, field: str) -> None:
    draft = await drafted(told, EVER)
    group = draft.group(Breakdown(field))
    sql = f"SELECT seq, {group} FROM endu.events WHERE {draft.scan([])}"
    found = dict(await told.sources.ledger.ask(sql, draft.values.bound))
    assert found == {row.seq: oracle.group_of(field, row) for row in told.rows}


async def is_in_its_bucket(told: Told, asked: dict[str, Any], interval: Interval) -> None:
    draft = await drafted(told, asked)
    calendar, span = draft.calendar, draft.range
    key = calendar.key_sql(interval, span)
    sql = f"SELECT {key} AS key, count() FROM endu.events WHERE {draft.scan([])} GROUP BY key"
    counts = dict(await told.sources.ledger.ask(sql, draft.values.bound))
    mine = [row for row in told.rows if oracle.in_scope(row, asked)]
    buckets = calendar.buckets(interval, span, told.sources.now_ms)
    expected = oracle.buckets(interval, asked)
    assert [(b.start_ms, b.end_ms) for b in buckets] == [
        tuple(int(end.timestamp() * 1_000) for end in both) for both in expected
    ]
    starts = Counter(oracle.bucket_start(row.at_ms, interval, asked) for row in mine)
    assert {b.start_ms: counts.pop(b.key) for b in buckets if b.key in counts} == {
        int(start.timestamp() * 1_000): number for start, number in starts.items()
    }
    assert counts == {}
    assert [b.complete for b in buckets] == [
        asked["from"] <= start.timestamp() and end.timestamp() <= asked["to"]
        for start, end in expected
    ]
