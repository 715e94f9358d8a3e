"""What is written on a command line, read as parts of a question: steps, conditions, times.

ITEM_PURCHASED                              a kind of event; several: CLICK,PAGE_VIEW; all: any
'ITEM_PURCHASED[event_data.price>=10]'      under a condition; several: […][…]
'platform=discord,telegram'  'event_data.tier!=gold'  'event_data.title~blue'  (contains)
'event_data.coupon'  '!event_data.coupon'   is there, is not there
45s 30m 12h 7d 2w                           how long
2024-03-31  2024-03-31T12:00:00Z  1711843200  when
"""

import json
import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from endu.cli.stop import USAGE, Stop

ANY = "any"

_STEP = re.compile(r"(?P<types>[^\[\]]+)(?P<where>(?:\[[^\[\]]+\])*)")
_FIELD = re.compile(r"[^=<>!~]+")
_CONDITION = re.compile(r"(?P<field>[^=<>!~]+?)\s*(?P<op>>=|<=|!=|=|>|<|~)\s*(?P<value>.*)", re.S)
_OPS = {"=": "eq", "!=": "ne", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte", "~": "contains"}
_SEVERAL = {"eq": "in", "ne": "not_in"}
_VALUE = re.compile(r'"(?:[^"\\]|\\.)*"|[^,]+')
_DURATION = re.compile(r"(?P<number>[0-9]+)(?P<unit>[smhdw])")
_UNITS = {"s": ("seconds", 1), "m": ("minutes", 1), "h": ("hours", 1), "d": ("days", 1),
          "w": ("days", 7)}  # fmt: skip
_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")


def step(text: str) -> dict[str, Any]:
    """Raises Stop."""
    read = _STEP.fullmatch(text.strip())
    if read is None:
        raise Stop(
            f"{text} is no step; say ITEM_PURCHASED or 'ITEM_PURCHASED[FIELD=VALUE]'.", USAGE
        )
    types = [each.strip() for each in read["types"].split(",") if each.strip()]
    said: dict[str, Any] = {"event_types": [] if types == [ANY] else types}
    where = re.findall(r"\[([^\[\]]+)\]", read["where"])
    return said | ({"where": [condition(each) for each in where]} if where else {})


def condition(text: str) -> dict[str, Any]:
    """Raises Stop."""
    read = _CONDITION.fullmatch(text.strip())
    if read is None:
        return _existence(text.strip())
    field, op = read["field"], _OPS[read["op"]]
    values = [_value(field, each) for each in _VALUE.findall(read["value"])]
    if not values:
        raise Stop(f"{text}: there is no value behind {read['op']}.", USAGE)
    if len(values) == 1:
        return {"field": field, "op": op, "value": values[0]}
    if op not in _SEVERAL:
        raise Stop(
            f"{text}: only = and != take several values; a comma may stand in quotes.", USAGE
        )
    return {"field": field, "op": _SEVERAL[op], "value": values}


def duration(text: str) -> dict[str, int]:
    """As the server takes it. Raises Stop."""
    read = _DURATION.fullmatch(text.strip())
    if read is None:
        raise Stop(f"{text} is not how long; say 45s, 30m, 12h, 7d or 2w.", USAGE)
    unit, times = _UNITS[read["unit"]]
    return {unit: int(read["number"]) * times}


def seconds_of(duration: dict[str, int]) -> int:
    ((unit, number),) = duration.items()
    return number * _SECONDS[unit]


def moment(text: str, timezone: str) -> str | float:
    """As the server takes it; a date is its first moment in the zone. Raises Stop."""
    if _NUMBER.fullmatch(text):
        return float(text)
    if not _DATE.fullmatch(text):
        return text  # the server says what is wrong with it
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(timezone)).timestamp()
    except (ZoneInfoNotFoundError, OSError) as problem:
        raise Stop(
            f"{timezone} is no time zone; say Europe/Berlin and the like.", USAGE
        ) from problem
    except ValueError as problem:
        raise Stop(f"{text} is no date: {problem}.", USAGE) from problem


def _existence(text: str) -> dict[str, Any]:
    field = text.removeprefix("!").strip()
    if not _FIELD.fullmatch(field):
        raise Stop(
            f"{text} is no condition; say FIELD=VALUE, FIELD>=VALUE, FIELD or !FIELD.", USAGE
        )
    return {"field": field, "op": "exists", "value": not text.startswith("!")}


def _value(field: str, text: str) -> str | int | float | bool:
    """Numbers and truths are such where a field can be one; in double quotes it is text."""
    text = text.strip()
    if text.startswith('"') or field.startswith("event_data.") or field == "proof":
        try:
            read = json.loads(text)
        except ValueError:
            return text
        if isinstance(read, str | int | float):
            return read
    return text
