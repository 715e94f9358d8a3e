"""What a retention question's answer is, in plain Python, from insight.md and its documentation."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from tests.journeys import oracle_frame as frame
from tests.journeys.world import Row

DAY = 86_400
ROLLING = {"day": DAY, "week": 7 * DAY, "month": 30 * DAY}


class Member(NamedTuple):
    """A person in a cohort, by the start that made them one."""

    person: int
    cohort: datetime
    start: Row
    cells: set[int]


def retention(
    asked: dict[str, Any], rows: Sequence[Row], now_ms: int
) -> tuple[list[Any], dict[str, list[Any]]]:
    """Cohorts as (at, people, cells), all together and by group; a cell is (people, complete)."""
    everybody = members(asked, rows)
    named = groups(asked, everybody)
    grids = {
        name: grid(asked, [m for m in everybody if group_of(asked, m, named) == name], now_ms)
        for name in named
    }
    return grid(asked, everybody, now_ms), grids


def members(asked: dict[str, Any], rows: Sequence[Row]) -> list[Member]:
    found = []
    for person in {row.person for row in rows} - {0}:
        own = sorted((r for r in rows if r.person == person), key=lambda r: (r.at_ms, r.seq))
        mine = [row for row in own if frame.in_scope(row, asked)]
        back = [row for row in mine if frame.is_of(back_of(asked), row)]
        for start in starts(asked, own, mine):
            cohort = frame.bucket_start(start.at_ms, period_of(asked), asked)
            later = [row for row in back if row.second >= start.second]
            found.append(Member(person, cohort, start, cells(asked, start, later)))
    return found


def starts(asked: dict[str, Any], own: Sequence[Row], mine: Sequence[Row]) -> list[Row]:
    """The first of each cohort that the person is in."""
    who = asked.get("who", "recurring")
    if who == "first_ever":
        always = {**asked, "from": 0}
        first = [r for r in own if frame.in_scope(r, always) and frame.is_of(asked["start"], r)]
        return [row for row in first[:1] if row in mine]
    by_cohort: dict[datetime, Row] = {}
    for row in mine:
        if frame.is_of(asked["start"], row):
            by_cohort.setdefault(frame.bucket_start(row.at_ms, period_of(asked), asked), row)
    found = list(by_cohort.values())
    return found if who == "recurring" else found[:1]


def cells(asked: dict[str, Any], start: Row, later: Sequence[Row]) -> set[int]:
    places = {place(asked, start, row) for row in later}
    if asked.get("returned", "on") == "on_or_after":
        places = set(range(max(places, default=-1) + 1))
    return {each for each in places if each < asked.get("periods", 8)}


def place(asked: dict[str, Any], start: Row, row: Row) -> int:
    """Which period after the start it is."""
    if asked.get("clock", "calendar") == "rolling":
        return (row.second - start.second) // ROLLING[period_of(asked)]
    return number(asked, row.at_ms) - number(asked, start.at_ms)


def number(asked: dict[str, Any], at_ms: int) -> int:
    """Of the calendar's day, week or month; they follow each other."""
    zone = ZoneInfo(asked.get("timezone", "UTC"))
    day = datetime.fromtimestamp(at_ms // 1_000, zone).date()
    if period_of(asked) == "month":
        return day.year * 12 + day.month
    if period_of(asked) == "day":
        return day.toordinal()
    a_monday_or_sunday = date(2024, 1, 1 if asked.get("week_start", "monday") == "monday" else 7)
    return (day - a_monday_or_sunday).days // 7


def grid(asked: dict[str, Any], mine: Sequence[Member], now_ms: int) -> list[Any]:
    cohorts = []
    for start, end in frame.buckets(period_of(asked), asked):
        within = [member for member in mine if member.cohort == start]
        row = [
            (
                sum(nth in member.cells for member in within),
                is_over(asked, (start, end), nth, now_ms),
            )
            for nth in range(asked.get("periods", 8))
        ]
        cohorts.append((int(start.timestamp()) * 1_000, len(within), row))
    return cohorts


def is_over(
    asked: dict[str, Any], cohort: tuple[datetime, datetime], nth: int, now_ms: int
) -> bool:
    """Whether the period is, for whoever started last."""
    start, end = (int(each.timestamp()) for each in cohort)
    over = min(asked["to"], now_ms / 1_000)
    if asked.get("clock", "calendar") == "rolling":
        return end + (nth + 1) * ROLLING[period_of(asked)] <= over
    ends = list(ends_after(asked, start, nth))
    return ends[-1] <= over


def ends_after(asked: dict[str, Any], start: int, nth: int) -> Iterator[int]:
    """When the period of the start ends, and those after it up to the nth."""
    zone = ZoneInfo(asked.get("timezone", "UTC"))
    day = datetime.fromtimestamp(start, zone).date()
    for _ in range(nth + 1):
        if period_of(asked) == "month":
            day = date(day.year + day.month // 12, day.month % 12 + 1, 1)
        else:
            day = date.fromordinal(day.toordinal() + ROLLING[period_of(asked)] // DAY)
        yield int(frame.first_moment(day, zone).timestamp())


def mean(cohorts: Sequence[Any], nth: int) -> float | None:
    """Of those whose cell is over; larger cohorts weigh more."""
    over = [(people, row[nth][0]) for _, people, row in cohorts if row[nth][1]]
    people = sum(size for size, _ in over)
    return sum(back for _, back in over) / people if people else None


def groups(asked: dict[str, Any], everybody: Sequence[Member]) -> list[str]:
    if "breakdown" not in asked:
        return []
    field, limit = asked["breakdown"]["field"], asked["breakdown"].get("limit", 10)
    sizes: dict[str, int] = {}
    for member in everybody:
        name = frame.group_of(field, member.start)
        sizes[name] = sizes.get(name, 0) + 1
    named = frame.ranked(sizes, limit)
    rest = set(sizes) - {*named, "(none)"}
    return [*named, *(["(none)"] if "(none)" in sizes else []), *(["(other)"] if rest else [])]


def group_of(asked: dict[str, Any], member: Member, named: Sequence[str]) -> str:
    group = frame.group_of(asked["breakdown"]["field"], member.start)
    return group if group in named else "(other)"


def back_of(asked: dict[str, Any]) -> Any:
    return asked.get("return", asked["start"])


def period_of(asked: dict[str, Any]) -> str:
    return str(asked.get("period", "week"))
