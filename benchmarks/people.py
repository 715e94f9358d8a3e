"""A crowd to measure with: made-up people, what they go by, and what they do.

Seeded, so that every run and every process sees the same people and the same events.
"""

import random
import time
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from endu.ids import ALPHABET

PEOPLE = 50_000
SEED = 20_260_101
EVENT_TYPE = "ITEM_PURCHASED"
DAY_SECONDS = 86_400

# What an event names, and how many of a hundred do: a bot knows accounts, a page knows
# browsers, a sign-in knows two of them.
MIXES = (
    (("discord",), 40),
    (("discord", "wallet"), 15),
    (("wallet",), 10),
    (("fingerprint",), 20),
    (("discord", "fingerprint"), 10),
    (("wallet", "fingerprint"), 5),
)


class Person(Struct, frozen=True):
    discord: str
    chain_type: str
    account: str
    fingerprint: str


def crowd(count: int = PEOPLE, seed: int = SEED) -> list[Person]:
    chance = random.Random(seed)
    return [_person(chance) for _ in range(count)]


def happenings(
    people: Sequence[Person], count: int, seed: int
) -> Iterator[tuple[Person, tuple[str, ...], int]]:
    """Who did something, what of them the event names, and which item it was about. A few do
    much and most do little, as anywhere."""
    chance = random.Random(seed)
    mixes = chance.choices(*zip(*MIXES, strict=True), k=count)
    for named in mixes:
        person = people[int(len(people) * chance.random() ** 2)]
        yield person, named, chance.randrange(10_000)


def bodies(
    people: Sequence[Person], count: int, seed: int, organization_id: str, property_id: str
) -> Iterator[bytes]:
    """Events in the form of seed 000, spread over the last day."""
    now_s = int(time.time())
    for place, (person, named, item) in enumerate(happenings(people, count, seed)):
        event = {
            "property_id": property_id,
            "organization_id": organization_id,
            "timestamp": str(now_s - DAY_SECONDS + DAY_SECONDS * place // count),
            "event_type": EVENT_TYPE,
            "event_data": {"item_id": f"{8258720000 + item}", "price": item % 97},
        }
        yield msgspec.json.encode(event | names(person, named))


def names(person: Person, named: Sequence[str]) -> dict[str, Any]:
    """The keys of seed 000 that name a person."""
    keys: dict[str, Any] = {}
    if "discord" in named:
        keys |= {"p_user_id": person.discord, "platform_type": "Discord"}
    if "wallet" in named:
        keys["blockchain"] = {"chain_type": person.chain_type, "chain_account": person.account}
    if "fingerprint" in named:
        keys["fingerprint"] = person.fingerprint
    return keys


def identifiers(person: Person, named: Sequence[str]) -> tuple[str, ...]:
    """The same as the log has them: normalised, strongest first."""
    chain = "solana" if person.chain_type == "solana" else "eip155"
    texts = {
        "discord": f"discord:{person.discord}",
        "wallet": f"wallet:{chain}:{person.account}",
        "fingerprint": f"fingerprint:{person.fingerprint}",
    }
    return tuple(texts[kind] for kind in named)


def _person(chance: random.Random) -> Person:
    on_solana = chance.random() < 0.3
    account = _base58(chance, 32) if on_solana else f"0x{chance.getrandbits(160):040x}"
    return Person(
        discord=str(chance.randrange(10**17, 10**18)),
        chain_type="solana" if on_solana else chance.choice(["ethereum", "polygon"]),
        account=account,
        fingerprint="".join(chance.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=20)),
    )


def _base58(chance: random.Random, size: int) -> str:
    # Bitcoin's alphabet, as Solana's, has the capitals first; the letters are the same.
    alphabet = "".join(sorted(ALPHABET))
    number = chance.getrandbits(8 * size) | 1 << (8 * size - 1)
    text = ""
    while number:
        number, digit = divmod(number, 58)
        text = alphabet[digit] + text
    return text
