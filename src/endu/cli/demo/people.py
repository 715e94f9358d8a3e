"""The people of the demonstration: what each goes by, and what each is going to do. Pure."""

import random
from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct

from endu.cli.demo.plan import Plan
from endu.ids import ALPHABET

# 43 letters from the upper half of base 58 on are always the 32 bytes of a Solana address.
SOLANA_LENGTH = 43
UPPER_HALF = len(ALPHABET) // 2
ON_SOLANA = 0.3
EVM_CHAINS = ("ethereum", "polygon", "base")


class Wallet(Struct, frozen=True):
    chain_type: str
    chain_account: str


class Member(Struct, frozen=True, kw_only=True):
    """What somebody does in the community. One of the two accounts is always there.

    `number` is on the membership card, `active_weeks` are counted from the week of joining.
    """

    discord: str | None
    telegram: str | None
    number: str
    active_weeks: tuple[int, ...]
    solved: bool
    upgraded: bool


class Person(Struct, frozen=True, kw_only=True):
    """`week` is the one, from 0, in which they come. Without a wallet they never signed in."""

    fingerprint: str
    week: int
    wallet: Wallet | None = None
    bought: Literal["", "in time", "late"] = ""
    member: Member | None = None


def people_of(plan: Plan) -> list[Person]:
    """The last one is a visitor who never signs in."""
    chance = random.Random(plan.seed)
    signed_in = range(plan.signed_in)
    buyers = chance.sample(signed_in, plan.bought + plan.bought_late)
    in_time, late = set(buyers[: plan.bought]), set(buyers[plan.bought :])
    places = chance.sample(signed_in, plan.members)
    members = dict(zip(places, _members(plan, chance), strict=True))
    weeks = {place: number % plan.cohorts for number, place in enumerate(places)}
    return [
        Person(
            fingerprint=f"{chance.getrandbits(80):020x}",
            week=weeks.get(place, chance.randrange(plan.visitors_of_weeks)),
            wallet=_wallet(chance) if place in signed_in else None,
            bought="in time" if place in in_time else "late" if place in late else "",
            member=members.get(place),
        )
        for place in range(plan.visitors)
    ]


def _members(plan: Plan, chance: random.Random) -> Iterator[Member]:
    """Member n joins in week n modulo the number of cohorts. What they do is drawn on its own for
    each trait, so that none has to do with another but by the plan."""
    solved = set(chance.sample(range(plan.members), plan.solved))
    others = [number for number in range(plan.members) if number not in solved]
    upgraded = {
        *chance.sample(sorted(solved), plan.upgraded_with),
        *chance.sample(others, plan.upgraded_without),
    }
    elsewhere = chance.sample(range(plan.members), plan.on_both + plan.on_telegram)
    on_telegram, no_discord = set(elsewhere), set(elsewhere[plan.on_both :])
    weeks = _active_weeks(plan, chance)
    for number in range(plan.members):
        yield Member(
            discord=None if number in no_discord else _account(chance, 18),
            telegram=_account(chance, 10) if number in on_telegram else None,
            number=f"{plan.seed}{number + 1:08}",
            active_weeks=tuple(weeks[number]),
            solved=number in solved,
            upgraded=number in upgraded,
        )


def _active_weeks(plan: Plan, chance: random.Random) -> Sequence[list[int]]:
    weeks: list[list[int]] = [[] for _ in range(plan.members)]
    for cohort in range(plan.cohorts):
        everyone = range(cohort, plan.members, plan.cohorts)
        for week, returned in enumerate(plan.returned):
            for number in chance.sample(everyone, returned):
                weeks[number].append(week)
    return weeks


def _account(chance: random.Random, digits: int) -> str:
    return str(chance.randrange(10 ** (digits - 1), 10**digits))


def _wallet(chance: random.Random) -> Wallet:
    if chance.random() < ON_SOLANA:
        rest = chance.choices(ALPHABET, k=SOLANA_LENGTH - 1)
        first = chance.choice(sorted(ALPHABET)[UPPER_HALF:])
        return Wallet("solana", first + "".join(rest))
    return Wallet(chance.choice(EVM_CHAINS), f"0x{chance.getrandbits(160):040x}")
