"""What the parts that all questions share mean, in plain Python: range, where, steps, groups,
calendar, about. Written from the documents, over the Rows of `world` and questions as JSON."""

import operator
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from tests.journeys.world import Row

MISSING = object()


def in_scope(row: Row, asked: dict[str, Any]) -> bool:
    """In the range, and all of the question's own conditions hold."""
    in_range = asked["from"] * 1_000 <= row.at_ms < asked["to"] * 1_000
    return in_range and all(holds(each, row) for each in asked.get("where", []))


def is_of(step: dict[str, Any], row: Row) -> bool:
    types = step.get("event_types", [])
    named = not types or row.type_name in types or row.type_id in types
    return named and all(holds(each, row) for each in step.get("where", []))


def about(rows: Sequence[Row]) -> tuple[float | None, float | None]:
    """The shares that are anonymous and contested of a question's events."""
    if not rows:
        return None, None
    return (
        sum(row.anonymous for row in rows) / len(rows),
        sum(row.contested for row in rows) / len(rows),
    )


def holds(condition: dict[str, Any], row: Row) -> bool:
    op, value = condition["op"], condition.get("value", True)
    found = _found(condition["field"], row)
    if op == "exists":
        return (found is not MISSING) == value
    if condition["field"] in ("platform", "chain_type"):
        value = [v.lower() for v in value] if isinstance(value, list) else value.lower()
    if op in ("eq", "in"):
        return _is_among(found, value if op == "in" else [value], condition["field"])
    if op in ("ne", "not_in"):
        return not _is_among(found, value if op == "not_in" else [value], condition["field"])
    if op == "contains":
        return _contains(found, value)
    return _compares(op, found, value)


def group_of(field: str, row: Row) -> str:
    """What the row's group is called."""
    if field == "event_type":
        return row.type_name
    found = _found(field, row)
    if found is MISSING or found == "":
        return "(none)"
    if isinstance(found, str):
        return found
    return _as_json(found)


def ranked(sizes: dict[str, int], limit: int) -> list[str]:
    """The groups that keep their names, largest first; of equal ones, the lesser by its bytes."""
    named = [name for name in sizes if name not in ("(none)", "(other)")]
    return sorted(named, key=lambda name: (-sizes[name], name.encode()))[:limit]


def bucket_start(at_ms: int, interval: str, asked: dict[str, Any]) -> datetime:
    """The beginning of the hour, day, week or month, as a time in UTC."""
    zone = ZoneInfo(asked.get("timezone", "UTC"))
    if interval == "hour":
        anchor = datetime.fromtimestamp(asked.get("anchor", asked["from"]), zone)
        offset = anchor.utcoffset() or timedelta()
        beyond = int(offset.total_seconds()) % 3_600
        second = (at_ms // 1_000 + beyond) // 3_600 * 3_600 - beyond
        return datetime.fromtimestamp(second, UTC)
    day = datetime.fromtimestamp(at_ms // 1_000, zone).date()
    if interval == "week":
        first = 0 if asked.get("week_start", "monday") == "monday" else 6
        day -= timedelta(days=(day.weekday() - first) % 7)
    elif interval == "month":
        day = day.replace(day=1)
    return first_moment(day, zone)


@cache
def first_moment(day: date, zone: ZoneInfo) -> datetime:
    """The first second whose date is not before the day, found by looking at every quarter of an
    hour around it."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=15)
    while moment.astimezone(zone).date() < day:
        moment += timedelta(minutes=15)
    return moment


def buckets(interval: str, asked: dict[str, Any]) -> list[tuple[datetime, datetime]]:
    """The beginning and the end of each that the range touches, found by going through the range
    by quarters of an hour."""
    names = ("from", "to", "timezone", "week_start", "anchor")
    return _buckets(interval, tuple((name, asked[name]) for name in names if name in asked))


@cache
def _buckets(interval: str, said: tuple[tuple[str, Any], ...]) -> list[tuple[datetime, datetime]]:
    asked = dict(said)
    found = []
    at_ms = asked["from"] * 1_000
    while at_ms < asked["to"] * 1_000:
        start = end = bucket_start(at_ms, interval, asked)
        while end <= start:
            at_ms += 900_000
            end = bucket_start(at_ms, interval, asked)
        at_ms = int(end.timestamp()) * 1_000
        found.append((start, end))
    return found


def number_of(field: str, row: Row) -> float | None:
    found = _found(field, row)
    return float(found) if _is_number(found) else None


def _found(field: str, row: Row) -> Any:
    """What the field says, MISSING where it says nothing; both its names for a type."""
    if field == "event_type":
        return (row.type_name, row.type_id)
    if field == "proof":
        return row.proof
    if not field.startswith("event_data."):
        return getattr(row, field) or MISSING
    found: Any = row.data
    for key in field.removeprefix("event_data.").replace(r"\.", "\0").split("."):
        name = key.replace("\0", ".")
        if not isinstance(found, dict) or name not in found:
            return MISSING
        found = found[name]
    return MISSING if found is None else found


def _is_among(found: Any, values: Sequence[Any], field: str) -> bool:
    if isinstance(found, tuple):
        return any(value in found for value in values)
    if found is MISSING and not field.startswith("event_data."):
        return "" in values
    return any(_equal(found, value) for value in values)


def _equal(found: Any, value: Any) -> bool:
    """Only what is of one kind can be equal."""
    if _is_number(found) and _is_number(value):
        return float(found) == float(value)
    return type(found) is type(value) and bool(found == value)


def _contains(found: Any, value: Any) -> bool:
    if isinstance(found, list):
        return any(_equal(each, value) for each in found)
    return isinstance(found, str) and isinstance(value, str) and value in found


def _compares(op: str, found: Any, value: Any) -> bool:
    if isinstance(found, str) and isinstance(value, str):
        return _ORDERED[op](found.encode(), value.encode())
    if _is_number(found) and _is_number(value):
        return _ORDERED[op](float(found), float(value))
    return False


_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _as_json(value: Any) -> str:
    """Numbers that are whole are written without a fraction."""
    if isinstance(value, float) and value == int(value) and abs(value) < 1e15:
        value = int(value)
    return msgspec.json.encode(value).decode()
