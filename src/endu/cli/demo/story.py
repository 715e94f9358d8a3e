"""From the people of the demonstration to their events, in the form of seed 000. Pure.

Nobody is named twice in the same way: a browser is tied to a wallet where its owner signs in, the
wallet to a Discord or Telegram account where they join, the account to a member's number where a
card is issued. Only who follows all of it counts people.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from endu.cli.demo.people import Member, Person, Wallet, people_of
from endu.cli.demo.plan import (
    BOUGHT,
    CLICKED,
    ISSUED,
    JOINED,
    LINKED,
    SIGNED_IN,
    SOLVED,
    UPGRADED,
    VIEWED,
    WEEK_SECONDS,
    WROTE,
    Plan,
)

Event: TypeAlias = dict[str, Any]
Names: TypeAlias = dict[str, Any]  # the keys of an event that name a person

MINUTE, HOUR, DAY = 60, 3_600, 86_400

SITE, SERVER, CHAT, DESK = "W#demo.example", "D#demo", "T#demo", "B#demo"
CAMPAIGNS = ("newsletter", "creator", "search", "friend")
PATHS = ("/", "/items", "/about", "/community", "/faq")
TIERS = ("bronze", "silver", "gold")
QUESTS = ("first-steps", "lost-key", "night-watch")


def events_of(plan: Plan, organization_id: str) -> list[Event]:
    """By time, but for the last one: the only event of the last visitor, so that whoever finds
    that visitor finds everything."""
    people = people_of(plan)
    chance = random.Random(plan.seed)
    events = [event for person in people[:-1] for event in _journey(person, plan, chance)]
    closing = _event(CLICKED, plan.begins_at_s + DAY, SITE, _browser(people[-1]), campaign="friend")
    events += _chatter(people, plan, chance, plan.events - len(events) - 1)
    events.sort(key=lambda event: int(event["timestamp"]))
    events.append(closing)
    for number, event in enumerate(events, 1):
        event["organization_id"] = organization_id
        event["message_id"] = f"demo:{plan.seed}:{number}"
    return events


def _journey(person: Person, plan: Plan, chance: random.Random) -> Iterator[Event]:
    """All but the later messages. Each span is so short that whoever comes in a week has joined
    and written in that week, and whoever buys in time has bought within two weeks."""
    came_at = _monday(person, plan) + chance.randrange(2 * DAY)
    campaign = chance.choice(CAMPAIGNS)
    yield _event(CLICKED, came_at, SITE, _browser(person), campaign=campaign)
    for _ in range(chance.randint(1, 3)):
        at = came_at + chance.randrange(1, HOUR)
        yield _event(VIEWED, at, SITE, _browser(person), path=chance.choice(PATHS))
    if person.wallet is None:
        return
    signed_in_at = came_at + chance.randrange(10 * MINUTE, DAY)
    wallet = _names_of(person.wallet)
    yield _event(SIGNED_IN, signed_in_at, SITE, wallet | _browser(person))
    if person.bought:
        days = (16, 20) if person.bought == "late" else (4, 9)
        bought_at = came_at + chance.randrange(days[0] * DAY, days[1] * DAY)
        yield _purchase(person, wallet, bought_at, chance)
    if person.member is not None:
        joined_at = signed_in_at + chance.randrange(HOUR, DAY)
        yield from _membership(person.member, wallet, joined_at, chance)


def _purchase(person: Person, wallet: Names, at: int, chance: random.Random) -> Event:
    """Members buy in the community, and name no wallet."""
    names, where = (wallet, SITE) if person.member is None else _at_home(person.member)
    item = chance.randrange(1_000)
    return _event(BOUGHT, at, where, names, item_id=f"{8258720000 + item}", price=5 + item % 45)


def _membership(
    member: Member, wallet: Names, joined_at: int, chance: random.Random
) -> Iterator[Event]:
    names, where = _at_home(member)
    tier = chance.choice(TIERS)
    yield _event(JOINED, joined_at, where, names | wallet, tier=tier)
    if member.discord and member.telegram:
        telegram = _platform("Telegram", member.telegram)
        yield _event(LINKED, joined_at + chance.randrange(DAY), CHAT, telegram | wallet)
    card = {"c_user_id": member.number}
    yield _event(ISSUED, joined_at + 10 * MINUTE, DESK, names | card, desk="members")
    if member.solved:
        solved_at = joined_at + chance.randrange(DAY, 3 * DAY)
        yield _event(SOLVED, solved_at, where, names, quest=chance.choice(QUESTS))
    if member.upgraded:
        upgraded_at = joined_at + chance.randrange(5 * DAY, 10 * DAY)
        yield _event(UPGRADED, upgraded_at, DESK, card, level="plus")
    if 0 in member.active_weeks:
        yield _message(member, joined_at + chance.randrange(HOUR, 2 * DAY), chance)


def _chatter(
    people: Sequence[Person], plan: Plan, chance: random.Random, count: int
) -> Iterator[Event]:
    """So many messages: at least one for each week in which a member comes back, and none in
    any other."""
    weeks = [
        (person.member, _monday(person, plan) + week * WEEK_SECONDS)
        for person in people
        if person.member is not None
        for week in person.member.active_weeks
        if week > 0
    ]
    for member, monday in [*weeks, *chance.choices(weeks, k=count - len(weeks))]:
        yield _message(member, monday + chance.randrange(WEEK_SECONDS), chance)


def _message(member: Member, at: int, chance: random.Random) -> Event:
    names, where = _at_home(member)
    if member.discord and member.telegram and chance.random() < 0.5:
        names, where = _platform("Telegram", member.telegram), CHAT
    return _event(WROTE, at, where, names, length=chance.randint(1, 400))


def _event(event_type: str, at: int, property_id: str, names: Names, **data: Any) -> Event:
    return {
        "property_id": property_id,
        "timestamp": str(at),
        "event_type": event_type,
        "event_data": data,
        **names,
    }


def _monday(person: Person, plan: Plan) -> int:
    return plan.begins_at_s + person.week * WEEK_SECONDS


def _browser(person: Person) -> Names:
    return {"fingerprint": person.fingerprint}


def _names_of(wallet: Wallet) -> Names:
    account = {"chain_type": wallet.chain_type, "chain_account": wallet.chain_account}
    return {"blockchain": account}


def _at_home(member: Member) -> tuple[Names, str]:
    """The account with which a member is first of all known, and where."""
    if member.discord is not None:
        return _platform("Discord", member.discord), SERVER
    return _platform("Telegram", member.telegram), CHAT


def _platform(platform_type: str, p_user_id: str | None) -> Names:
    return {"p_user_id": p_user_id, "platform_type": platform_type}
