"""A funnel is what all choices of events for its steps give, for any log and any question."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endu.journeys.funnel import Funnel, FunnelStep, ask_funnel, ask_funnel_people
from endu.journeys.funnel_question import FunnelPeopleQuestion, FunnelQuestion
from tests.journeys import oracle_frame, oracle_funnel
from tests.journeys.logs import (
    NAMED,
    TYPE_IDS,
    Happening,
    Log,
    common,
    fields,
    logs,
    owners,
    steps,
)
from tests.journeys.moments import DAY, STARTS
from tests.journeys.world import EXAMPLES, Told, World, every_example

LOGS_AT_ONCE = 5
EVER = {"from": min(STARTS), "to": max(STARTS) + 20 * DAY}


@st.composite
def dense_logs(draw: st.DrawFn) -> Log:
    """A few seconds full of events of few people."""
    happening = st.builds(
        Happening,
        at_ms=st.integers(0, 5).map(lambda second: (STARTS[0] + second) * 1_000),
        type_id=st.sampled_from(TYPE_IDS),
        subject=st.integers(1, 2),
        platform=st.sampled_from(["discord", "web", ""]),
        data=st.fixed_dictionaries({"tier": st.sampled_from(["gold", "gold", "silver", None])}),
    )
    return Log(tuple(draw(st.lists(happening, min_size=4, max_size=12))), draw(owners()))


several_logs = st.lists(
    st.one_of(dense_logs(), dense_logs(), logs(most=14)),
    min_size=LOGS_AT_ONCE,
    max_size=LOGS_AT_ONCE,
)
kinds = st.one_of(st.sampled_from(NAMED).map(lambda name: {"event_types": [name]}), steps())


@st.composite
def funnels(draw: st.DrawFn, log: Log) -> dict[str, Any]:
    """Of nearly all logs as they are, in plain steps: what is there counts at all then."""
    asked = draw(common(log)) if draw(st.integers(0, 3)) == 0 else {**EVER}
    asked["steps"] = draw(st.lists(kinds, min_size=2, max_size=4))
    within = [{"seconds": 1}, {"seconds": 2}, {"seconds": 4}, {"days": 1}, {"days": 9}]
    asked["within"] = draw(st.sampled_from(within))
    asked["order"] = draw(st.sampled_from(["ordered", "strict", "any"]))
    asked["entry"] = draw(st.sampled_from(["best", "best", "first"]))
    if asked["order"] != "any":
        asked["ties"] = draw(st.sampled_from(["any", "any", "arrival"]))
        asked["exclude"] = draw(st.lists(exclusions(len(asked["steps"])), max_size=2))
    paths = st.sampled_from(["event_data.tier", "event_data.on", "event_data.price"])
    holds = [[], [], [], ["event_data.tier"], [draw(paths), draw(paths)]]
    asked["hold"] = draw(st.sampled_from(holds))
    if draw(st.booleans()):
        at = ["entry", "first", "last", f"step:{draw(st.integers(1, len(asked['steps'])))}"]
        asked["breakdown"] = {
            "field": draw(st.one_of(st.sampled_from(["platform", "event_type"]), fields())),
            "limit": draw(st.integers(1, 2)),
            "at": draw(st.sampled_from(at)),
        }
    return asked


@st.composite
def exclusions(draw: st.DrawFn, last: int) -> dict[str, Any]:
    after = draw(st.integers(1, last - 1))
    return {**draw(kinds), "after": after, "before": draw(st.integers(after + 1, last))}


async def ask(told: Told, asked: dict[str, Any]) -> Funnel:
    return await ask_funnel(msgspec.convert(asked, FunnelQuestion), told.sources)


def people_of(asked: dict[str, Any], **which: Any) -> FunnelPeopleQuestion:
    return msgspec.convert({**asked, **which}, FunnelPeopleQuestion)


@settings(every_example, max_examples=EXAMPLES // LOGS_AT_ONCE)
@given(st.data())
async def test_a_funnel_is_what_all_choices_of_events_give(
    world: World, data: st.DataObject
) -> None:
    for told in await world.tell_all(data.draw(several_logs)):
        asked = data.draw(funnels(told.log))
        agree(await ask(told, asked), asked, told)


@settings(every_example, max_examples=EXAMPLES // LOGS_AT_ONCE)
@given(st.data())
async def test_the_people_of_a_bar_are_as_many_as_it_says(
    world: World, data: st.DataObject
) -> None:
    for told in await world.tell_all(data.draw(several_logs)):
        asked = data.draw(funnels(told.log))
        steps, groups = oracle_funnel.funnel(asked, told.rows)
        step = data.draw(st.integers(1, len(steps)))
        outcome = data.draw(st.sampled_from(["converted", "dropped"]))
        group = data.draw(st.sampled_from([None, *groups]))
        which = {"step": step, "outcome": outcome, "group": group}
        page = await ask_funnel_people(people_of(asked, **which), told.sources, 0, 100)
        people, dropped, *_ = (groups[group] if group else steps)[step - 1]
        assert page.total == (people if outcome == "converted" else dropped)
        assert [int(person.c_user_id) for person in page.people] == oracle_funnel.people_behind(
            asked, told.rows, **which
        )


async def test_the_people_of_a_bar_come_page_by_page(world: World) -> None:
    at_ms = STARTS[0] * 1_000
    told = await world.tell(
        Log(tuple(Happening(at_ms=at_ms, type_id="BEGIN_EVENT", subject=n) for n in range(1, 6)))
    )
    asked = {"from": STARTS[0], "to": STARTS[0] + 1, "steps": [{}, {}], "step": 1}
    listed, after = [], 0
    for length in (2, 2, 1):
        page = await ask_funnel_people(people_of(asked), told.sources, after, 2)
        assert (page.total, len(page.people)) == (5, length)
        listed += [person.c_user_id for person in page.people]
        after = page.next or 0
    assert len(set(listed)) == 5
    assert after == 0


def agree(answer: Funnel, asked: dict[str, Any], told: Told) -> None:
    steps, groups = oracle_funnel.funnel(asked, told.rows)
    assert plainly(answer.steps) == nearly(steps)
    assert [group.value for group in answer.groups] == list(groups)
    for group in answer.groups:
        assert plainly(group.steps) == nearly(groups[group.value])
    mine = [row for row in told.rows if oracle_funnel.in_question(asked, row)]
    about = answer.about
    assert (about.anonymous_share, about.contested_share) == oracle_frame.about(mine)


def plainly(steps: list[FunnelStep]) -> list[Any]:
    return [(step.people, step.dropped, step.median_seconds, step.p90_seconds) for step in steps]


def nearly(steps: list[Any]) -> list[Any]:
    return [
        (people, dropped, median and pytest.approx(median), p90 and pytest.approx(p90))
        for people, dropped, median, p90 in steps
    ]
