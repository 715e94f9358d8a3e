"""Who is who, worked out plainly and slowly from all the evidence at once.

Written from the identity policy (R1 to R10) and from nothing else, so that it can contradict the
code. It takes a log of one organization as the resolver gets it, and the numbers that were
issued; between creations, sightings may stand in it in any order. Where the policy leaves room,
a comment that begins with "Read:" says how it was read.
"""

from msgspec import Struct

from endu.identities.evidence import Creation
from tests.identity_oracle_links import (
    Claim,
    Facts,
    Log,
    Numbers,
    Pair,
    Person,
    Seen,
    Standing,
    facts_of,
    pair_of,
    walk,
)

NOBODY: Person = frozenset()
BURNED_ABOVE = 10  # people on one fingerprint
VISIT_SECONDS = 30 * 60


class Answer(Struct, frozen=True, kw_only=True):
    """Everything that follows from a log.

    `refused` has for each refused link the limits and rules in its way, all of them. `owners` is
    whose each sighting is by its place, `contested` the places of those that name somebody else
    too, `names` the identifier whose number a person goes by. `creations` is what became of
    each: the identifier whose number was answered and whether it was made; None for a conflict.
    """

    people: frozenset[Person]
    accepted: frozenset[Pair]
    refused: dict[Pair, frozenset[str]]
    suspended: frozenset[Pair]
    hubs: frozenset[str]
    burned: frozenset[str]
    owners: dict[int, Person]
    contested: frozenset[int]
    names: dict[Person, str]
    creations: dict[int, tuple[str, bool] | None]


def work_out(log: Log, numbers: Numbers) -> Answer:
    creations: dict[int, tuple[str, bool] | None] = {}
    made: dict[str, int] = {}
    given: list[Claim] = []
    for place, (seq, evidence) in enumerate(log):
        if isinstance(evidence, Creation):
            before = facts_of(log[:place], numbers, made, given)
            base = _base(evidence, before, numbers.of_creations.get(seq, f"{seq}"))
            creations[seq] = None
            if base is None:
                continue
            made |= {base[0]: evidence.received_at_ms} if base[1] else {}
            given += _ties(evidence, base, before)
            creations[seq] = _outcome(evidence, base, facts_of(log[:place], numbers, made, given))
    return _answer(facts_of(log, numbers, made, given), creations)


def _base(asked: Creation, before: Facts, number: str) -> tuple[str, bool] | None:
    """The identifier whose number it is, and whether it is made; None where two have known ones.
    Read: such a conflict ties nothing, and leaves unknown what was unknown."""
    standing = walk(before)
    known = [name for name in asked.identifiers if name in before.known() - before.blocked]
    people = {standing.person(name) for name in known}
    if not people:
        return f"c_user_id:{number}", True
    return (_name(people.pop(), before), False) if len(people) == 1 else None


def _ties(asked: Creation, base: tuple[str, bool], before: Facts) -> list[Claim]:
    """Read: what is unknown is tied to every identifier that was known and asked for together
    with it, not to whichever of that identity's bears the name."""
    known = [name for name in asked.identifiers if name in before.known() - before.blocked]
    unknown = [name for name in asked.identifiers if name not in before.known()]
    ends = [base[0]] if base[1] else known
    return [Claim(pair_of(e, name), 3, asked.received_at_ms) for e in ends for name in unknown]


def _outcome(asked: Creation, base: tuple[str, bool], after: Facts) -> tuple[str, bool] | None:
    """Read: where a limit or a rule refuses one of the ties, that is a conflict, too."""
    standing = walk(after)
    person = standing.person(base[0])
    if set(asked.identifiers) - after.blocked <= person:
        return _name(person, after), base[1]
    return None


def _answer(facts: Facts, creations: dict[int, tuple[str, bool] | None]) -> Answer:
    standing = walk(facts)
    return Answer(
        people=frozenset(standing.people),
        accepted=standing.accepted,
        refused=standing.refused,
        suspended=standing.suspended,
        hubs=standing.hubs,
        burned=frozenset(f for f in _devices(facts) if len(_on(f, facts, standing)) > BURNED_ABOVE),
        owners={sighting.seq: _owner(sighting, facts, standing) for sighting in facts.seen},
        contested=frozenset(s.seq for s in facts.seen if _contested(s, facts, standing)),
        names={person: _name(person, facts) for person in standing.people},
        creations=creations,
    )


def _owner(sighting: Seen, facts: Facts, standing: Standing) -> Person:
    decides = _decides(sighting, facts)
    if decides is not None:
        return standing.person(decides)
    device = next((f for f in sighting.fingerprints if f not in facts.blocked), None)
    if device is None:
        return NOBODY
    anonymous = frozenset({device})
    people = _on(device, facts, standing)
    if len(people) == 1:
        return people.pop()
    if not people or len(people) > BURNED_ABOVE:
        return anonymous
    return _visitor(sighting, device, facts, standing) or anonymous


def _decides(sighting: Seen, facts: Facts) -> str | None:
    return next((name for name in sighting.strong if name not in facts.blocked), None)


def _on(device: str, facts: Facts, standing: Standing) -> set[Person]:
    """The people whose strong identifiers were seen with a fingerprint (R6)."""
    return {
        standing.person(decides)
        for sighting in facts.seen
        if device in sighting.fingerprints and (decides := _decides(sighting, facts)) is not None
    }


def _visitor(sighting: Seen, device: str, facts: Facts, standing: Standing) -> Person | None:
    """Read: visits are told apart by whole seconds, as the seeds give times; the edge of 30
    minutes is inside; where the nearest second is several people's, no other is asked."""
    now = sighting.happened_at_s
    theirs: dict[int, set[Person]] = {}
    for other in facts.seen:
        decides = _decides(other, facts)
        if device in other.fingerprints and decides is not None:
            theirs.setdefault(other.happened_at_s, set()).add(standing.person(decides))
    after = [then for then in theirs if now <= then <= now + VISIT_SECONDS]
    before = [then for then in theirs if now - VISIT_SECONDS <= then < now]
    if not after and not before:
        return None
    people = theirs[min(after) if after else max(before)]
    return next(iter(people)) if len(people) == 1 else None


def _contested(sighting: Seen, facts: Facts, standing: Standing) -> bool:
    named = [name for name in sighting.strong if name not in facts.blocked]
    return len({standing.person(name) for name in named}) > 1


def _devices(facts: Facts) -> set[str]:
    return {name for sighting in facts.seen for name in sighting.fingerprints} - facts.blocked


def _name(person: Person, facts: Facts) -> str:
    """Read: a first event is the earliest claim of any sighting that names the identifier, by
    whichever key; one that a creation made counts from then; one that only an operator or a
    creation named has none, and comes last."""
    asserted = {s.numbered for s in facts.seen if s.proof >= 2}
    never = 1 << 63
    first = dict(facts.made)
    for sighting in facts.seen:
        for name in sighting.strong:
            first[name] = min(first.get(name, never), sighting.claimed_at_ms)

    def rank(name: str) -> tuple[bool, int, int, str]:
        number = facts.numbers.get(name) or name.partition(":")[2]
        number_or_never = int(number) if number.isdecimal() else never
        return name not in asserted, first.get(name, never), number_or_never, name

    return min(person, key=rank)
