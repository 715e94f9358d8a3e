"""A case: what a batch says of one organization's people, gathered before it is decided."""

from collections.abc import Iterable
from itertools import combinations

from msgspec.structs import replace

from endu.identities.casebook import Seen
from endu.identities.evidence import Sighting, Whose
from endu.identities.forgotten import Birth, Forgetful
from endu.identities.identifier import KINDS, NOBODY, Kind, Number, Subject
from endu.identities.linking import (
    ASSERTED,
    NEVER_SEEN,
    SEEN_TOGETHER,
    Link,
    Node,
    Pair,
    pair_of,
    stronger,
)
from endu.ids import Scramble
from endu.organizations.organization import OrganizationId

_NUMBER_PREFIX = f"{Kind.C_USER_ID}:"
NUMBER = 7  # the position of a number that is made; events name fewer


class Case:
    """Grows sighting by sighting. `nodes` holds everything named, `changed` what is new of it."""

    def __init__(
        self,
        organization_id: OrganizationId,
        scramble: Scramble,
        source: int,
        forgotten: Forgetful | None = None,
    ) -> None:
        self.organization_id = organization_id
        self.nodes: dict[Subject, Node] = {}
        self.changed: set[Subject] = set()
        self.fresh: set[Subject] = set()
        self.links: dict[Pair, Link] = {}
        self.seen: dict[tuple[Subject, Subject, tuple[Subject, ...]], Seen] = {}
        self.caused_by: dict[Subject, int] = {}
        self.subject_of: dict[str, Subject] = {}
        self._scramble = scramble
        self._source = source
        self._forgotten = forgotten

    def know(self, nodes: Iterable[Node]) -> None:
        """What the casebook already holds of the identifiers that are named."""
        for node in nodes:
            self._know(node.text, node)

    def sight(self, seq: int, sighting: Sighting) -> Whose:
        """Takes in one sighting and says whose subjects it has."""
        proven = sighting.proof >= SEEN_TOGETHER
        named = self._named(seq, sighting, proven)
        strong = [s for s in named if self.nodes[s].kind is not Kind.FINGERPRINT]
        fingerprint = next((s for s in named if s not in strong), NOBODY)
        proof = sighting.proof
        if proven and sighting.identifiers[0].startswith(_NUMBER_PREFIX):
            proof = ASSERTED
        for a, b in combinations(strong, 2):
            self.link(a, b, proof, sighting.claimed_at_ms, seq)
        if fingerprint:
            for place, subject in enumerate(strong):
                self.see(fingerprint, subject, tuple(strong[:place]), sighting.claimed_at_ms, seq)
        whose = [*strong, fingerprint]
        return Whose(whose[0], tuple(strong[1:]), fingerprint)

    def _named(self, seq: int, sighting: Sighting, proven: bool) -> list[Subject]:
        named: list[Subject] = []
        for position, text in enumerate(sighting.identifiers):
            if not text:  # it was forgotten since
                continue
            subject = self.name(text, seq, position, sighting.claimed_at_ms)
            if proven and text.startswith(_NUMBER_PREFIX):
                self._assert(subject, seq)
            if subject not in named:  # a number may be that of another identifier here
                named.append(subject)
        return named

    def name(self, text: str, seq: int, position: int, claimed_at_ms: int) -> Subject:
        """The subject of an identifier, which is made here if nobody named it before."""
        subject = self.subject_of.get(text)
        if subject is None:
            return self._introduce(text, seq, position, claimed_at_ms)
        node = self.nodes[subject]
        if claimed_at_ms < node.first_at_ms:
            self._change(replace(node, first_at_ms=claimed_at_ms), seq)
        return subject

    def make_number(self, seq: int, at_ms: int) -> Subject:
        """An identifier that is nothing but its own number (R8)."""
        subject = self._subject(seq, position=NUMBER)
        node = self._node(subject, Kind.C_USER_ID, str(subject), Number(str(subject)), at_ms)
        self._add(node.text, node, seq)
        return subject

    def recall(self, text: str, birth: Birth, seq: int) -> None:
        """An identifier that only erased records named."""
        self._add(text, self._named_so(text, birth.subject, NEVER_SEEN), seq)
        self.as_it_was(birth, seq)

    def recall_before(self, seq: int, texts: Iterable[str]) -> None:
        """Those of them that only erased records had named by then."""
        if self._forgotten:
            for text in set(texts) - self.subject_of.keys():
                text = self._forgotten.spelled(self.organization_id, text)
                birth = self._forgotten.birth(self.organization_id, text, seq)
                if birth and self._place_of(birth.subject) < seq:
                    self.recall(text, birth, seq)

    def was_conflict(self, seq: int) -> bool:
        """Whether nothing came of an identity made there, for whom it named since forgotten."""
        return self._forgotten is not None and self._forgotten.was_conflict(seq)

    def made_nobody(self, seq: int) -> bool:
        """Whether an identity made there found only people who were forgotten since: the number
        that it makes otherwise is not among what is left of them."""
        if self._forgotten is None:
            return False
        text = f"{Kind.C_USER_ID}:{self._subject(seq, position=NUMBER)}"
        return self._forgotten.birth(self.organization_id, text, seq) is None

    def as_it_was(self, birth: Birth, seq: int) -> None:
        """What erased records said of an identifier that is known."""
        node = self.nodes[birth.subject]
        first_at_ms = min(node.first_at_ms, birth.first_at_ms)
        was = replace(node, first_at_ms=first_at_ms, asserted=node.asserted or birth.asserted)
        if was != node:
            self._change(was, seq)

    def link(self, a: Subject, b: Subject, proof: int, claimed_at_ms: int, seq: int) -> None:
        low, high = pair = pair_of(a, b)
        link = Link(a=low, b=high, proof=proof, claimed_at_ms=claimed_at_ms, first_seq=seq)
        known = self.links.get(pair)
        self.links[pair] = stronger(known, link) if known else link

    def see(
        self,
        fingerprint: Subject,
        subject: Subject,
        before: tuple[Subject, ...],
        at_ms: int,
        seq: int,
    ) -> None:
        """A device with a strong identifier; the earliest time counts."""
        seen = Seen(fingerprint, subject, before, at_ms, seq)
        known = self.seen.get(seen.key)
        if known is None or at_ms < known.first_at_ms:
            self.seen[seen.key] = seen

    def _assert(self, subject: Subject, seq: int) -> None:
        node = self.nodes[subject]
        if not node.asserted:
            self._change(replace(node, asserted=True), seq)

    def _introduce(self, text: str, seq: int, position: int, claimed_at_ms: int) -> Subject:
        birth = None
        if self._forgotten:
            text = self._forgotten.spelled(self.organization_id, text)
            birth = self._forgotten.birth(self.organization_id, text, seq)
        subject = birth.subject if birth else self._subject(seq, position)
        self._add(text, self._named_so(text, subject, claimed_at_ms), seq)
        if birth:
            self.as_it_was(birth, seq)
        return subject

    def _named_so(self, text: str, subject: Subject, first_at_ms: int) -> Node:
        kind, _, value = text.partition(":")
        number = Number(value if kind == Kind.C_USER_ID else str(subject))
        return self._node(subject, KINDS[kind], value, number, first_at_ms)

    def _subject(self, seq: int, position: int) -> Subject:
        """Follows from the place in the log alone: a rebuild finds the same numbers."""
        return Subject(self._scramble.mix63((self._source << 48 | seq) << 3 | position))

    def _place_of(self, subject: Subject) -> int:
        """Where the log first named it."""
        return self._scramble.unmix63(subject) >> 3 & (1 << 48) - 1

    def _node(
        self, subject: Subject, kind: Kind, value: str, number: Number, first_at_ms: int
    ) -> Node:
        return Node(
            subject=subject,
            organization_id=self.organization_id,
            kind=kind,
            value=value,
            number=number,
            first_at_ms=first_at_ms,
            cluster=subject,
            identity=subject,
        )

    def _add(self, text: str, node: Node, seq: int) -> None:
        self._know(text, node)
        self.fresh.add(node.subject)
        self._change(node, seq)

    def _know(self, text: str, node: Node) -> None:
        self.nodes[node.subject] = node
        self.subject_of[text] = node.subject
        self.subject_of[_NUMBER_PREFIX + node.number] = node.subject

    def _change(self, node: Node, seq: int) -> None:
        self.nodes[node.subject] = node
        self.changed.add(node.subject)
        self.caused_by[node.subject] = seq


def is_new(link: Link, known: Link | None) -> bool:
    """Whether a link says more than the casebook already holds."""
    if known is None:
        return True
    better = (link.proof, -link.claimed_at_ms) > (known.proof, -known.claimed_at_ms)
    return better or link.first_seq < known.first_seq
