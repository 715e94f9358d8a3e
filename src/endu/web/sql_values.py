"""Values of an answer to SQL as JSON and as cells of CSV.

JSON has no room for some of them: a whole number that a double would not hold exactly, and any
decimal, is a string; what is no number, or infinite, is null. Times are RFC 3339 in UTC.
"""

import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from endu.events.ledger import Table

EXACT_IN_A_DOUBLE = (1 << 53) - 1

# Nothing in columns of these types is other in JSON than in Python.
_AS_IT_IS = re.compile(r"(?:Nullable\(|LowCardinality\()*(?:String|Bool|U?Int(?:8|16|32))\)*")

# A spreadsheet runs a cell that begins so, and the wide forms of the same signs.
_RUN = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")

_encode = msgspec.json.Encoder().encode


def rows_as_json(table: Table) -> msgspec.Raw:
    """A list of lists."""
    return msgspec.Raw(_encode(list(zip(*_columns(table), strict=True))))


def as_ndjson(table: Table) -> bytes:
    """An object a line, by the columns' names."""
    names = distinct(table.names)
    rows = zip(*_columns(table), strict=True)
    return msgspec.json.Encoder().encode_lines([dict(zip(names, row, strict=True)) for row in rows])


def as_csv(table: Table) -> bytes:
    """RFC 4180, with a head, in UTF-8. No cell is one that a spreadsheet would run."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([harmless(name) for name in table.names])
    writer.writerows(zip(*([_cell(value) for value in column] for column in _columns(table)),
                         strict=True))  # fmt: skip
    return text.getvalue().encode()


def distinct(names: Iterable[str]) -> list[str]:
    """With a number behind a name that was there before."""
    found: list[str] = []
    for name in names:
        free, again = name, 2
        while free in found:
            free, again = f"{name}_{again}", again + 1
        found.append(free)
    return found


def harmless(text: str) -> str:
    """A number begins with a sign too, and does no harm."""
    return f"'{text}" if text.startswith(_RUN) and not _NUMBER.fullmatch(text) else text


def plain(value: Any) -> Any:
    """As JSON has it."""
    shape = _SHAPES.get(type(value))
    if shape is not None:
        return shape(value)
    return value if value is None or isinstance(value, bool | str) else str(value)


def _columns(table: Table) -> list[Sequence[Any]]:
    return [
        column if _AS_IT_IS.fullmatch(kind) else [plain(value) for value in column]
        for kind, column in zip(table.types, table.columns, strict=True)
    ]


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, bool | list | dict):
        return _encode(value).decode()
    return value


def _whole(value: int) -> int | str:
    return value if abs(value) <= EXACT_IN_A_DOUBLE else str(value)


def _moment(value: datetime) -> str:
    exact = "milliseconds" if value.microsecond % 1000 == 0 else "microseconds"
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=exact) + "Z"


_SHAPES: dict[type, Callable[[Any], Any]] = {
    int: _whole,
    float: lambda value: value if math.isfinite(value) else None,
    Decimal: str,
    datetime: _moment,
    date: date.isoformat,
    timedelta: str,
    bytes: lambda value: value.rstrip(b"\0").decode("utf-8", "replace"),
    list: lambda values: [plain(value) for value in values],
    tuple: lambda values: [plain(value) for value in values],
    dict: lambda pairs: {str(plain(key)): plain(value) for key, value in pairs.items()},
}
