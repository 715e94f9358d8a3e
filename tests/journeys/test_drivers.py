"""Drivers are what the same people's events say in plain Python, for any log and any question."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endu.journeys.drivers import (
    Drivers,
    DriversPeopleQuestion,
    DriversQuestion,
    ask_drivers,
    ask_drivers_people,
)
from endu.refusals import Refusal
from tests.journeys import oracle_drivers as oracle
from tests.journeys import oracle_frame
from tests.journeys.drivers_logs import busy_logs, questions
from tests.journeys.logs import Happening, Log
from tests.journeys.moments import DAY
from tests.journeys.oracle_drivers import Courses, Key
from tests.journeys.world import EXAMPLES, Told, World, every_example

LOGS_AT_ONCE = 5


async def ask(told: Told, asked: dict[str, Any]) -> Drivers:
    return await ask_drivers(msgspec.convert(asked, DriversQuestion), told.sources)


@settings(every_example, max_examples=EXAMPLES // LOGS_AT_ONCE)
@given(st.data())
async def test_drivers_and_the_people_behind_them_are_what_events_say(
    world: World, data: st.DataObject
) -> None:
    logs = data.draw(st.lists(busy_logs(), min_size=LOGS_AT_ONCE, max_size=LOGS_AT_ONCE))
    for told in await world.tell_all(logs):
        asked = data.draw(questions(told.log))
        found = oracle.courses(asked, told.rows, told.sources.now_ms)
        agree(await ask(told, asked), asked, told, found)
        keys = [key for some in oracle.candidates(asked, found).values() for key in some]
        chosen = data.draw(numbers(keys))
        question = msgspec.convert({**asked, **chosen}, DriversPeopleQuestion)
        page = await ask_drivers_people(question, told.sources, 0, 100)
        people = behind(chosen, found)
        assert [person.c_user_id for person in page.people] == people
        assert page.total == len(people)


def agree(answer: Drivers, asked: dict[str, Any], told: Told, found: Courses) -> None:
    reached = sum(course.reached for course in found.studied)
    assert (answer.people, answer.reached) == (len(found.studied), reached)
    assert (answer.left_out.at_once, answer.left_out.unfinished) == (
        found.at_once,
        found.unfinished,
    )
    keys = [key for some in oracle.candidates(asked, found).values() for key in some]
    splits = {key: oracle.split(key, found) for key in keys}
    support = asked["minimum_support"]
    tried = {key: cells for key, cells in splits.items() if min(cells[0], cells[2]) >= support}
    assert shown(answer) == tried
    assert answer.candidates.tried == len(tried)
    assert answer.candidates.below_support == len(splits) - len(tried)
    exact = {key: oracle.exact_p(*cells) for key, cells in tried.items()}
    order = [key_of(driver) for driver in answer.drivers]
    assert [driver.p for driver in answer.drivers] == pytest.approx(
        [float(exact[key]) for key in order], rel=1e-9
    )
    assert [driver.q for driver in answer.drivers] == pytest.approx(
        [float(q) for q in oracle.exact_q([exact[key] for key in order])], rel=1e-9
    )
    mine = [row for row in told.rows if oracle_frame.in_scope(row, asked)]
    about = answer.about
    assert (about.anonymous_share, about.contested_share) == oracle_frame.about(mine)


def key_of(driver: Any) -> Key:
    said = driver.behaviour
    return (said.field, said.value, said.at_least, said.days)


def shown(answer: Drivers) -> dict[Key, tuple[int, int, int, int]]:
    return {
        key_of(d): (d.people_with, d.reached_with, d.people_without, d.reached_without)
        for d in answer.drivers
    }


@st.composite
def numbers(draw: st.DrawFn, keys: list[Key]) -> dict[str, Any]:
    """Which number of the answer the people are asked for."""
    chosen: dict[str, Any] = {"reached": draw(st.sampled_from([None, True, False]))}
    key = draw(st.sampled_from([*keys, None]))
    if key is not None:
        field, value, at_least, days = key
        behaviour = {"field": field, "value": value, "at_least": at_least, "days": days}
        chosen |= {"behaviour": behaviour, "with": draw(st.booleans())}
    return chosen


def behind(chosen: dict[str, Any], found: Courses) -> list[str]:
    key = tuple(chosen["behaviour"].values()) if "behaviour" in chosen else None
    return [
        str(course.person)
        for course in found.studied
        if chosen["reached"] in (None, course.reached)
        and (key is None or course.did(key) == chosen["with"])
    ]


START = 1_700_000_000


def events(*told: tuple[int, int, str]) -> Log:
    """Of (person, seconds from the start, event type)."""
    return Log(tuple(
        Happening(at_ms=(START + second) * 1_000, type_id=kind, subject=person)
        for person, second, kind in told
    ))  # fmt: skip


def only(**more: Any) -> dict[str, Any]:
    return {
        "from": START - 10,
        "to": START + 40 * DAY,
        "goal": {"event_types": ["ORDER"]},
        "candidates": ["event_types"],
        "within": {"days": 1},
        "minimum_support": 1,
        **more,
    }


async def test_what_happens_with_the_goal_or_behind_it_does_not_count(world: World) -> None:
    told = await world.tell(
        events(
            (1, 0, "BEGIN_EVENT"), (1, 9, "visit-1"), (1, 10, "order-1"),
            (2, 0, "BEGIN_EVENT"), (2, 10, "visit-1"), (2, 10, "order-1"), (2, 11, "visit-1"),
            (3, 0, "BEGIN_EVENT"), (3, DAY, "visit-1"), (3, DAY + 1, "order-1"),
            (4, 0, "BEGIN_EVENT"), (4, DAY + 1, "visit-1"),
        )
    )  # fmt: skip
    answer = await ask(told, only())
    assert (answer.people, answer.reached) == (4, 2)
    assert shown(answer) == {("event_type", "VISIT", 1, None): (2, 1, 2, 1)}


async def test_whoever_has_the_goal_at_once_is_left_out(world: World) -> None:
    told = await world.tell(
        events(
            (1, 0, "order-1"), (1, 5, "visit-1"),
            (2, 0, "visit-1"), (2, 0, "order-1"),
            (3, 0, "visit-1"), (3, 1, "order-1"),
        )
    )  # fmt: skip
    answer = await ask(told, only())
    assert (answer.people, answer.reached, answer.left_out.at_once) == (1, 1, 2)


async def test_one_event_is_not_the_start_and_the_goal(world: World) -> None:
    told = await world.tell(events((1, 0, "order-1"), (1, 5, "order-1"), (2, 0, "order-1")))
    answer = await ask(told, only(population={"event_types": ["ORDER"]}))
    assert (answer.people, answer.reached, answer.left_out.at_once) == (2, 1, 0)


async def test_the_last_thing_before_a_silence_counts(world: World) -> None:
    told = await world.tell(
        events(
            (1, 0, "visit-1"), (1, 60, "order-1"),
            (2, 0, "visit-1"), (2, DAY - 1, "visit-1"), (2, 3 * DAY, "visit-1"),
            (3, 0, "visit-1"), *((3, n * DAY, "visit-1") for n in range(1, 9)),
        )
    )  # fmt: skip
    answer = await ask(told, only(goal={"silent_days": 3}))
    assert (answer.people, answer.reached) == (3, 1)
    assert shown(answer)["event_type", "ORDER", 1, None] == (1, 1, 2, 0)


async def test_whose_time_is_not_over_is_left_out(world: World) -> None:
    told = await world.tell(events((1, 0, "visit-1"), (1, 5, "order-1"), (2, 1, "visit-1")))
    for more, unfinished in ((DAY, 2), (DAY + 1, 1), (DAY + 2, 0)):
        answer = await ask(told, only(to=START + more))
        assert (answer.people, answer.left_out.unfinished) == (2 - unfinished, unfinished)


async def test_candidates_beyond_the_bound_are_cut_and_said_to_be(world: World) -> None:
    told = await world.tell(
        Log(tuple(
            Happening(at_ms=(START + person) * 1_000, type_id="visit-1", subject=person % 6 + 1,
                      data={"tier": f"{field}-{person}"})
            for field in range(1) for person in range(90)
        ))
    )  # fmt: skip
    answer = await ask(told, only(candidates=[{"field": "event_data.tier", "limit": 7}]))
    assert len(answer.drivers) == answer.candidates.tried == 7
    assert (answer.candidates.found, answer.candidates.cut) == (90, 83)


async def test_options_that_do_not_go_together_are_refused(world: World) -> None:
    told = await world.tell(Log(()))
    asked = only(
        goal={"silent_days": 50, "event_types": ["ORDER"]},
        population={"event_types": ["NO_SUCH_TYPE"]},
        candidates=["event_types", {"field": "color"}],
        counts={"at_least": [2], "days": [1, 2]},
        behaviour=None,
    )
    asked |= {"with": False}
    with pytest.raises(Refusal) as refused:
        await ask_drivers_people(msgspec.convert(asked, DriversPeopleQuestion), told.sources, 0, 10)
    assert [problem.path for problem in refused.value.problems] == [
        "population.event_types[0]",
        "goal.silent_days",
        "within",
        "counts",
        "counts.days[1]",
        "behaviour",
    ]
    del asked["behaviour"], asked["with"]
    with pytest.raises(Refusal) as refused:
        await ask(told, asked)
    assert refused.value.problems[-1].path == "candidates[1].field"
