"""Who is who, worked out plainly from what was stored and from the rules that hold.

The identity policy of docs/concepts.md, for the crowd of `crowd.py`, which reaches none of its
limits: links in the order of proof, claim and names, unless a never-link rule stands in the way;
events of devices by the half hours around those that name somebody.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import TypeAlias

from msgspec import Struct

from endu.torture.answers import RuleMade, Stored

Person: TypeAlias = frozenset[str]  # identifiers that are one person; a device alone

NOBODY: Person = frozenset()
CLAIM_BEFORE_MS = 7 * 86_400_000  # a claim is at most so much older than its arrival
VISIT_SECONDS = 1800
BURNED_ABOVE = 10
STRONGEST_FIRST = ("c_user_id", "discord", "telegram", "wallet")


class Link(Struct, frozen=True):
    """Two identifiers that something says are one person."""

    pair: tuple[str, str]
    proof: int
    claimed_at_ms: int


def whose(events: Sequence[Stored], rules: Sequence[RuleMade]) -> dict[int, Person]:
    """By the place of each event, whose it is."""
    in_force = [rule for rule in rules if not rule.taken_back]
    people = _people(events, in_force)
    visits = _visits(events, people)
    return {event.place: _owner(event, people, visits) for event in events}


def _people(events: Sequence[Stored], rules: Sequence[RuleMade]) -> dict[str, Person]:
    """By identifier, without devices."""
    never = [set(rule.identifiers) for rule in rules if rule.rule == "never-link"]
    names = {name for event in events for name in _strong(event)}
    names |= {name for rule in rules if rule.rule == "always-link" for name in rule.identifiers}
    people: dict[str, Person] = {name: frozenset({name}) for name in names}
    for link in sorted(_links(events, rules), key=_place_in_walk):
        left, right = (people[name] for name in link.pair)
        joined = left | right
        if left != right and not any(pair <= joined for pair in never):
            people |= dict.fromkeys(joined, joined)
    return people


def _links(events: Iterable[Stored], rules: Iterable[RuleMade]) -> list[Link]:
    """The best for each pair: the best proof, and with that the earliest claim."""
    best: dict[tuple[str, str], Link] = {}
    claims = [
        Link(_pair(*rule.identifiers), 4, rule.made_at_ms)
        for rule in rules
        if rule.rule == "always-link"
    ]
    for event in events:
        strong = _strong(event)
        proof = 3 if _kind(strong[0] if strong else "") == "c_user_id" else 2
        claimed = max(event.happened_at_ms, event.received_at_ms - CLAIM_BEFORE_MS)
        claims += [Link(_pair(*pair), proof, claimed) for pair in combinations(strong, 2)]
    for link in claims:
        known = best.setdefault(link.pair, link)
        if (-link.proof, link.claimed_at_ms) < (-known.proof, known.claimed_at_ms):
            best[link.pair] = link
    return list(best.values())


def _place_in_walk(link: Link) -> tuple[int, int, tuple[str, str], tuple[str, str]]:
    (kind_a, _, value_a), (kind_b, _, value_b) = (name.partition(":") for name in link.pair)
    return -link.proof, link.claimed_at_ms, (kind_a, kind_b), (value_a, value_b)


# Of each device, who was named on it, by the second.
Visits: TypeAlias = dict[str, dict[int, set[Person]]]


def _visits(events: Iterable[Stored], people: dict[str, Person]) -> Visits:
    visits: Visits = {}
    for event in events:
        strong, device = _strong(event), _device(event)
        if strong and device:
            seconds = visits.setdefault(device, {})
            seconds.setdefault(event.happened_at_ms // 1000, set()).add(people[strong[0]])
    return visits


def _owner(event: Stored, people: dict[str, Person], visits: Visits) -> Person:
    strong, device = _strong(event), _device(event)
    if strong:
        return people[strong[0]]
    if not device:
        return NOBODY
    seen = visits.get(device, {})
    everybody = set().union(*seen.values())
    if len(everybody) == 1:
        return everybody.pop()
    if everybody and len(everybody) <= BURNED_ABOVE:
        return _visitor(event.happened_at_ms // 1000, seen) or frozenset({device})
    return frozenset({device})


def _visitor(now: int, seen: dict[int, set[Person]]) -> Person | None:
    """Whoever is named next within half an hour, else whoever was named last."""
    after = [then for then in seen if now <= then <= now + VISIT_SECONDS]
    before = [then for then in seen if now - VISIT_SECONDS <= then < now]
    if not after and not before:
        return None
    people = seen[min(after) if after else max(before)]
    return next(iter(people)) if len(people) == 1 else None


def _strong(event: Stored) -> list[str]:
    named = [name for name in event.identifiers if _kind(name) in STRONGEST_FIRST]
    return sorted(named, key=lambda name: STRONGEST_FIRST.index(_kind(name)))


def _device(event: Stored) -> str | None:
    return next((name for name in event.identifiers if _kind(name) == "fingerprint"), None)


def _kind(name: str) -> str:
    return name.partition(":")[0]


def _pair(a: str, b: str) -> tuple[str, str]:
    return (a, b) if a.split(":", 1) < b.split(":", 1) else (b, a)
