"""A timeline, a funnel and a retention, counted plainly: what Endu's answers have to equal."""

from collections.abc import Mapping, Sequence
from typing import Any

from endu.torture.answers import Stored
from endu.torture.crowd import BEGINS_AT_S, DAYS
from endu.torture.people import NOBODY, Person

DAY = 86_400
ENDS_AT_S = BEGINS_AT_S + DAYS * DAY
STEPS = ("LINK_TRACKING_CLICK", "BEGIN_EVENT", "BLOCKCHAIN_ACCOUNT_SIGN_IN")
WITHIN_SECONDS = 6 * 3_600
START, RETURN = "BEGIN_EVENT", "LINK_TRACKING_CLICK"
PERIODS = 8

FUNNEL: dict[str, Any] = {
    "steps": [{"event_types": [name]} for name in STEPS],
    "within": {"seconds": WITHIN_SECONDS},
    "from": BEGINS_AT_S,
    "to": ENDS_AT_S,
}
RETENTION: dict[str, Any] = {
    "start": {"event_types": [START]},
    "return": {"event_types": [RETURN]},
    "period": "day",
    "periods": PERIODS,
    "from": BEGINS_AT_S,
    "to": ENDS_AT_S,
}

Journeys = Mapping[Person, Sequence[Stored]]


def journeys_of(events: Sequence[Stored], owners: Mapping[int, Person]) -> Journeys:
    """Everybody's events, oldest first; of one moment, as they arrived."""
    journeys: dict[Person, list[Stored]] = {}
    for event in sorted(events, key=lambda event: (event.happened_at_ms, event.place)):
        journeys.setdefault(owners[event.place], []).append(event)
    journeys.pop(NOBODY, None)
    return journeys


def timeline(journey: Sequence[Stored]) -> list[int]:
    """Newest first."""
    return [event.number for event in reversed(journey)]


def funnel(journeys: Journeys) -> list[int]:
    """How many people came to each step or further."""
    depths = [_depth([_seconds(journey, name) for name in STEPS]) for journey in journeys.values()]
    return [sum(depth > place for depth in depths) for place in range(len(STEPS))]


def retention(journeys: Journeys) -> list[list[int]]:
    """For each day, its people, and how many of them came back on it and on each day after."""
    grid = [[0] * (PERIODS + 1) for _ in range(DAYS)]
    for journey in journeys.values():
        returns = _seconds(journey, RETURN)
        for day, start in _first_of_each_day(_seconds(journey, START)).items():
            came = {_day(second) - day for second in returns if second >= start}
            grid[day][0] += 1
            for period in came & set(range(PERIODS)):
                grid[day][period + 1] += 1
    return grid


def _depth(steps: Sequence[Sequence[int]]) -> int:
    """The steps that follow from the entry that goes furthest: always to the next there is."""
    best = 0
    for entry in steps[0]:
        at, depth = entry, 1
        for seconds in steps[1:]:
            later = [second for second in seconds if at <= second <= entry + WITHIN_SECONDS]
            if not later:
                break
            at, depth = min(later), depth + 1
        best = max(best, depth)
    return best


def _seconds(journey: Sequence[Stored], name: str) -> list[int]:
    return [event.happened_at_ms // 1000 for event in journey if event.event_type == name]


def _first_of_each_day(seconds: Sequence[int]) -> dict[int, int]:
    first: dict[int, int] = {}
    for second in sorted(seconds):
        first.setdefault(_day(second), second)
    return first


def _day(second: int) -> int:
    return (second - BEGINS_AT_S) // DAY
