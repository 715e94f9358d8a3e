"""Reading JSON that anyone may have written: exactly, forgivingly where harmless, and never hurt.

A number is kept as its text: nothing is rounded. What readers would disagree on is not kept at
all: an object with one key twice, a number beyond the range of a double, half a surrogate
pair. Everything here takes time linear in the text.
"""

import json
import math
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, NoReturn

import msgspec
from msgspec import Raw

from endu.refusals import Problem, Reason, Refusal

# Of event_data, and of keys that Endu does not know (contract.md, "Sizes").
LEVELS = 8
KEYS = 500
KEY_LENGTH = 200

FAULTS_AT_MOST = 50

_BYTE_ORDER_MARK = "\ufeff"

LONGEST_INTEGER = 310  # characters, with its sign; longer ones are beyond the range of a double
BEYOND = 2**1024 - 2**970  # the least integer that becomes infinite when it becomes a double

encode = msgspec.json.Encoder(order="deterministic").encode  # equal data has equal bytes

# Possessive, so that nothing is read twice.
_NOT_STRICT = re.compile(
    rb"""
      "(?:[^"\\]++|\\.)*+(?:"|\Z)                        # a string, left alone; it may never end
    | [{\[](?:[ \t\r\n]++|//[^\r\n]*+)*+,               # a comma behind nothing: a fault
    | (//[^\r\n]*+)                                     # a comment
    | (,)(?=(?:[ \t\r\n]++|//[^\r\n]*+)*+[}\]])         # a comma before nothing
    """,
    re.DOTALL | re.VERBOSE,
)
_CONSTANT = re.compile(r'"(?:[^"\\]++|\\.)*+"|(-?Infinity|NaN)', re.DOTALL)
_HALF_A_PAIR = re.compile(
    r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


class TooGreat:
    """Stands where a number beyond the range of a double stood."""


class Doubled(dict[str, Any]):
    """Stands where an object had a key more than once; `twice` is one such key."""

    twice: str = ""


def exact(text: str) -> Raw:
    """A number with a fraction or an exponent, as it was written: msgspec's float_hook."""
    if math.isinf(float(text)):
        raise ValueError("beyond the range of a double")
    return Raw(text.encode())


def without_comments(body: bytes) -> bytes:
    """The text with spaces for `//` comments and trailing commas: all else keeps its place."""
    return _NOT_STRICT.sub(_blank, body)


def read_any(body: bytes) -> Any:
    """The JSON value, strictly read: integers as int, other numbers as they were written.

    What may not be kept (TooGreat, Doubled) stands marked in its place for `faults_in`. Raises
    Refusal: MALFORMED_JSON with line and column of the first fault; INVALID_EVENT where it is
    nested too deeply to be read.
    """
    try:
        text = body.decode()
        if text.startswith(_BYTE_ORDER_MARK):
            _malformed(text, 0, "a byte order mark is not JSON; send plain UTF-8")
        value = _strictly.decode(text)
    except UnicodeDecodeError as fault:
        _malformed(body[: fault.start].decode(), fault.start, "this is not UTF-8")
    except json.JSONDecodeError as fault:
        _malformed(text, fault.pos, fault.msg.removesuffix(" at").removesuffix(" starting"))
    except _NotJson as fault:
        _malformed(text, _first_group(_CONSTANT, text), f"{fault} is not JSON")
    except RecursionError:
        deep = Problem("", f"is nested more than {LEVELS} levels deep")
        raise Refusal(Reason.INVALID_EVENT, problems=[deep]) from None
    if "\\u" in text and (half := _first_group(_HALF_A_PAIR, text)) >= 0:
        _malformed(text, half, "half a surrogate pair is not a character")
    return value


def is_keepable(value: dict[str, Any]) -> bool:
    """Whether `faults_in` would find nothing, at a fraction of its cost."""
    try:
        return _keys_in(value, LEVELS) <= KEYS
    except _NotKeepable:
        return False


def faults_in(value: Any, path: str) -> Iterator[Problem]:
    """What keeps a value from being kept, each with its path: too deep, too many keys, keys
    and numbers that readers would disagree on. No more than anyone would read."""
    return islice(_faults(value, path), FAULTS_AT_MOST)


class _NotJson(Exception):
    pass


class _NotKeepable(Exception):
    pass


def _blank(found: re.Match[bytes]) -> bytes:
    return found[0] if found.lastindex is None else b" " * len(found[0])


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    doubled, seen = Doubled(value), set[str]()
    for key, _ in pairs:
        if key in seen:
            doubled.twice = key
        seen.add(key)
    return doubled


def _integer(text: str) -> Any:
    if len(text) > LONGEST_INTEGER:
        return TooGreat()
    return Raw(b"-0") if text == "-0" else int(text)


def _fraction(text: str) -> Any:
    return TooGreat() if math.isinf(float(text)) else Raw(text.encode())


def _constant(text: str) -> NoReturn:
    raise _NotJson(text)


_strictly = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_float=_fraction,
    parse_int=_integer,
    parse_constant=_constant,
)


def _malformed(text: str, position: int, message: str) -> NoReturn:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    raise Refusal(Reason.MALFORMED_JSON, f"Line {line}, column {column}: {message}.") from None


def _first_group(pattern: re.Pattern[str], text: str) -> int:
    """Where the pattern first matches by its group, not by what it skips; -1 without any."""
    return next((found.start(1) for found in pattern.finditer(text) if found[1]), -1)


def _keys_in(value: Any, levels: int) -> int:
    if levels == 0 or type(value) is Doubled:
        raise _NotKeepable
    keys = 0
    if type(value) is dict:
        keys = len(value)
        for key in value:
            if len(key) > KEY_LENGTH:
                raise _NotKeepable
        value = value.values()
    for item in value:
        kind = type(item)
        if kind is dict or kind is list or kind is Doubled:
            keys += _keys_in(item, levels - 1)
        elif kind is TooGreat or (kind is int and not -BEYOND < item < BEYOND):
            raise _NotKeepable
    return keys


def _faults(value: Any, path: str) -> Iterator[Problem]:
    keys = 0
    for where, level, found in _walk(value, path):
        if level > LEVELS:
            yield Problem(where, f"is nested more than {LEVELS} levels deep")
            return
        if _is_too_great(found):
            yield Problem(where, "is a number beyond the range of a double; send it as a string")
        elif isinstance(found, dict):
            keys += len(found)
            yield from _faults_of_keys(found, where)
    if keys > KEYS:
        yield Problem(path, f"has at most {KEYS} keys in all; this has {keys}")


def _is_too_great(found: Any) -> bool:
    return isinstance(found, TooGreat) or (type(found) is int and abs(found) >= BEYOND)


def _walk(value: Any, path: str) -> Iterator[tuple[str, int, Any]]:
    """Every value inside with its path and how many levels it opens, outer ones first."""
    waiting = [(path, 0, value)]
    while waiting:
        where, above, found = waiting.pop()
        if isinstance(found, dict):
            dot = f"{where}." if where else ""
            inside = [(dot + key[:KEY_LENGTH], item) for key, item in found.items()]
        elif isinstance(found, list):
            inside = [(f"{where}[{index}]", item) for index, item in enumerate(found)]
        else:
            yield where, above, found
            continue
        yield where, above + 1, found
        waiting += [(at, above + 1, item) for at, item in reversed(inside)]


def _faults_of_keys(found: dict[str, Any], where: str) -> Iterator[Problem]:
    if isinstance(found, Doubled):
        yield Problem(where, f'has the key "{found.twice[:KEY_LENGTH]}" more than once')
    if any(len(key) > KEY_LENGTH for key in found):
        yield Problem(where, f"has a key of more than {KEY_LENGTH} characters")
