"""From conditions to SQL over the events' table.

Fields are from our own list, every value and every key of a path travels beside the text.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import UNSET, Struct

from endu.journeys.question import Condition
from endu.journeys.values import Values

DATA = "event_data."
KEYS_AT_MOST = 8  # event_data is nested no deeper

EQUAL = ("eq", "ne", "in", "not_in")
ORDER = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
FOUND = ("contains", "exists")

# What a name or an id stands for: the ids of its event types; None where there is none.
TypesOf: TypeAlias = Callable[[str], Sequence[str] | None]


class NotACondition(Exception):
    """`part` is the fault's place in the condition; the text says what would be right."""

    def __init__(self, part: str, message: str) -> None:
        super().__init__(message)
        self.part = part


class Column(Struct, frozen=True):
    """A column of the events' table that has one kind of value."""

    sql: str
    kind: str  # ClickHouse's
    ops: tuple[str, ...]
    any_casing: bool = False


COLUMNS: Mapping[str, Column] = {
    "property_id": Column("property_id", "String", (*EQUAL, *FOUND)),
    "platform": Column("platform", "String", (*EQUAL, *FOUND), any_casing=True),
    "chain_type": Column("chain_type", "String", (*EQUAL, *FOUND), any_casing=True),
    "proof": Column("proof", "Float64", (*EQUAL, *ORDER)),
}
FIELDS = ("event_type", *COLUMNS, f"{DATA}<path>")


def condition_sql(condition: Condition, types_of: TypesOf, values: Values) -> str:
    """Raises NotACondition."""
    _must_fit(condition)
    if condition.field == "event_type":
        return _of_event_type(condition, types_of, values)
    if condition.field.startswith(DATA):
        return _of_data(condition, keys_of(condition.field), values)
    column = COLUMNS.get(condition.field)
    if column is None:
        raise NotACondition("field", f"is one of {', '.join(FIELDS)}")
    return _of_column(condition, column, values)


def value_sql(field: str, names: Mapping[str, str], values: Values) -> str:
    """What a field says of an event, as a String; empty or null where it is missing. `names` are
    those of the event types, by id. Raises NotACondition."""
    if field == "event_type":
        ids = values.add(list(names), "Array(String)")
        said = values.add(list(names.values()), "Array(String)")
        return f"transform(toString(event_type), {ids}, {said}, toString(event_type))"
    if field.startswith(DATA):
        keys = _bound(keys_of(field), values)
        return f"JSONExtract(event_data, {keys}, 'Nullable(String)')"
    if field not in COLUMNS:
        raise NotACondition("field", f"is one of {', '.join(FIELDS)}")
    return f"toString({COLUMNS[field].sql})"


def number_sql(field: str, values: Values) -> str:
    """The number at a path, Nullable(Float64). Raises NotACondition."""
    if not field.startswith(DATA):
        raise NotACondition("", f"is {DATA}<path>, where the numbers are")
    return f"toFloat64OrNull({_raw(keys_of(field), values)})"


def held_sql(field: str, values: Values) -> str:
    """The JSON at a path of event_data, a String that is equal where the values are: whole numbers
    exactly, others as 64-bit floating point; empty where it is missing. Raises NotACondition."""
    if not field.startswith(DATA):
        raise NotACondition("", f"is {DATA}<path>")
    raw = _raw(keys_of(field), values)
    number = f"if(match({raw}, '^-?[0-9]+$'), {raw}, toString(toFloat64OrNull({raw}) + 0))"
    return f"if({raw} IN ('', 'null'), '', ifNull({number}, {raw}))"


def keys_of(field: str) -> list[str]:
    r""" "event_data.a.b\.c" has the keys "a" and "b.c". Raises NotACondition."""
    path = field.removeprefix(DATA).replace(r"\.", "\0")
    keys = [key.replace("\0", ".") for key in path.split(".")]
    if not all(keys) or "\0" in field:
        raise NotACondition("field", f"is {DATA} and keys parted by single dots")
    if len(keys) > KEYS_AT_MOST:
        raise NotACondition("field", f"has at most {KEYS_AT_MOST} keys")
    return keys


def _must_fit(condition: Condition) -> None:
    """The value to the op, whatever the field."""
    op, value = condition.op, condition.value
    if op == "exists":
        if value is not UNSET and not isinstance(value, bool):
            raise NotACondition("value", "is true or false, or left out")
    elif value is UNSET:
        raise NotACondition("value", f"is what to compare with; {op} needs one")
    elif op in ("in", "not_in") and not isinstance(value, list):
        raise NotACondition("value", f"is a list; {op} takes several")
    elif op not in ("in", "not_in") and isinstance(value, list):
        raise NotACondition("value", f"is a single one; {op} takes no list")


def _listed(condition: Condition) -> list[Any]:
    return condition.value if isinstance(condition.value, list) else [condition.value]


def _negated(condition: Condition, sql: str) -> str:
    return f"NOT ({sql})" if condition.op in ("ne", "not_in") else f"({sql})"


def _of_event_type(condition: Condition, types_of: TypesOf, values: Values) -> str:
    if condition.op not in EQUAL:
        raise NotACondition("op", f"is one of {', '.join(EQUAL)} for event_type")
    ids: list[str] = []
    for value in _listed(condition):
        found = types_of(value) if isinstance(value, str) else None
        if found is None:
            raise NotACondition("value", f"names no event type of yours: {value}")
        ids += found
    return _negated(condition, f"event_type IN {values.add(ids, 'Array(String)')}")


def _of_column(condition: Condition, column: Column, values: Values) -> str:
    op, value = condition.op, condition.value
    if op not in column.ops:
        raise NotACondition("op", f"is one of {', '.join(column.ops)} for {condition.field}")
    if op == "exists":
        return f"({column.sql} {'=' if value is False else '!='} '')"
    compared = [_fitting(column, each) for each in _listed(condition)]
    if op == "contains":
        text = values.add(compared[0], column.kind)
        return f"({column.sql} != '' AND position({column.sql}, {text}) > 0)"
    if op in ORDER:
        return f"({column.sql} {ORDER[op]} {values.add(compared[0], column.kind)})"
    return _negated(condition, f"{column.sql} IN {values.add(compared, f'Array({column.kind})')}")


def _fitting(column: Column, value: Any) -> str | float:
    if column.kind == "Float64":
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise NotACondition("value", "is a number")
        return float(value)
    if not isinstance(value, str):
        raise NotACondition("value", "is text")
    return value.lower() if column.any_casing else value


def _of_data(condition: Condition, keys: list[str], values: Values) -> str:
    op, value = condition.op, condition.value
    raw = _raw(keys, values)
    if op == "exists":
        return f"({raw} {'' if value is False else 'NOT '}IN ('', 'null'))"
    if op == "contains":
        return _contains(raw, value, values)
    if op in ORDER:
        if isinstance(value, bool):
            raise NotACondition("value", "is a number or text; true and false have no order")
        return _ordered(raw, ORDER[op], value, values)
    return _negated(condition, _among(raw, _listed(condition), values))


def _raw(keys: Sequence[str], values: Values) -> str:
    """The JSON at a path: '"text"', '5', 'true', 'null'; empty where there is nothing."""
    return f"JSONExtractRaw(event_data, {_bound(keys, values)})"


def _bound(keys: Sequence[str], values: Values) -> str:
    return ", ".join(values.add(key, "String") for key in keys)


def _contains(raw: str, value: Any, values: Values) -> str:
    among = f"arrayExists(one -> {_among('one', [value], values)}, JSONExtractArrayRaw({raw}))"
    if not isinstance(value, str):
        return f"({among})"
    inside = f"position(JSONExtractString({raw}), {values.add(value, 'String')}) > 0"
    return f"(startsWith({raw}, '\"') AND {inside} OR {among})"


def _ordered(raw: str, sign: str, value: Any, values: Values) -> str:
    if isinstance(value, str):
        text = values.add(value, "String")
        return f"(startsWith({raw}, '\"') AND JSONExtractString({raw}) {sign} {text})"
    number = values.add(float(value), "Float64")
    return f"ifNull(toFloat64OrNull({raw}) {sign} {number}, 0)"


def _among(raw: str, listed: Sequence[Any], values: Values) -> str:
    """Whether the JSON is one of the values: each kind is compared in its own way."""
    texts = [each for each in listed if isinstance(each, str)]
    truths = ["true" if each else "false" for each in listed if isinstance(each, bool)]
    numbers = [float(each) for each in listed if not isinstance(each, str | bool)]
    ways = []
    if texts:
        text = values.add(texts, "Array(String)")
        ways.append(f"(startsWith({raw}, '\"') AND JSONExtractString({raw}) IN {text})")
    if numbers:
        number = values.add(numbers, "Array(Float64)")
        ways.append(f"ifNull(toFloat64OrNull({raw}) IN {number}, 0)")
    if truths:
        ways.append(f"{raw} IN {values.add(truths, 'Array(String)')}")
    return " OR ".join(ways)
