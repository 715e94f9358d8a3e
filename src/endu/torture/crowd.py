"""What each sender sends, one request after the other, drawn from the seed: never from the clock
and never from an answer.

Everybody in the crowd has at most one account of each kind and two wallets, so that no limit and
no hub of the identity policy is ever reached: who is one person then follows from what was seen
together and from the rules, which `people.py` works out plainly.
"""

import random
from collections.abc import Iterator
from itertools import count
from typing import Any, Literal

from msgspec import Struct

SENDERS = 6
PEOPLE = 60
BEGINS_AT_S = 1_699_920_000  # a midnight, UTC
DAYS = 14
BATCH_AT_MOST = 25
LATE_TYPES = tuple(f"TORTURE_{letter}" for letter in "ABCDEFGHIJKL")
TYPES = (
    "LINK_TRACKING_CLICK",
    "LINK_TRACKING_CLICK",
    "BLOCKCHAIN_ACCOUNT_SIGN_IN",
    "BEGIN_EVENT",
    "BEGIN_EVENT",
    "BEGIN_ENTITY",
)
TEXTS = (
    "plain",
    "",
    'quotes " and \\',
    "Grüße, 世界 🚀",
    "line\nline\ttab",
    "null",
    "'; --",
    "</script>",
)

Kind = Literal["record", "batch", "rule", "undo", "type", "replay"]


class Request(Struct, frozen=True, kw_only=True):
    """`events` as they are sent, less the organization; `body` of what is no recording. It is sent
    `copies` times at once, and where `again`, once more if nobody knows what became of it."""

    kind: Kind
    events: tuple[dict[str, Any], ...] = ()
    body: dict[str, Any] = {}
    copies: int = 1
    again: bool = False
    pause_seconds: float = 0


def requests_of(seed: int, sender: int) -> Iterator[Request]:
    """Without end. Events are numbered in `event_data.n`, no two of one run alike."""
    chance = random.Random(f"requests {seed} {sender}")
    numbers = count(sender, SENDERS)
    rules = count()
    while True:
        draw = chance.random()
        if draw < 0.80:
            yield _record(chance, next(numbers))
        elif draw < 0.92:
            yield _batch(chance, numbers)
        elif draw < 0.96:
            yield _bad(chance, next(numbers))
        elif draw < 0.97:
            yield Request(kind="type", body={"event_type": chance.choice(LATE_TYPES)})
        elif draw < 0.98:
            yield Request(kind="replay", body={"reason": "UNKNOWN_EVENT_TYPE"})
        else:
            yield from _rule(chance, f"rule {sender}-{next(rules)}")


def _record(chance: random.Random, number: int) -> Request:
    event = _event(chance, number)
    named = chance.random() < 0.5
    if named:
        event["message_id"] = f"message {number}"
    return Request(
        kind="record",
        events=(event,),
        copies=chance.choice((1, 1, 2, 3)) if named else 1,
        again=named,
        pause_seconds=chance.uniform(0, 0.01),
    )


def _batch(chance: random.Random, numbers: Iterator[int]) -> Request:
    """Some of its events may be refused; with an id on each, the whole can be sent again."""
    named = chance.random() < 0.5
    events = []
    for _ in range(chance.randint(2, BATCH_AT_MOST)):
        number = next(numbers)
        event = _event(chance, number) if chance.random() < 0.95 else _bad_event(chance, number)
        events.append(event | ({"message_id": f"message {number}"} if named else {}))
    return Request(kind="batch", events=tuple(events), again=named)


def _bad(chance: random.Random, number: int) -> Request:
    return Request(kind="record", events=(_bad_event(chance, number),))


def _bad_event(chance: random.Random, number: int) -> dict[str, Any]:
    """Of a type that may be registered later; or one that can never be recorded."""
    event = _common(chance, number)
    user = {"p_user_id": discord_of(chance.randrange(PEOPLE)), "platform_type": "Discord"}
    draw = chance.random()
    if draw < 0.5:
        return event | user | {"event_type": chance.choice(LATE_TYPES)}
    if draw < 0.75:
        return event  # nobody is named
    return event | user | {"timestamp": "soon"}


def _rule(chance: random.Random, reason: str) -> Iterator[Request]:
    """Made, and one in two taken back at some time. Both names are one person's: a rule that
    links two people's accounts would break a limit."""
    person = chance.randrange(PEOPLE)
    a, b = chance.sample(strong_names_of(person), 2)
    rule = chance.choice(("never-link", "always-link"))
    yield Request(kind="rule", body={"rule": rule, "a": a, "b": b, "reason": reason})
    if chance.random() < 0.5:
        yield Request(kind="undo", body={"reason": reason})


def _event(chance: random.Random, number: int) -> dict[str, Any]:
    """Named in one of the fifteen ways that four kinds of names can be put together."""
    person = chance.randrange(PEOPLE)
    ways = chance.randint(1, 15)
    event = _common(chance, number)
    if ways & 1:
        event |= _platform_user(chance, person)
    if ways & 2:
        chain = chance.choice(("ethereum", "polygon"))
        event["blockchain"] = {"chain_type": chain, "chain_account": wallet_of(chance, person)}
    if ways & 4:
        event["fingerprint"] = chance.choice((f"own-{person}", f"device-{person // 2}"))
    if ways & 8:
        event["c_user_id"] = number_of(person)
    return event


def _platform_user(chance: random.Random, person: int) -> dict[str, Any]:
    key = chance.choice(("platform_type", "property_type"))
    if chance.random() < 0.5:
        return {"p_user_id": discord_of(person), key: chance.choice(("Discord", "discord"))}
    return {"p_user_id": telegram_of(person), key: chance.choice(("Telegram", "TELEGRAM"))}


def _common(chance: random.Random, number: int) -> dict[str, Any]:
    second = BEGINS_AT_S + 60 * chance.randrange(DAYS * 1440)
    return {
        "property_id": f"P#{chance.randrange(3)}",
        "timestamp": chance.choice((second, str(second), f"{second}.250")),
        "event_type": chance.choice(TYPES),
        "event_data": {
            "n": number,
            "text": chance.choice(TEXTS),
            "price": chance.randrange(10_000) / 100,
            "deep": {"list": [chance.randrange(1 << 53), None, True], "empty": {}},
        },
    }


def strong_names_of(person: int) -> list[str]:
    """As rules and answers write them."""
    return [
        f"discord:{discord_of(person)}",
        f"telegram:{telegram_of(person)}",
        f"c_user_id:{number_of(person)}",
        *(f"wallet:eip155:{address}" for address in wallets_of(person)),
    ]


def discord_of(person: int) -> str:
    return str(700_000_000_000_000_000 + person)


def telegram_of(person: int) -> str:
    return str(5_000_000_000 + person)


def number_of(person: int) -> str:
    """Above any number that Endu itself gives out."""
    return str(10**19 + person)


def wallets_of(person: int) -> tuple[str, str]:
    return f"0x{'ab' * 18}{2 * person:04x}", f"0x{'ab' * 18}{2 * person + 1:04x}"


def wallet_of(chance: random.Random, person: int) -> str:
    return chance.choice(wallets_of(person))
