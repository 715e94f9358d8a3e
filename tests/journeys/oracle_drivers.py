"""What drivers' answer is, in plain Python, from insight.md and the question's documentation."""

from collections.abc import Sequence
from fractions import Fraction
from math import comb
from typing import Any

from msgspec import Struct

from tests.journeys import oracle_frame as frame
from tests.journeys.moments import DAY
from tests.journeys.world import Row

UNITS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": DAY}

# What a behaviour is: field, value, at least so many times, within so many days or None.
Key = tuple[str, str, int, int | None]


class Course(Struct, frozen=True):
    """One studied person: what they did while their clock ran."""

    person: int
    start: int
    reached: bool
    done: list[Row]

    def did(self, key: Key) -> bool:
        field, value, at_least, days = key
        latest = self.start + days * DAY if days is not None else None
        times = [
            row
            for row in self.done
            if frame.group_of(field, row) == value and (latest is None or row.second <= latest)
        ]
        return len(times) >= at_least


class Courses(Struct, frozen=True):
    studied: list[Course]
    at_once: int
    unfinished: int


def courses(asked: dict[str, Any], rows: Sequence[Row], now_ms: int) -> Courses:
    mine = [row for row in rows if row.person and frame.in_scope(row, asked)]
    studied, at_once, unfinished = [], 0, 0
    for person in sorted({row.person for row in mine}):
        theirs = sorted(
            (row for row in mine if row.person == person), key=lambda row: (row.second, row.seq)
        )
        starts = [row for row in theirs if frame.is_of(asked.get("population") or {}, row)]
        if not starts:
            continue
        start = starts[0]
        latest = start.second + within_seconds(asked)
        seen_until = latest + asked["goal"].get("silent_days", 0) * DAY
        if (seen_until + 1) * 1_000 > min(asked["to"] * 1_000, now_ms):
            unfinished += 1
            continue
        goal = goal_second(asked, theirs, start)
        if goal == start.second:
            at_once += 1
            continue
        reached = goal is not None and goal <= latest
        last = goal - 1 if reached and goal is not None else latest
        done = [row for row in theirs if start.second <= row.second <= last]
        studied.append(Course(person, start.second, reached, done))
    return Courses(studied, at_once, unfinished)


def within_seconds(asked: dict[str, Any]) -> int:
    ((unit, number),) = asked.get("within", {"days": 14}).items()
    return int(number * UNITS[unit])


def goal_second(asked: dict[str, Any], theirs: Sequence[Row], start: Row) -> int | None:
    """The second in which a person reached the goal, not before their start."""
    later = [row for row in theirs if row.second >= start.second]
    days = asked["goal"].get("silent_days")
    if days is None:
        goals = [row for row in later if frame.is_of(asked["goal"], row)]
        if asked.get("population") is not None:  # one event is never two steps
            goals = [row for row in goals if row is not start]
        return goals[0].second if goals else None
    for row, after in zip(later, [*later[1:], None], strict=True):
        if after is None or after.second - row.second >= days * DAY:
            return row.second + 1
    return None


def candidates(asked: dict[str, Any], found: Courses) -> dict[str, list[Key]]:
    """By field, every behaviour that anybody has: the values that most people have, so many."""
    wanted: dict[str, tuple[int, dict[tuple[int, int | None], None]]] = {}
    for candidate in asked["candidates"]:
        counts = asked.get("counts") or {"at_least": [2, 3, 5, 10]}
        often: list[tuple[int, int | None]] = [(1, None)]
        if candidate == "counts":
            often = [(n, d) for d in counts.get("days") or [None] for n in counts["at_least"]]
        names = {"event_types": "event_type", "counts": "event_type", "platforms": "platform"}
        by_name = isinstance(candidate, str)
        field = names[candidate] if by_name else candidate["field"]
        limit = 100 if by_name else candidate.get("limit", 10)
        before = wanted.setdefault(field, (limit, {}))
        wanted[field] = (max(limit, before[0]), {**before[1], **dict.fromkeys(often)})
    tried: dict[str, list[Key]] = {}
    for field, (limit, oftens) in wanted.items():
        having: dict[str, set[int]] = {}
        for course in found.studied:
            for row in course.done:
                having.setdefault(frame.group_of(field, row), set()).add(course.person)
        having.pop("(none)", None)
        order = sorted(having, key=lambda value: (-len(having[value]), value.encode()))
        keys = [(field, value, n, d) for value in order[:limit] for n, d in oftens]
        tried[field] = [key for key in keys if any(c.did(key) for c in found.studied)]
    return tried


def split(key: Key, found: Courses) -> tuple[int, int, int, int]:
    """People with it, reached of them, people without it, reached of them."""
    having = [course for course in found.studied if course.did(key)]
    lacking = [course for course in found.studied if not course.did(key)]
    return (
        len(having),
        sum(course.reached for course in having),
        len(lacking),
        sum(course.reached for course in lacking),
    )


def exact_p(people_with: int, reached_with: int, people_without: int, reached_without: int) -> Any:
    """Fisher's two-sided p as a fraction: every table with the same margins, counted."""
    people, reached = people_with + people_without, reached_with + reached_without
    ways = {
        both: comb(people_with, both) * comb(people_without, reached - both)
        for both in range(max(0, reached - people_without), min(people_with, reached) + 1)
    }
    as_unlikely = sum(number for number in ways.values() if number <= ways[reached_with])
    return Fraction(as_unlikely, comb(people, reached))


def exact_q(ps: Sequence[Any]) -> list[Any]:
    """Benjamini and Hochberg, as they wrote it: of each p the least of p × m / rank at or above."""
    order = sorted(ps)
    m = len(order)
    return [
        min(Fraction(1), *(order[k - 1] * m / k for k in range(order.index(p) + 1, m + 1)))
        for p in ps
    ]
