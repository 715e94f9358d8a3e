"""A funnel is what all choices of events for its steps give, for any log and any question."""

from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from endu.journeys.funnel import Funnel, FunnelStep, ask_funnel
from endu.journeys.funnel_question import FunnelQuestion
from tests.journeys import oracle_frame, oracle_funnel
from tests.journeys.funnel_logs import LOGS_AT_ONCE, Case, cases, dense_case, told_at_once
from tests.journeys.world import EXAMPLES, Told, World, every_example


async def ask(told: Told, asked: dict[str, Any]) -> Funnel:
    return await ask_funnel(msgspec.convert(asked, FunnelQuestion), told.sources)


@settings(every_example, max_examples=EXAMPLES // LOGS_AT_ONCE)
@given(cases())
async def test_a_funnel_is_what_all_choices_of_events_give(world: World, drawn: list[Case]) -> None:
    for told, asked in await told_at_once(world, drawn):
        agree(await ask(told, asked), asked, told)


async def test_so_it_is_where_ways_are_long_and_end_in_many_ways(world: World) -> None:
    """No example is like another: see funnel_logs."""
    for told, asked in await told_at_once(world, [dense_case(Random(n)) for n in range(EXAMPLES)]):
        agree(await ask(told, asked), asked, told)


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
