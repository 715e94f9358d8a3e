"""From one row of a table to one event in the form of seed 000. Pure, and compiled once."""

from collections.abc import Callable, Sequence
from collections.abc import Mapping as Places
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from endu.cli.importing.mapping import Column, Mapping, Text, Time, Value, columns_of
from endu.cli.stop import USAGE, Stop

Row: TypeAlias = Sequence[str]
Event: TypeAlias = dict[str, Any]
ReadText: TypeAlias = Callable[[Row], str]

# strptime takes 6 µs; tables by the day or the minute say the same text again and again.
TIMES_REMEMBERED = 65_536

TRUE = frozenset({"true", "t", "yes", "y", "1"})
FALSE = frozenset({"false", "f", "no", "n", "0"})


class BadRow(Exception):
    """A row that cannot become an event; the text says why."""


def event_maker(mapping: Mapping, columns: Sequence[str]) -> Callable[[Row], Event]:
    """A function from a row to its event, without organization_id and message_id.

    The function raises BadRow; making it raises Stop where the mapping names missing columns.
    """
    missing = sorted(columns_of(mapping) - set(columns))
    if missing:
        raise Stop(
            f"The file has no column {', '.join(missing)}; it has {', '.join(columns)}.", USAGE
        )
    places = {name: place for place, name in enumerate(columns)}
    said = mapping.event
    texts = [
        (name, _text(form, places))
        for name in ("property_id", "event_type", "c_user_id", "p_user_id", "platform_type",
                     "fingerprint")
        if (form := getattr(said, name)) is not None
    ]  # fmt: skip
    time = _time(said.timestamp, places)
    wallet = _wallet(said.chain_type, said.chain_account, places)
    values = [(name, _value(form, places)) for name, form in mapping.event_data.items()]

    def event_of(row: Row) -> Event:
        if len(row) != len(columns):
            raise BadRow(f"It has {len(row)} columns; the file has {len(columns)}.")
        event: Event = {name: text for name, read in texts if (text := read(row))}
        event["timestamp"] = time(row)
        if wallet is not None and (account := wallet(row)) is not None:
            event["blockchain"] = account
        event["event_data"] = {
            name: value for name, read in values if (value := read(row)) is not None
        }
        return event

    return event_of


def _text(form: Text, places: Places[str, int]) -> ReadText:
    if isinstance(form, str):
        return lambda row: form
    place, change = places[form.column], _change(form)
    return lambda row: change(row[place])


def _change(form: Column) -> Callable[[str], str]:
    """Names are few and people many: what was made of a text is remembered."""
    cases: dict[str, Callable[[str], str]] = {"upper": str.upper, "lower": str.lower, "keep": str}

    @lru_cache(TIMES_REMEMBERED)
    def change(text: str) -> str:
        if form.take == "digits":
            text = "".join(filter(str.isdecimal, text))
        text = cases[form.case](form.values.get(text, text))
        return form.prefix + text if text else ""

    return change


def _wallet(
    chain_type: Text | None, chain_account: Text | None, places: Places[str, int]
) -> Callable[[Row], dict[str, str] | None] | None:
    if chain_type is None or chain_account is None:
        return None
    chain, account = _text(chain_type, places), _text(chain_account, places)

    def wallet(row: Row) -> dict[str, str] | None:
        named = account(row)
        return {"chain_type": chain(row), "chain_account": named} if named else None

    return wallet


def _time(form: Time, places: Places[str, int]) -> Callable[[Row], float]:
    place, seconds = places[form.column], _seconds(form)

    def read(row: Row) -> float:
        try:
            return seconds(row[place])
        except (ValueError, OverflowError) as mistake:
            raise BadRow(f"{form.column} is {row[place]!r}, not a time: {mistake}.") from mistake

    return read


def _seconds(form: Time) -> Callable[[str], float]:
    if form.format == "unix":
        return lambda text: _whole_where_it_can_be(float(text))
    if form.format == "unix_ms":
        return lambda text: _whole_where_it_can_be(int(text) / 1000)
    zone = _zone(form.timezone)

    @lru_cache(TIMES_REMEMBERED)
    def seconds(text: str) -> float:
        if form.format == "iso":
            moment = datetime.fromisoformat(text)
        else:
            moment = datetime.strptime(text, form.format)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        return _whole_where_it_can_be(moment.timestamp())

    return seconds


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as mistake:
        raise Stop(
            f"The timezone {name} is not known; say one like Europe/Paris.", USAGE
        ) from mistake


def _whole_where_it_can_be(seconds: float) -> float:
    return int(seconds) if seconds.is_integer() else round(seconds, 3)


def _value(form: Value, places: Places[str, int]) -> Callable[[Row], Any]:
    place, convert = places[form.column], _CONVERT[form.type]

    def read(row: Row) -> Any:
        text = row[place]
        if not text:
            return None
        try:
            return convert(text)
        except ValueError as mistake:
            raise BadRow(f"{form.column} is {text!r}, not of type {form.type}.") from mistake

    return read


def _number(text: str) -> float:
    number = float(text)
    if number - number != 0:  # inf and nan are no JSON
        raise ValueError(text)
    return number


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word not in TRUE | FALSE:
        raise ValueError(text)
    return word in TRUE


_CONVERT: dict[str, Callable[[str], Any]] = {
    "string": str,
    "number": _number,
    "integer": int,
    "boolean": _boolean,
}
