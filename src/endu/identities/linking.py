"""The policy: which identifiers are one person, as a pure function of links, rules and limits.

Nothing here depends on the order in which evidence came in: links are walked in an order of
their own (R3), and everything around them is a set. `docs/concepts.md` tells it in words.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from endu.identities.groups import Groups, shortest_path
from endu.identities.identifier import Kind, Number, Subject
from endu.organizations.organization import OrganizationId

HUB_ANCHORS = 5  # a connector claimed by more anchors of one kind than this says nothing (R4)
UNPROVEN, SEEN_TOGETHER, ASSERTED, OPERATOR = 1, 2, 3, 4  # proof (R2)

# At most so many in one identity (R3). Settable for each organization.
DEFAULT_LIMITS: Mapping[str, int] = {"asserted": 1, "discord": 1, "telegram": 1, "wallet": 10}

Pair = tuple[Subject, Subject]


class Node(Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """One identifier as the casebook holds it.

    `first_at_ms` is the earliest claim that names it, NEVER_SEEN while only a rule does.
    `cluster` joins everything that evidence could make one; identities are parts of a cluster.
    """

    subject: Subject
    organization_id: OrganizationId
    kind: Kind
    value: str
    number: Number
    asserted: bool = False
    standing: str = ""
    first_at_ms: int
    cluster: Subject
    identity: Subject

    @property
    def text(self) -> str:
        return f"{self.kind}:{self.value}"


NEVER_SEEN = 1 << 62


class Link(Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """Two strong identifiers seen together: the best proof, the earliest claim of that proof,
    and what came of it. a < b."""

    a: Subject
    b: Subject
    proof: int
    claimed_at_ms: int
    first_seq: int
    verdict: str = ""
    reason: str = ""
    against: Pair | None = None

    @property
    def pair(self) -> Pair:
        return self.a, self.b


class RuleBook(Struct, frozen=True):
    """The rules in force. `never` says of each subject whom it must not meet, both ways;
    `always` of each subject the links of proof 4 that it is the smaller end of."""

    never: Mapping[Subject, frozenset[Subject]] = {}
    always: Mapping[Subject, tuple[Link, ...]] = {}
    blocked: frozenset[Subject] = frozenset()
    shared: frozenset[Subject] = frozenset()

    def linked_with(self, subjects: Set[Subject]) -> set[Subject]:
        """The other ends of always-links."""
        pairs = [link.pair for links in self.always.values() for link in links]
        return {end for pair in pairs if not subjects.isdisjoint(pair) for end in pair} - subjects


class Decision(Struct, frozen=True):
    """Every node with its new standing, cluster and identity, and every link with its verdict."""

    nodes: dict[Subject, Node]
    links: list[Link]


def pair_of(a: Subject, b: Subject) -> Pair:
    return (a, b) if a < b else (b, a)


def stronger(one: Link, other: Link) -> Link:
    """What is kept of two sightings of the same pair: proof first, then the earlier claim."""
    best = min(one, other, key=lambda link: (-link.proof, link.claimed_at_ms, link.first_seq))
    return replace(best, first_seq=min(one.first_seq, other.first_seq))


def decide(
    nodes: Mapping[Subject, Node],
    links: Sequence[Link],
    rules: RuleBook,
    limits: Mapping[str, int],
    in_part: Set[Subject] = frozenset(),
) -> Decision:
    """Who is who among `nodes`.

    They must be whole clusters: a link to a node that is not among them keeps its verdict,
    which can only be one that joins nothing. Nodes `in_part` come without the links that do not
    count for them, and keep their standing.
    """
    standings = standings_of(nodes, links, rules)
    standings |= {subject: nodes[subject].standing for subject in in_part}
    operators = {link.pair: link for link in _operators(nodes, rules)}
    judged = [_before_walking(link, nodes, standings, operators) for link in links]
    candidates = [link for link in judged if not link.verdict] + list(operators.values())
    people = _People(list(nodes.values()), rules, limits)
    verdicts = {link.pair: people.consider(link) for link in in_walking_order(candidates, nodes)}
    clusters = Groups(nodes)
    for link in candidates:
        clusters.join(*link.pair)
    return Decision(
        nodes={
            subject: replace(
                node,
                standing=standings.get(subject, ""),
                cluster=clusters.root(subject),
                identity=people.name_of(subject),
            )
            for subject, node in nodes.items()
        },
        links=[link if link.verdict else _judged(link, verdicts[link.pair]) for link in judged],
    )


def standings_of(
    nodes: Mapping[Subject, Node], links: Iterable[Link], rules: RuleBook
) -> dict[Subject, str]:
    """The nodes whose links of proof 2 do not count, and why: blocked, shared by rule, or hub."""
    claimed_by: dict[tuple[Subject, str], set[Subject]] = {}
    operators = {link.pair for link in _operators(nodes, rules)}
    for link in links:
        if (
            link.proof != SEEN_TOGETHER
            or link.pair in operators
            or not rules.blocked.isdisjoint(link.pair)
        ):
            continue
        for connector, claimer in (link.pair, link.pair[::-1]):
            if connector in nodes and claimer in nodes:
                kind = _anchor_kind(nodes[claimer])
                if nodes[connector].kind is Kind.WALLET and kind:
                    claimed_by.setdefault((connector, kind), set()).add(claimer)
    standings = {
        connector: "hub"
        for (connector, _), anchors in claimed_by.items()
        if len(anchors) > HUB_ANCHORS
    }
    standings |= {subject: "shared" for subject in nodes if subject in rules.shared}
    return standings | {subject: "blocked" for subject in nodes if subject in rules.blocked}


def in_walking_order(links: Iterable[Link], nodes: Mapping[Subject, Node]) -> list[Link]:
    """Proof descending, claim ascending, then the pair: kinds, then values, as text (R3)."""

    def key(link: Link) -> tuple[int, int, list[str], list[str]]:
        one, other = sorted((nodes[link.a], nodes[link.b]), key=lambda n: (n.kind, n.value))
        return -link.proof, link.claimed_at_ms, [one.kind, other.kind], [one.value, other.value]

    return sorted(links, key=key)


def naming_order(node: Node) -> tuple[bool, int, int]:
    """Whose number an identity goes by: an asserted one, else the earliest seen (R7)."""
    return not node.asserted, node.first_at_ms, int(node.number)


def _operators(nodes: Mapping[Subject, Node], rules: RuleBook) -> list[Link]:
    """Always-links among these nodes; whoever is blocked is linked to nobody."""
    if not rules.always:
        return []
    return [
        link
        for subject in nodes
        for link in rules.always.get(subject, ())
        if link.b in nodes and rules.blocked.isdisjoint(link.pair)
    ]


def _anchor_kind(node: Node) -> str:
    """What an identity holds at most one of: "" for what is no anchor."""
    if node.kind is Kind.C_USER_ID:
        return "asserted" if node.asserted else ""
    return node.kind if node.kind in (Kind.DISCORD, Kind.TELEGRAM) else ""


def _before_walking(
    link: Link,
    nodes: Mapping[Subject, Node],
    standings: Mapping[Subject, str],
    operators: Container[Pair],
) -> Link:
    """The link with the verdict that keeps it from being walked, or with none. What an operator
    linked has that proof, whoever else claims it."""
    if link.a not in nodes or link.b not in nodes:
        return link
    held_back = {standings.get(link.a, ""), standings.get(link.b, "")}
    verdict = ""
    if "blocked" in held_back:
        verdict = "blocked"
    elif link.proof <= UNPROVEN:
        verdict = "unproven"
    elif link.proof <= SEEN_TOGETHER and held_back != {""} and link.pair not in operators:
        verdict = "shared" if "shared" in held_back else "hub"
    return replace(link, verdict=verdict, reason="", against=None)


class _Refused(NamedTuple):
    reason: str
    against: Pair | None


def _judged(link: Link, refused: _Refused | None) -> Link:
    if refused is None:
        return replace(link, verdict="accepted", reason="", against=None)
    return replace(link, verdict="refused", reason=refused.reason, against=refused.against)


class _People:
    """Identities while the links are walked: who is with whom, and what stands in the way."""

    def __init__(self, nodes: Sequence[Node], rules: RuleBook, limits: Mapping[str, int]) -> None:
        self._limits = limits
        self._never = rules.never
        self._groups = Groups(node.subject for node in nodes)
        self._members = {node.subject: [node] for node in nodes}
        self._accepted: dict[Subject, list[Subject]] = {}

    def consider(self, link: Link) -> _Refused | None:
        """None where the two sides are one from now on."""
        a, b = self._groups.root(link.a), self._groups.root(link.b)
        if a != b:
            refused = self._obstacle(link, a, b)
            if refused:
                return refused
            members = self._members.pop(a) + self._members.pop(b)
            self._members[self._groups.join(a, b)] = members
        self._accepted.setdefault(link.a, []).append(link.b)
        self._accepted.setdefault(link.b, []).append(link.a)
        return None

    def name_of(self, subject: Subject) -> Subject:
        members = self._members[self._groups.root(subject)]
        return min(members, key=naming_order).subject if len(members) > 1 else subject

    def _obstacle(self, link: Link, a: Subject, b: Subject) -> _Refused | None:
        for one, other in self._kept_apart(a, b):
            return _Refused("never-link", self._in_the_way(link, one, other))
        if link.proof == OPERATOR:
            return None
        for kind, limit in self._limits.items():
            ours, theirs = (self._holding(root, kind) for root in (a, b))
            if ours and theirs and len(ours) + len(theirs) > limit:
                against = self._in_the_way(link, ours[0], theirs[0])
                return _Refused(f"at most {limit} {kind}", against)
        return None

    def _kept_apart(self, a: Subject, b: Subject) -> Iterator[Pair]:
        if not self._never:
            return
        theirs = {node.subject for node in self._members[b]}
        for node in self._members[a]:
            for stranger in self._never.get(node.subject, frozenset()) & theirs:
                yield node.subject, stranger

    def _holding(self, root: Subject, kind: str) -> list[Subject]:
        members = self._members[root]
        if kind == "asserted":
            return [node.subject for node in members if node.asserted]
        return [node.subject for node in members if node.kind == kind]

    def _in_the_way(self, link: Link, ours: Subject, theirs: Subject) -> Pair | None:
        """The accepted link that holds one of the two that must not meet, nearest to it."""
        for start in link.pair:
            for end in (theirs, ours):
                path = shortest_path(self._accepted, start, end)
                if len(path) > 1:
                    return pair_of(path[-2], path[-1])
        return None
