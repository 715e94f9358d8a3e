"""Logs to try the identity policy on: small worlds in which everything collides.

A step is evidence in which "@discord:1" stands for the number of that identifier, "@creation:0"
for the number that the first creation answered, and a rule is taken back by its place among the
rules. Whoever plays the steps puts in what was issued.
"""

from collections.abc import Sequence

from hypothesis import strategies as st
from msgspec.structs import replace

from endu.identities.evidence import (
    Creation,
    Evidence,
    LimitsSet,
    RuleMade,
    RuleTakenBack,
    Sighting,
)
from endu.organizations.organization import OrganizationId

ACME = OrganizationId("acme")
NOON_MS = 1_767_268_800_000  # 2026-01-01, 12:00 UTC

PEOPLE = [*(f"discord:{n}" for n in (1, 2, 3)), *(f"telegram:{n}" for n in (1, 2))]
WALLETS = [f"wallet:eip155:0x{n:x}" for n in (1, 2, 3)]
DEVICES = ["fingerprint:f", "fingerprint:g"]
BROUGHT = ["c_user_id:7", "c_user_id:8"]  # numbers from elsewhere
ISSUED = ["@discord:1", "@discord:2", "@telegram:1", "@wallet:eip155:0x1", "@creation:0"]
MINUTES = [0, 1, 29, 30, 31, 60, 61, 90]
AFTERWARDS = 2 * 3600  # when creations come in: events are claimed earlier


def sighting(
    *identifiers: str | None, proof: int = 2, at_s: float = 0, claimed_s: float | None = None
) -> Sighting:
    return Sighting(
        ACME,
        tuple(name for name in identifiers if name),
        proof,
        NOON_MS + round(at_s * 1000),
        NOON_MS + round((at_s if claimed_s is None else claimed_s) * 1000),
    )


def rule(kind: str, *identifiers: str, at_s: int = 0) -> RuleMade:
    return RuleMade(
        organization_id=ACME,
        received_at_ms=NOON_MS + at_s * 1000,
        rule=kind,
        identifiers=identifiers,
        author="an operator",
        reason="because",
    )


def taken_back(place: int) -> RuleTakenBack:
    return RuleTakenBack(
        organization_id=ACME, received_at_ms=NOON_MS, rule_seq=place, author="an operator"
    )


def creation(*identifiers: str, at_s: int = 0) -> Creation:
    return Creation(
        organization_id=ACME, received_at_ms=NOON_MS + at_s * 1000, identifiers=identifiers
    )


def limits(**limits: int) -> LimitsSet:
    return LimitsSet(organization_id=ACME, received_at_ms=NOON_MS, limits=limits)


def _maybe(names: Sequence[str]) -> st.SearchStrategy[str | None]:
    return st.none() | st.sampled_from(names)


def _rarely(names: Sequence[str]) -> st.SearchStrategy[str | None]:
    return st.sampled_from([None] * 12 + list(names))


anyone = st.builds(
    sighting,
    _rarely(BROUGHT + ISSUED),
    _maybe(PEOPLE),
    _maybe(WALLETS),
    _rarely(DEVICES * 3),
    proof=st.sampled_from([2, 2, 2, 1]),
    at_s=st.sampled_from([minute * 60 for minute in MINUTES] + [1, 1801]),
    claimed_s=st.sampled_from([0, 0, 1, 2]),
)
chance_meetings = st.lists(anyone, min_size=1, max_size=10)


@st.composite
def crowds(draw: st.DrawFn) -> list[Evidence]:
    """A wallet claimed by almost too many, or by just too many (R4)."""
    wallet = draw(st.sampled_from(WALLETS))
    kind = draw(st.sampled_from(["discord", "telegram"]))
    size = draw(st.sampled_from([4, 5, 6, 7]))
    verified = draw(_rarely(["@discord:1", "@telegram:1", *BROUGHT]))
    return [
        sighting(verified if n == 1 else None, f"{kind}:{n}", wallet, at_s=n % 3)
        for n in range(1, size + 1)
    ]


@st.composite
def collectors(draw: st.DrawFn) -> list[Evidence]:
    """Somebody with almost too many wallets, or just too many (R3)."""
    who = draw(st.sampled_from(PEOPLE))
    size = draw(st.sampled_from([9, 10, 11, 12]))
    return [sighting(who, f"wallet:eip155:0x{n:x}", at_s=n % 3) for n in range(1, size + 1)]


@st.composite
def shared_devices(draw: st.DrawFn) -> list[Evidence]:
    """Nobody, one or several on one browser, and what it did by itself (R6)."""
    device = draw(st.sampled_from(DEVICES))
    size = draw(st.sampled_from([0, 1, 2, 3, 9, 10, 11, 12]))
    parts_of_a_second = [0, 0, 0.25, 0.999]
    times = st.sampled_from(
        [minute * 60 + part for minute in MINUTES for part in parts_of_a_second]
    )
    signed_in = [
        sighting(f"telegram:{n}", device, proof=draw(st.sampled_from([1, 2])), at_s=draw(times))
        for n in range(1, size + 1)
    ]
    views = [sighting(device, at_s=at_s) for at_s in draw(st.lists(times, max_size=5))]
    return [*signed_in, *views]


pairs = st.lists(st.sampled_from(PEOPLE + WALLETS), min_size=2, max_size=2, unique=True)
operators_doings: st.SearchStrategy[Evidence] = st.one_of(
    st.builds(lambda pair, at_s: rule("never-link", *pair, at_s=at_s), pairs, st.integers(0, 2)),
    st.builds(lambda pair, at_s: rule("always-link", *pair, at_s=at_s), pairs, st.integers(0, 2)),
    st.builds(lambda name: rule("block", name), st.sampled_from(PEOPLE + WALLETS + DEVICES)),
    st.builds(lambda name: rule("shared", name), st.sampled_from(WALLETS)),
    st.builds(taken_back, st.integers(0, 3)),
    st.builds(taken_back, st.integers(0, 3)),
    st.builds(
        limits,
        asserted=st.integers(1, 2),
        discord=st.integers(1, 3),
        telegram=st.integers(1, 2),
        wallet=st.sampled_from([1, 2, 10, 11]),
    ),
)

happenings = st.lists(
    st.one_of(chance_meetings, chance_meetings, crowds(), collectors(), shared_devices()),
    min_size=1,
    max_size=3,
).map(lambda scenes: [step for scene in scenes for step in scene])


@st.composite
def logs(draw: st.DrawFn, rules: int = 4) -> list[Evidence]:
    """Events of every kind with at most so many rules among them."""
    events = draw(happenings)
    doings = draw(st.lists(operators_doings, max_size=rules))
    return draw(orders(events + doings))


@st.composite
def logs_with_creations(draw: st.DrawFn, at_most: int = 2) -> list[Evidence]:
    """As logs, with identities made beforehand between their parts (R8)."""
    steps = draw(logs(rules=0))
    names = st.tuples(_maybe(PEOPLE), _maybe(WALLETS)).map(lambda pair: [n for n in pair if n])
    for _ in range(draw(st.integers(1, at_most))):
        place = draw(st.integers(0, len(steps)))
        steps.insert(place, creation(*draw(names), at_s=AFTERWARDS + draw(st.integers(0, 2))))
    return possible(steps)


@st.composite
def orders(draw: st.DrawFn, steps: Sequence[Evidence], repeats: int = 0) -> list[Evidence]:
    """Another order of the same: sightings anywhere between two creations, some of them
    repeated, rules among them in their own order."""
    answer: list[Evidence] = []
    for segment in _segments(steps):
        events = [step for step in segment if isinstance(step, Sighting)]
        again = draw(st.lists(st.sampled_from(events), max_size=repeats)) if events else []
        shuffled: list[Evidence] = list(draw(st.permutations(events + again)))
        others = [step for step in segment if not isinstance(step, Sighting)]
        at_end: list[Evidence] = [step for step in others if isinstance(step, Creation)]
        places = sorted(draw(st.integers(0, len(shuffled))) for _ in others[len(at_end) :])
        doings = [step for step in others if not isinstance(step, Creation)]
        for place, doing in reversed(list(zip(places, doings, strict=True))):
            shuffled.insert(place, doing)
        answer += [*shuffled, *at_end]
    return possible(answer)


def _segments(steps: Sequence[Evidence]) -> list[list[Evidence]]:
    """Each ends with a creation, but the last."""
    segments: list[list[Evidence]] = [[]]
    for step in steps:
        segments[-1].append(step)
        if isinstance(step, Creation):
            segments.append([])
    return segments


def possible(steps: Sequence[Evidence]) -> list[Evidence]:
    """The same with nobody naming a number before it is there to be named: such a step waits
    for its time, and is left out where that never comes. Nor does an operator say at once that
    two are one and that they are not: the door refuses the second (R9)."""
    answer: list[Evidence] = []
    waiting: list[Evidence] = []
    for step in _without_contradictions(steps):
        waiting.append(step)
        while ready := next((s for s in waiting if _can_be(s, answer)), None):
            waiting.remove(ready)
            answer.append(ready)
    return answer


def _can_be(step: Evidence, before: Sequence[Evidence]) -> bool:
    if not isinstance(step, Sighting) or not step.identifiers:
        return True
    name = step.identifiers[0]
    if name.startswith("@creation:"):
        return sum(isinstance(s, Creation) for s in before) > int(name.partition(":")[2])
    seen = [s for s in before if isinstance(s, Sighting)]
    if name.startswith("@"):
        return any(name[1:] in s.identifiers for s in seen)
    if name.startswith("c_user_id:") and step.proof == 1:
        return any(name in s.identifiers for s in seen if s.proof == 2)
    return True


def _without_contradictions(steps: Sequence[Evidence]) -> list[Evidence]:
    answer: list[Evidence] = []
    rules: list[RuleMade | None] = []
    for step in steps:
        if isinstance(step, RuleMade):
            if any(r and _contradict(r, step) for r in rules):
                continue
            rules.append(step)
        if isinstance(step, RuleTakenBack):
            if step.rule_seq >= len(rules) or rules[step.rule_seq] is None:
                continue
            rules[step.rule_seq] = None
        answer.append(step)
    return answer


def _contradict(one: RuleMade, other: RuleMade) -> bool:
    both = {one.rule, other.rule} == {"never-link", "always-link"}
    return both and set(one.identifiers) == set(other.identifiers)


class Scribe:
    """Gives steps their places in a log, and puts what was issued into them."""

    def __init__(self) -> None:
        self.log: list[tuple[int, Evidence]] = []
        self.steps: dict[int, Evidence] = {}  # as they were before anything was put in
        self.rules: list[int] = []
        self.creations: list[int] = []

    def write(self, step: Evidence, number: str = "") -> tuple[int, Evidence]:
        """`number` is that of what the step names by "@"."""
        seq = len(self.log) + 1
        self.steps[seq] = step
        if isinstance(step, RuleMade):
            self.rules.append(seq)
        elif isinstance(step, Creation):
            self.creations.append(seq)
        elif isinstance(step, RuleTakenBack):
            step = replace(step, rule_seq=self.rules[step.rule_seq])
        elif isinstance(step, Sighting) and named_by_number(step):
            names = (f"c_user_id:{number}", *step.identifiers[1:])
            step = replace(step, identifiers=names)
        self.log.append((seq, step))
        return seq, step


def named_by_number(step: Evidence) -> str:
    """What the step names by the number it was issued; "" where it does not."""
    first = step.identifiers[0] if isinstance(step, Sighting) and step.identifiers else ""
    return first[1:] if first.startswith("@") else ""
