"""The oracle's first half: what a log says, and which links hold (R1 to R4, R9).

See identity_oracle.py for the whole. A comment that begins with "Read:" says how the policy was
read where it leaves room.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from msgspec import Struct

from endu.identities.evidence import Evidence, LimitsSet, RuleMade, RuleTakenBack, Sighting

Person = frozenset[str]  # the identifiers that are one person, as text: "discord:1"
Pair = tuple[str, str]
Log = Sequence[tuple[int, Evidence]]

LIMITS = {"asserted": 1, "discord": 1, "telegram": 1, "wallet": 10}
ANCHORS = ("c_user_id", "discord", "telegram")
HUB_ABOVE = 5  # anchors of one kind
NEVER = "never-link"


class Numbers(Struct, frozen=True):
    """What was issued. None of it follows from evidence, so the oracle has to be told."""

    of_identifiers: Mapping[str, str]
    of_creations: Mapping[int, str]  # by the place of the Creation


class Seen(Struct, frozen=True):
    """A sighting with its number replaced by the identifier that bears it."""

    seq: int
    numbered: str | None  # what the c_user_id named
    strong: tuple[str, ...]  # strongest first
    fingerprints: tuple[str, ...]
    proof: int
    happened_at_s: int
    claimed_at_ms: int


class Claim(Struct, frozen=True):
    """Something that says two identifiers are one person."""

    pair: Pair
    proof: int
    claimed_at_ms: int


class Facts(Struct, frozen=True):
    """What the log says, before anything is concluded from it. `made` are the identifiers made
    by creations, with when; `given` is what creations tied together."""

    seen: list[Seen]
    rules: list[RuleMade]
    limits: dict[str, int]
    blocked: set[str]
    made: dict[str, int]
    given: list[Claim]
    numbers: Mapping[str, str]

    def known(self) -> set[str]:
        named = {name for sighting in self.seen for name in sighting.strong}
        return named | set(self.made) | {name for claim in self.given for name in claim.pair}


class Standing(Struct, frozen=True):
    """Which links hold, and whom they make one."""

    people: list[Person]  # nobody blocked, one alone where nothing holds
    accepted: frozenset[Pair]
    refused: dict[Pair, frozenset[str]]
    suspended: frozenset[Pair]
    hubs: frozenset[str]

    def person(self, name: str) -> Person:
        return next(person for person in self.people if name in person)


def facts_of(log: Log, numbers: Numbers, made: dict[str, int], given: list[Claim]) -> Facts:
    rules = _rules_in_force(log)
    return Facts(
        seen=[_seen(seq, e, numbers) for seq, e in log if isinstance(e, Sighting)],
        rules=rules,
        limits=_limits_in_force(log),
        blocked={name for rule in rules if rule.rule == "block" for name in rule.identifiers},
        made=dict(made),
        given=list(given),
        numbers=numbers.of_identifiers,
    )


def _rules_in_force(log: Log) -> list[RuleMade]:
    taken_back = {e.rule_seq for _, e in log if isinstance(e, RuleTakenBack)}
    return [e for seq, e in log if isinstance(e, RuleMade) and seq not in taken_back]


def _limits_in_force(log: Log) -> dict[str, int]:
    """Read: the last setting holds whole; what it leaves out is as it was at first."""
    settings = [e.limits for _, e in log if isinstance(e, LimitsSet)]
    return LIMITS | (settings[-1] if settings else {})


def _seen(seq: int, sighting: Sighting, numbers: Numbers) -> Seen:
    """Read: the number of a fingerprint names the fingerprint, which stays weak."""
    bearers = {number: name for name, number in numbers.of_identifiers.items()}
    first = sighting.identifiers[0] if sighting.identifiers else ""
    numbered = None
    named = list(sighting.identifiers)
    if kind_of(first) == "c_user_id":
        numbered = named[0] = bearers.get(first.partition(":")[2], first)
    return Seen(
        seq,
        numbered,
        tuple(dict.fromkeys(name for name in named if kind_of(name) != "fingerprint")),
        tuple(dict.fromkeys(name for name in named if kind_of(name) == "fingerprint")),
        sighting.proof,
        sighting.happened_at_ms // 1000,
        sighting.claimed_at_ms,
    )


def walk(facts: Facts) -> Standing:
    """R3 and R4 over every link there is."""
    links = _links(facts)
    hubs = _hubs(links, facts)
    suspended = {pair for pair, best in links.items() if best.proof <= 2 and hubs & set(pair)}
    everyone = facts.known() | {name for pair in links for name in pair}
    people = [frozenset({name}) for name in sorted(everyone - facts.blocked)]
    accepted: set[Pair] = set()
    refused: dict[Pair, frozenset[str]] = {}
    for link in sorted((links[pair] for pair in links.keys() - suspended), key=_place_in_walk):
        left, right = (next(p for p in people if name in p) for name in link.pair)
        obstacles = frozenset(_obstacles(link, left, right, facts))
        if obstacles:
            refused[link.pair] = obstacles
            continue
        accepted.add(link.pair)
        people = [p for p in people if p not in (left, right)] + [left | right]
    return Standing(people, frozenset(accepted), refused, frozenset(suspended), frozenset(hubs))


def _links(facts: Facts) -> dict[Pair, Claim]:
    """The best claim for each pair: the best proof, and its earliest time. What a publishable
    key says makes no link, and neither does what a blocked identifier is part of."""
    claims = list(facts.given)
    for rule in facts.rules:
        if rule.rule == "always-link":
            claims.append(Claim(pair_of(*rule.identifiers), 4, rule.received_at_ms))
    for sighting in facts.seen:
        # Read: "the event names a c_user_id" is about the event, so each of its pairs has proof 3.
        named = sighting.numbered is not None and sighting.proof >= 2
        proof = max(sighting.proof, 3) if named else sighting.proof
        for pair in combinations(sighting.strong, 2):
            claims.append(Claim(pair_of(*pair), proof, sighting.claimed_at_ms))
    links: dict[Pair, Claim] = {}
    for claim in sorted(claims, key=lambda claim: (-claim.proof, claim.claimed_at_ms)):
        if claim.proof >= 2 and not facts.blocked & set(claim.pair):
            links.setdefault(claim.pair, claim)
    return links


def _hubs(links: Mapping[Pair, Claim], facts: Facts) -> set[str]:
    """Read: links of proof 2, since one of proof 1 is none; a browser must not make hubs.
    A wallet that an operator calls shared stands like a hub."""
    hubs = {name for rule in facts.rules if rule.rule == "shared" for name in rule.identifiers}
    for wallet in {name for pair in links for name in pair if kind_of(name) == "wallet"}:
        claimants = [
            kind_of(name)
            for pair, best in links.items()
            for name in pair
            if wallet in pair and name != wallet and best.proof == 2
        ]
        if any(claimants.count(kind) > HUB_ABOVE for kind in ANCHORS):
            hubs.add(wallet)
    return hubs - facts.blocked


def _place_in_walk(link: Claim) -> tuple[int, int, tuple[str, str], tuple[str, str]]:
    """Read: a pair goes by both its kinds first, then by both its values."""
    (kind_a, _, value_a), (kind_b, _, value_b) = (name.partition(":") for name in link.pair)
    return -link.proof, link.claimed_at_ms, (kind_a, kind_b), (value_a, value_b)


def _obstacles(link: Claim, left: Person, right: Person, facts: Facts) -> Iterable[str]:
    """Read: a union breaks a limit where it has more than allowed and more than either side had;
    what an operator joined against a limit can still gain a wallet. A never-link rule stands in
    everybody's way, an always-link's too."""
    if left == right:
        return
    for rule in facts.rules:
        if rule.rule == NEVER and set(rule.identifiers) <= left | right:
            yield NEVER
    if link.proof == 4:
        return
    for limit, at_most in facts.limits.items():
        ours, theirs = (_held(person, limit, facts) for person in (left, right))
        if ours + theirs > max(at_most, ours, theirs):
            yield limit


def _held(person: Person, limit: str, facts: Facts) -> int:
    if limit == "asserted":
        asserted = {s.numbered for s in facts.seen if s.proof >= 2}
        return len(person & asserted)
    return sum(kind_of(name) == limit for name in person)


def pair_of(a: str, b: str) -> Pair:
    return (a, b) if a.split(":", 1) < b.split(":", 1) else (b, a)


def kind_of(name: str) -> str:
    return name.partition(":")[0]
