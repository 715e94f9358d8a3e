"""Retention is what the same events say in plain Python, for any log and any question."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from endu.journeys.retention import (
    Retention,
    RetentionQuestion,
    ask_retention,
)
from endu.journeys.retention_grid import Cohort
from endu.journeys.scope import rfc3339
from tests.journeys import oracle_frame
from tests.journeys import oracle_retention as oracle
from tests.journeys.logs import Log, common, fields, logs, steps
from tests.journeys.world import Told, World, every_example

DAY = 86_400


@st.composite
def retentions(draw: st.DrawFn, log: Log) -> dict[str, Any]:
    asked = draw(common(log))
    asked["start"] = draw(steps())
    if draw(st.booleans()):
        asked["return"] = draw(steps())
    asked["period"] = draw(st.sampled_from(["day", "day", "week", "month"]))
    asked["periods"] = draw(st.sampled_from([1, 2, 4, 8, 12, 52]))
    asked["who"] = draw(st.sampled_from(["recurring", "recurring", "first_time", "first_ever"]))
    asked["returned"] = draw(st.sampled_from(["on", "on_or_after"]))
    asked["clock"] = draw(st.sampled_from(["calendar", "calendar", "rolling"]))
    if draw(st.booleans()):
        asked["breakdown"] = {"field": draw(fields()), "limit": draw(st.integers(1, 3))}
    if draw(st.integers(0, 7)) == 0:  # more days than a number has bits
        asked["from"] -= 40 * DAY
        asked["to"] += 40 * DAY
    return asked


async def ask(told: Told, asked: dict[str, Any]) -> Retention:
    return await ask_retention(msgspec.convert(asked, RetentionQuestion), told.sources)


@every_example
@given(st.data())
async def test_retention_is_what_its_events_say(world: World, data: st.DataObject) -> None:
    log = data.draw(logs())
    told = await world.tell(log)
    for _ in range(2):  # telling costs as much as asking
        asked = data.draw(retentions(log))
        agree(await ask(told, asked), asked, told)


def agree(answer: Retention, asked: dict[str, Any], told: Told) -> None:
    cohorts, groups = oracle.retention(asked, told.rows, told.sources.now_ms)
    matches(answer.cohorts, answer.mean, cohorts)
    assert {group.value for group in answer.groups} == set(groups)
    for group in answer.groups:
        matches(group.cohorts, group.mean, groups[group.value])
    named = [g.value for g in answer.groups if g.value not in ("(none)", "(other)")]
    assert named == [name for name in groups if name in named]
    mine = [
        row
        for row in told.rows
        if oracle_frame.in_scope(row, asked)
        and any(oracle_frame.is_of(step, row) for step in (asked["start"], oracle.back_of(asked)))
    ]
    about = answer.about
    assert (about.anonymous_share, about.contested_share) == oracle_frame.about(mine)


def matches(cohorts: list[Cohort], mean: list[float | None], expected: list[Any]) -> None:
    assert [
        (cohort.at, cohort.people, [(cell.people, cell.complete) for cell in cohort.cells])
        for cohort in cohorts
    ] == [(rfc3339(at_ms), people, row) for at_ms, people, row in expected]
    for cohort in cohorts:
        for cell in cohort.cells:
            assert cell.share == (cell.people / cohort.people if cohort.people else None)
    assert mean == [oracle.mean(expected, nth) for nth in range(len(mean))]
