"""Retention is what the same events say in plain Python, for any log and any question."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endu.journeys.retention import (
    Retention,
    RetentionPeopleQuestion,
    RetentionQuestion,
    ask_retention,
    ask_retention_people,
)
from endu.journeys.retention_grid import Cohort
from endu.journeys.scope import rfc3339
from endu.refusals import Refusal
from tests.journeys import oracle_frame
from tests.journeys import oracle_retention as oracle
from tests.journeys.logs import (
    LOGS_AT_ONCE,
    Happening,
    Log,
    common,
    fields,
    happenings,
    logs,
    steps,
)
from tests.journeys.moments import STARTS
from tests.journeys.world import Told, World, as_many_logs

DAY = 86_400
FIRST = 1_704_067_200  # 2024
TWO_DAYS = {"from": FIRST, "to": FIRST + 2 * DAY, "period": "day", "periods": 2}


# Many events of few kinds, so that most cells have somebody.
VISIT, ORDER = {"event_types": ["VISIT"]}, {"event_types": ["ORDER", "BEGIN_EVENT"]}
often = st.one_of(st.sampled_from([{}, VISIT, ORDER]), steps())


@st.composite
def crowded(draw: st.DrawFn) -> Log:
    few = draw(logs())
    start = draw(st.sampled_from(STARTS))
    most = draw(st.sampled_from([0, 16]))
    many = draw(st.lists(happenings(start), min_size=most, max_size=most))
    return Log(tuple(many), few.owners, few.once) if many else few


several_crowded = st.lists(crowded(), min_size=LOGS_AT_ONCE, max_size=LOGS_AT_ONCE)


@st.composite
def retentions(draw: st.DrawFn, log: Log) -> dict[str, Any]:
    asked = draw(common(log))
    asked["start"] = draw(often)
    if draw(st.integers(0, 2)):
        asked["return"] = draw(often)
    if draw(st.integers(0, 2)):
        asked.pop("where", None)
        asked["from"], asked["to"] = all_of(log)
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


def all_of(log: Log) -> tuple[int, int]:
    seconds = [each.at_ms // 1_000 for each in log.happenings] or [FIRST]
    return min(seconds), max(seconds) + DAY


async def ask(told: Told, asked: dict[str, Any]) -> Retention:
    return await ask_retention(msgspec.convert(asked, RetentionQuestion), told.sources)


@as_many_logs
@given(st.data())
async def test_retention_is_what_its_events_say_and_its_people_are_those_counted(
    world: World, data: st.DataObject
) -> None:
    for told in await world.tell_all(data.draw(several_crowded)):
        asked = data.draw(retentions(told.log))
        answer = await ask(told, asked)
        agree(answer, asked, told)
        await lists_whom_it_counts(told, asked, data.draw(numbers(answer, asked)))


@st.composite
def numbers(draw: st.DrawFn, answer: Retention, asked: dict[str, Any]) -> dict[str, Any]:
    """Which number of the answer: often one that is not 0."""
    inhabited = [cohort for cohort in answer.cohorts if cohort.people]
    which: dict[str, Any] = {"cohort": draw(st.sampled_from(inhabited or answer.cohorts)).at}
    if draw(st.booleans()):
        which["cell"] = draw(st.integers(0, min(asked["periods"] - 1, 3)))
        which["came_back"] = draw(st.booleans())
    if answer.groups and draw(st.booleans()):
        which["group"] = draw(st.sampled_from([group.value for group in answer.groups]))
    return which


async def lists_whom_it_counts(told: Told, asked: dict[str, Any], which: dict[str, Any]) -> None:
    everybody = oracle.members(asked, told.rows)
    named = oracle.groups(asked, everybody)
    expected = {
        member.person
        for member in everybody
        if rfc3339(int(member.cohort.timestamp()) * 1_000) == which["cohort"]
        and ("cell" not in which or (which["cell"] in member.cells) == which["came_back"])
        and ("group" not in which or oracle.group_of(asked, member, named) == which["group"])
    }
    question = msgspec.convert({**asked, **which}, RetentionPeopleQuestion)
    page = await ask_retention_people(question, told.sources, 0, 100)
    assert page.total == len(expected)
    assert [int(person.c_user_id) for person in page.people] == sorted(expected)


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


async def test_people_who_become_one_come_back_as_one(world: World) -> None:
    log = Log((a_visit(1, 0), a_visit(2, 1)))
    asked = {**TWO_DAYS, "start": {}, "who": "first_time"}
    told = await world.tell(log)
    for owners, sizes, mean in (({}, [1, 1], 0.0), ({2: 1}, [1, 0], 1.0), ({2: 2}, [1, 1], 0.0)):
        told = await world.move(told, owners)
        answer = await ask(told, asked)
        assert [cohort.people for cohort in answer.cohorts] == sizes
        assert answer.mean == [1.0, mean]


async def test_what_came_before_the_start_is_no_return(world: World) -> None:
    log = Log((a_visit(1, 0), an_order(1, 0, second=1), an_order(2, 0), a_visit(2, 0, second=1)))
    told = await world.tell(log)
    for more in ({}, {"breakdown": {"field": "platform"}}):  # another SQL
        answer = await ask(told, {**TWO_DAYS, "start": VISIT, "return": ORDER, **more})
        assert answer.cohorts[0].cells[0].people == 1


async def test_a_start_that_is_a_return_too_is_one_in_the_first_period(world: World) -> None:
    told = await world.tell(Log((a_visit(1, 0),)))
    answer = await ask(told, {**TWO_DAYS, "start": VISIT, "return": {}})
    assert [cell.people for cell in answer.cohorts[0].cells] == [1, 0]


async def test_periods_of_their_own_begin_with_each_persons_start(world: World) -> None:
    told = await world.tell(Log((a_visit(1, 0, second=DAY - 1), a_visit(1, 1))))
    asked = {**TWO_DAYS, "start": {}, "who": "first_time"}
    for clock, share in (("calendar", 1.0), ("rolling", 0.0)):
        cells = (await ask(told, {**asked, "clock": clock})).cohorts[0].cells
        assert [cell.share for cell in cells] == [1.0, share]


async def test_a_range_may_have_more_days_than_a_number_has_bits(world: World) -> None:
    told = await world.tell(Log((a_visit(1, 0), a_visit(1, 65))))
    asked = {**TWO_DAYS, "to": FIRST + 70 * DAY, "start": VISIT, "return": ORDER}
    assert await sizes_of(told, asked) == {0: 1, 65: 1}
    assert await sizes_of(told, {**asked, "return": VISIT}) == {0: 1, 65: 1}
    assert await sizes_of(told, {**asked, "who": "first_time"}) == {0: 1}


async def sizes_of(told: Told, asked: dict[str, Any]) -> dict[int, int]:
    cohorts = (await ask(told, asked)).cohorts
    return {nth: cohort.people for nth, cohort in enumerate(cohorts) if cohort.people}


async def test_only_who_never_started_before_the_range_starts_for_the_first_time_ever(
    world: World,
) -> None:
    told = await world.tell(Log((a_visit(1, -9), a_visit(1, 0), a_visit(2, 0))))
    for who, people in (("first_time", 2), ("first_ever", 1)):
        assert (await ask(told, {**TWO_DAYS, "start": {}, "who": who})).cohorts[0].people == people


async def test_a_cell_that_is_not_over_is_marked_and_left_out_of_the_mean(world: World) -> None:
    told = await world.tell(Log((a_visit(1, 0), a_visit(1, 1), a_visit(2, 1))))
    answer = await ask(told, {**TWO_DAYS, "start": {}})
    complete = [[cell.complete for cell in cohort.cells] for cohort in answer.cohorts]
    assert complete == [[True, True], [True, False]]
    assert answer.mean == [1.0, 1.0]


async def test_everything_that_is_wrong_is_said_at_once(world: World) -> None:
    told = await world.tell(Log(()))
    asked = {
        **TWO_DAYS,
        "timezone": "Europe/Nowhere",
        "start": {"event_types": ["NO_SUCH_TYPE"]},
        "return": {"where": [{"field": "color", "op": "exists"}]},
        "breakdown": {"field": "event_data."},
        "cohort": "yesterday",
        "came_back": False,
    }
    assert await problems_of(told, asked) == [
        "timezone",
        "start.event_types[0]",
        "return.where[0].field",
        "breakdown.field",
        "cohort",
        "cell",
    ]
    asked = {**TWO_DAYS, "start": {}, "cohort": 5, "cell": 2, "group": "web"}
    assert await problems_of(told, asked) == ["cohort", "cell", "group"]
    asked = {"from": 0, "to": 2_000_000_000, "period": "day", "start": {}, "cohort": 0}
    assert await problems_of(told, asked) == ["period"]


async def problems_of(told: Told, asked: dict[str, Any]) -> list[str]:
    question = msgspec.convert(asked, RetentionPeopleQuestion)
    with pytest.raises(Refusal) as refused:
        await ask_retention_people(question, told.sources, 0, 10)
    assert refused.value.reason.name == "INVALID_QUESTION"
    return [problem.path for problem in refused.value.problems]


def a_visit(subject: int, day: int, second: int = 0) -> Happening:
    return Happening(at_ms=(FIRST + day * DAY + second) * 1_000, type_id="visit-2", subject=subject)


def an_order(subject: int, day: int, second: int = 0) -> Happening:
    return Happening(at_ms=(FIRST + day * DAY + second) * 1_000, type_id="order-1", subject=subject)
