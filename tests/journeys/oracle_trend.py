"""What a trend's answer is, in plain Python, from insight.md and the questions' documentation."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.journeys import oracle_frame as frame
from tests.journeys.world import Row

Point = tuple[int, float | int | None, bool]


def trend(
    asked: dict[str, Any], rows: Sequence[Row], now_ms: int
) -> tuple[list[Any], list[Any] | None]:
    """(label's place, group, points) of each line, for the range and for the period before."""
    before = {**asked, **period_before(asked)} if asked.get("compare") else None
    periods = [asked, before] if before else [asked]
    mine = [events_of(period, rows) for period in periods]
    groups: list[str | None] = [None]
    breakdown = asked.get("breakdown")
    if breakdown:
        field, limit = breakdown["field"], breakdown.get("limit", 10)
        sizes = {frame.group_of(field, row): 0 for some in mine for row in some}
        for row in mine[0]:
            sizes[frame.group_of(field, row)] += 1
        named = frame.ranked(sizes, limit)
        groups = [*named]
        groups += ["(other)"] if set(sizes) - {*named, "(none)"} else []
        groups += ["(none)"] if "(none)" in sizes else []
    lines = [
        [
            (place, group, _points(series, group, groups, some, period, now_ms))
            for place, series in enumerate(asked["series"])
            for group in groups
        ]
        for period, some in zip(periods, mine, strict=True)
    ]
    return lines[0], lines[1] if before else None


def period_before(asked: dict[str, Any]) -> dict[str, int]:
    """As many whole buckets where the range is of whole ones, else as long by the zone's clock."""
    interval = asked.get("interval", "day")
    found = frame.buckets(interval, asked)
    start = int(found[0][0].timestamp())
    if start == asked["from"] and int(found[-1][1].timestamp()) == asked["to"]:
        for _ in found:
            start = int(frame.bucket_start(start * 1_000 - 1, interval, asked).timestamp())
        return {"from": start, "to": asked["from"], "anchor": asked["from"]}
    if interval == "hour":
        start = 2 * asked["from"] - asked["to"]
        return {"from": start, "to": asked["from"], "anchor": asked["from"]}
    zone = ZoneInfo(asked.get("timezone", "UTC"))
    begin, end = (
        datetime.fromtimestamp(asked[name], zone).replace(tzinfo=None) for name in ("from", "to")
    )
    earlier: timedelta = end - begin
    start = int((begin - earlier).replace(tzinfo=zone).timestamp())
    return {"from": min(start, asked["from"]), "to": asked["from"], "anchor": asked["from"]}


def events_of(asked: dict[str, Any], rows: Sequence[Row]) -> list[Row]:
    """The question's: in its range, and of any of its series."""
    return [
        row
        for row in rows
        if frame.in_scope(row, asked) and any(frame.is_of(each, row) for each in asked["series"])
    ]


def _points(
    series: dict[str, Any],
    group: str | None,
    groups: Sequence[str | None],
    rows: Sequence[Row],
    asked: dict[str, Any],
    now_ms: int,
) -> list[Point]:
    interval = asked.get("interval", "day")
    mine = [
        row
        for row in rows
        if frame.is_of(series, row) and _group_shown(row, asked, groups) == group
    ]
    points = []
    for start, end in frame.buckets(interval, asked):
        within = [r for r in mine if start.timestamp() * 1e3 <= r.at_ms < end.timestamp() * 1e3]
        complete = asked["from"] <= start.timestamp() and end.timestamp() <= min(
            asked["to"], now_ms / 1e3
        )
        points.append((int(start.timestamp()) * 1_000, measured(series, within), complete))
    return points


def _group_shown(row: Row, asked: dict[str, Any], groups: Sequence[str | None]) -> str | None:
    if "breakdown" not in asked:
        return None
    group = frame.group_of(asked["breakdown"]["field"], row)
    return group if group in groups else "(other)"


def measured(series: dict[str, Any], rows: Sequence[Row]) -> float | int | None:
    measure = series.get("measure", "events")
    if measure == "events":
        return len(rows)
    if measure == "people":
        return len({row.person for row in rows} - {0})
    numbers = [frame.number_of(series["of"], row) for row in rows]
    return of_numbers(measure, sorted(number for number in numbers if number is not None))


def of_numbers(measure: str, numbers: list[float]) -> float | int | None:
    """The numbers are in order."""
    if not numbers:
        return 0 if measure == "sum" else None
    if measure == "sum":
        return math.fsum(numbers)
    if measure == "average":
        return math.fsum(numbers) / len(numbers)
    if measure in ("min", "max"):
        return numbers[0] if measure == "min" else numbers[-1]
    place = (len(numbers) - 1) * int(measure[1:]) / 100
    low = math.floor(place)
    high = min(low + 1, len(numbers) - 1)
    return numbers[low] + (numbers[high] - numbers[low]) * (place - low)
