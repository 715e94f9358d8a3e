"""The questions that are measured, each with its control: about the whole log, as callers ask."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from benchmarks.journeys_controls import (
    BROKEN_DOWN,
    DEPTH,
    FUNNEL,
    LONGEST,
    PERIODS,
    RETURNED,
    STARTED,
    Control,
    funnel_of_four,
    funnel_with_times,
    paths_of_five,
    timeline_page,
    transitions,
    trend_by_day,
    trend_by_property,
    weekly_retention,
)
from benchmarks.journeys_rows import BEGINS_AT_S, DAY_SECONDS, DAYS
from benchmarks.journeys_world import regulars_in
from endu.ids import Scramble
from endu.journeys.drivers import DriversQuestion, ask_drivers
from endu.journeys.funnel import ask_funnel
from endu.journeys.funnel_question import FunnelQuestion
from endu.journeys.paths import PathsQuestion, ask_paths
from endu.journeys.retention import RetentionQuestion, ask_retention
from endu.journeys.sources import Sources
from endu.journeys.timeline import TimelineQuestion, ask_timeline
from endu.journeys.trend import TrendQuestion, ask_trend

Q = TypeVar("Q")

PAGE = 50
NEWEST = (1 << 62, 1 << 62)


class Asked(Struct, frozen=True):
    """One question in both forms. What it takes is divided by `times`."""

    name: str
    product: Callable[[], Awaitable[object]]
    control: Callable[[], Awaitable[object]] | None
    times: int = 1


async def questions_of(sources: Sources) -> list[Asked]:
    def asked(
        name: str,
        ask: Callable[[Q, Sources], Awaitable[object]],
        kind: type[Q],
        body: Mapping[str, Any],
        control: Control | None,
    ) -> Asked:
        question = msgspec.convert({**TIMES, **body}, kind)
        beside = (lambda: sources.ledger.answer(control.sql, control.values)) if control else None
        return Asked(name, lambda: ask(question, sources), beside)

    return [
        asked("trend by day", ask_trend, TrendQuestion, TREND_BY_DAY, trend_by_day()),
        asked("trend by property", ask_trend, TrendQuestion, TREND_BY_PROPERTY,
              trend_by_property()),
        asked("funnel of 4", ask_funnel, FunnelQuestion, FUNNEL_WITHIN_A_WEEK, funnel_of_four()),
        asked("funnel of 4 with times", ask_funnel, FunnelQuestion, FUNNEL_WITHIN_A_WEEK,
              funnel_with_times()),
        asked("weekly retention", ask_retention, RetentionQuestion, RETENTION, weekly_retention()),
        asked("paths of 5 steps", ask_paths, PathsQuestion, {"depth": DEPTH}, paths_of_five()),
        asked("transitions", ask_paths, PathsQuestion, TRANSITIONS, transitions()),
        asked("drivers, 50 candidates", ask_drivers, DriversQuestion, DRIVERS, None),
        await _timeline(sources),
    ]  # fmt: skip


def _step(name: str) -> dict[str, Any]:
    return {"event_types": [name]}


def _rfc3339(day: int) -> str:
    return datetime.fromtimestamp(BEGINS_AT_S + day * DAY_SECONDS, UTC).isoformat()


TIMES = {"from": _rfc3339(0), "to": _rfc3339(DAYS)}
TREND_BY_DAY = {"series": [{"measure": "people"}], "interval": "day"}
TREND_BY_PROPERTY = {
    "series": [{"event_types": [BROKEN_DOWN], "measure": "people"}],
    "interval": "day",
    "breakdown": {"field": "event_data.tier", "limit": 10},
}
FUNNEL_WITHIN_A_WEEK = {"steps": [_step(name) for name in FUNNEL], "within": {"days": 7}}
RETENTION = {
    "start": _step(STARTED),
    "return": _step(RETURNED),
    "period": "week",
    "periods": PERIODS,
}
# Eight types, which are neither the goal's nor the population's, once and four times over; two
# platforms, four places, four tiers.
DRIVERS = {
    "goal": _step("MEMBERSHIP_UPGRADED"),
    "population": _step("COMMUNITY_JOINED"),
    "candidates": ["event_types", "counts", "platforms", {"field": "property_id"},
                   {"field": "event_data.tier"}],
    "counts": {"at_least": [2, 3, 5, 10]},
    "within": {"days": 14},
}  # fmt: skip
TRANSITIONS = {"depth": LONGEST, "top": 0}


async def _timeline(sources: Sources) -> Asked:
    people = await regulars_in(sources.ledger)
    controls = [timeline_page(list(person.subjects)) for person in people]
    parts = (sources.people, sources.ledger, sources.catalog, Scramble(1))

    async def product() -> None:
        for person in people:
            question = TimelineQuestion(sources.organization_id, person, NEWEST, PAGE)
            await ask_timeline(question, *parts)

    async def control() -> None:
        for each in controls:
            await sources.ledger.ask(each.sql, each.values)

    return Asked("timeline page", product, control, len(people))
