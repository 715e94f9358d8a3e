"""When an event happened: the seeds' "Unix Time, in Seconds", as text or as a number."""

import math
import re

from msgspec import Raw

AHEAD_AT_MOST_MS = 60 * 60 * 1000  # clocks that are an hour fast exist; a day fast is a fault

SECONDS_LENGTH = 20  # digits: more than any unit of any date has
_SECONDS = re.compile(rf"([0-9]{{1,{SECONDS_LENGTH}}})(?:\.([0-9]+))?")

# As seconds these are in the years 5138, 3 million and 3 billion.
_MISTAKEN_FOR_SECONDS = (
    (10**17, "nanoseconds"),
    (10**14, "microseconds"),
    (10**11, "milliseconds"),
)
_BEYOND_ANY_DATE = 1e30  # floats up to here can be multiplied and made integers


def milliseconds_of(timestamp: object, received_at_ms: int) -> int:
    """Fractions are cut after the millisecond. Raises ValueError: its text says what is wrong."""
    ms = _milliseconds(timestamp)
    if ms <= 0:
        raise ValueError("is after 1 January 1970, in Unix seconds")
    if ms > received_at_ms + AHEAD_AT_MOST_MS:
        raise ValueError(_ahead(ms // 1000))
    return ms


def _milliseconds(timestamp: object) -> int:
    if type(timestamp) is int:
        return timestamp * 1000
    if type(timestamp) is Raw:
        return _of_number(bytes(timestamp).decode())
    if type(timestamp) is not str:
        raise ValueError("is a decimal string or a number: Unix seconds")
    if len(timestamp) <= SECONDS_LENGTH and timestamp.isascii() and timestamp.isdigit():
        return int(timestamp) * 1000
    found = _SECONDS.fullmatch(timestamp.strip())
    if found is None:
        raise ValueError('is Unix seconds in decimal digits, such as "1672536219"')
    return _joined(found)


def _of_number(text: str) -> int:
    """A JSON number with a fraction, which is taken exactly, or an exponent."""
    found = _SECONDS.fullmatch(text)
    if found is not None:
        return _joined(found)
    seconds = max(min(float(text), _BEYOND_ANY_DATE), -1.0)
    return math.floor(seconds * 1000)


def _joined(found: re.Match[str]) -> int:
    fraction = found[2]
    ms = int(found[1]) * 1000
    return ms if fraction is None else ms + int(fraction[:3].ljust(3, "0"))


def _ahead(seconds: int) -> str:
    for least, unit in _MISTAKEN_FOR_SECONDS:
        if seconds >= least:
            return f"is in seconds; this looks like {unit}"
    return "is more than 1 hour ahead of the time it was received"
