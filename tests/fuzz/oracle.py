"""What a body says, by Python's own JSON and the contract's words: nothing of Endu is used here."""

import json
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

KNOWN = frozenset(
    [
        *("property_id", "organization_id", "timestamp", "event_type", "event_data", "api_key"),
        *("p_user_id", "platform_type", "property_type", "c_user_id", "blockchain"),
        *("fingerprint", "message_id"),
    ]
)
CHAIN = frozenset(["chain_type", "chain_account"])
LEVELS, KEYS, KEY_LENGTH = 8, 500, 200

_STRING = "\U0010fffe"  # stands for a string while commas are looked at
_PARTS = re.compile(r'"(?:[^"\\]|\\.)*"?|//[^\r\n]*|[^"/]+|/', re.DOTALL)
_LAST_COMMA = re.compile(r"([^ \t\r\n])([ \t\r\n]*),(?=[ \t\r\n]*[\]}])")


@dataclass(frozen=True)
class Number:
    """As it was written."""

    text: str


@dataclass
class Truth:
    """`fields` of the object that was sent; `doubled` where any object has a key twice."""

    fields: dict[str, Any]
    doubled: bool

    @property
    def data(self) -> Any:
        return self.fields.get("event_data") or {}

    @property
    def unknown(self) -> dict[str, Any]:
        found = {name: value for name, value in self.fields.items() if name not in KNOWN}
        chain = self.fields.get("blockchain")
        if isinstance(chain, dict) and chain.keys() - CHAIN:
            found["blockchain"] = {n: value for n, value in chain.items() if n not in CHAIN}
        return found

    @property
    def keepable(self) -> bool:
        return not self.doubled and is_keepable(self.data) and is_keepable(self.unknown)


class NotJson(Exception):
    pass


def truth_of(body: bytes) -> Truth | None:
    """None where it is no JSON object, comments and last commas forgiven, or is nested deeper
    than Python reads."""
    for forgiven in (bytes, _forgiven):
        try:
            return _read(forgiven(body).decode())
        except (NotJson, ValueError):
            continue
        except RecursionError:
            return None
    return None


def values(text: bytes) -> Any:
    """What is kept, with numbers as they are written."""
    return json.loads(text, parse_int=Number, parse_float=Number)


def milliseconds(timestamp: Any) -> int:
    """Of a timestamp that is right: cut after the millisecond."""
    text = timestamp.text if isinstance(timestamp, Number) else timestamp.strip()
    return math.floor(Decimal(text) * 1000)


def is_keepable(value: Any) -> bool:
    keys, waiting = 0, [(0, value)]
    while waiting:
        above, found = waiting.pop()
        if isinstance(found, Number):
            if math.isinf(float(found.text)):
                return False
        elif isinstance(found, dict | list):
            inside = found.values() if isinstance(found, dict) else found
            keys += len(found) * isinstance(found, dict)
            names = found if isinstance(found, dict) else ()
            if above == LEVELS or any(len(name) > KEY_LENGTH for name in names):
                return False
            waiting += [(above + 1, item) for item in inside]
    return keys <= KEYS


def _read(text: str) -> Truth:
    doubled = False

    def an_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal doubled
        made = dict(pairs)
        doubled = doubled or len(made) < len(pairs)
        return made

    value = json.loads(
        text,
        object_pairs_hook=an_object,
        parse_int=Number,
        parse_float=Number,
        parse_constant=_no_constant,
    )
    if not isinstance(value, dict):
        raise NotJson
    if "\\u" in text:
        json.dumps(value, ensure_ascii=False, default=str).encode()  # half a pair cannot be
    return Truth(value, doubled)


def _no_constant(name: str) -> None:
    raise NotJson(name)


def _forgiven(body: bytes) -> bytes:
    """Letter by letter a byte: what a comment says need not be text."""
    parts = [p for p in _PARTS.findall(body.decode("latin-1")) if not p.startswith("//")]
    strings = iter([part for part in parts if part.startswith('"')])
    skeleton = "".join(_STRING if part.startswith('"') else part for part in parts)
    strict = _LAST_COMMA.sub(_without_comma, skeleton)
    whole = "".join(next(strings) if letter == _STRING else letter for letter in strict)
    return whole.encode("latin-1")


def _without_comma(found: re.Match[str]) -> str:
    return found[0] if found[1] in ",[{" else found[1] + found[2]
