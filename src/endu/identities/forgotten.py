"""What is left of people who were erased: salted hashes, so that the log can be settled again
without them, and everybody else comes out as they were."""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Sequence, Set
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from endu.identities.evidence import Creation, Evidence, Sighting, Whose
from endu.identities.identifier import Kind, Subject
from endu.organizations.organization import OrganizationId

HASH_BYTES = 16


class Tombstone(Struct, frozen=True, array_like=True, gc=False):
    """An identifier that was forgotten, and the subject that it had."""

    hashed: bytes
    subject: Subject


class Birth(Struct, frozen=True, array_like=True, gc=False):
    """Somebody else's identifier that an erased record named, perhaps first of all: its subject,
    since when it is known, and whether a c_user_id asserted it. All of it stays."""

    hashed: bytes
    subject: Subject
    first_at_ms: int
    asserted: bool = False


class Spelled(Struct, frozen=True, array_like=True, gc=False):
    """The text of somebody else's identifier, where nothing that stays spells it out before it is
    named by its number, or nothing names it at all."""

    subject: Subject
    text: str


class LinkLeft(Struct, frozen=True, array_like=True, gc=False):
    """A link of two other people's identifiers that stood on an erased record together."""

    a: Subject
    b: Subject
    proof: int
    claimed_at_ms: int
    first_seq: int


class SeenLeft(Struct, frozen=True, array_like=True, gc=False):
    """A device on which an erased record first showed somebody else: one who was blocked there,
    so that it counted for the person."""

    fingerprint: Subject
    subject: Subject
    before: tuple[Subject, ...]
    first_at_ms: int
    first_seq: int


class Plan(Struct, frozen=True, kw_only=True):
    """What one erasure leaves."""

    tombstones: tuple[Tombstone, ...] = ()
    births: tuple[Birth, ...] = ()
    kept: tuple[LinkLeft, ...] = ()
    spelled: tuple[Spelled, ...] = ()
    seen: tuple[SeenLeft, ...] = ()
    # Places of identities made beforehand that were not, because they named the person and others.
    conflicts: tuple[int, ...] = ()

    def silent_on(self, subjects: Set[Subject]) -> "Plan":
        """The same without the texts of those who were forgotten since."""
        left = tuple(each for each in self.spelled if each.subject not in subjects)
        return replace(self, spelled=left)


class Left(Struct, frozen=True):
    """A plan, with the place that its erasure was asked for at."""

    asked: int
    organization_id: OrganizationId
    plan: Plan


class Salt(Struct, frozen=True):
    """The log's secret, under which identifiers are hashed. Whoever has it can try a guess."""

    secret: int

    def hash_of(self, organization_id: OrganizationId, identifier: str) -> bytes:
        key = self.secret.to_bytes(16, "big")
        text = f"{organization_id} {identifier}".encode()
        return hashlib.blake2b(text, digest_size=HASH_BYTES, key=key).digest()


class Forgetful(Protocol):
    """Where a case looks whether an identifier that it has never heard of was known before."""

    def spelled(self, organization_id: OrganizationId, identifier: str) -> str:
        """The text of whichever identifier is named here by its number; else what is given."""

    def birth(self, organization_id: OrganizationId, identifier: str, seq: int) -> Birth | None: ...

    def was_conflict(self, seq: int) -> bool:
        """Whether no identity was made there, for whom it named were several people's."""


class _Until(Struct, frozen=True):
    """By when: ascending places of erasures, and what each says of one hash."""

    asked: list[int]
    said: list[Subject | Birth]

    def at(self, seq: int) -> Subject | Birth | None:
        """What the first erasure behind this place says."""
        place = bisect_right(self.asked, seq)
        return self.said[place] if place < len(self.asked) else None


class Forgotten:
    """Settling again: what stands before an erasure in the log names nobody who was erased."""

    def __init__(self, salt: Salt, left: Iterable[Left]) -> None:
        self._salt = salt
        self._dead: dict[bytes, _Until] = {}
        self._born: dict[bytes, _Until] = {}
        self._spelled: dict[tuple[OrganizationId, str], str] = {}  # by number
        self._conflicts: set[int] = set()
        self._last = 0  # behind this place nothing is to be forgotten
        for each in sorted(left, key=lambda each: each.asked):
            self._last = each.asked
            self._conflicts.update(each.plan.conflicts)
            for tombstone in each.plan.tombstones:
                _add(self._dead, tombstone.hashed, each.asked, tombstone.subject)
            for birth in each.plan.births:
                _add(self._born, birth.hashed, each.asked, birth)
            for spelled in each.plan.spelled:
                number = f"{Kind.C_USER_ID}:{spelled.subject}"
                self._spelled[each.organization_id, number] = spelled.text

    def concerns(self, seq: int) -> bool:
        return seq < self._last

    def spelled(self, organization_id: OrganizationId, identifier: str) -> str:
        return self._spelled.get((organization_id, identifier), identifier)

    def birth(self, organization_id: OrganizationId, identifier: str, seq: int) -> Birth | None:
        if not self._born:
            return None
        found = self._born.get(self._salt.hash_of(organization_id, identifier))
        said = found.at(seq) if found else None
        return said if isinstance(said, Birth) else None

    def was_conflict(self, seq: int) -> bool:
        return seq in self._conflicts

    def without(self, seq: int, item: Evidence) -> tuple[Evidence, Sequence[Subject]]:
        """The evidence with nothing in place of each identifier that was forgotten since, and the
        subjects that those had."""
        if not isinstance(item, Sighting | Creation):
            return item, ()
        dead: list[Subject] = []
        named: list[str] = []
        for identifier in item.identifiers:
            subject = self._dead_subject(item.organization_id, identifier, seq)
            named.append("" if subject else identifier)
            if subject:
                dead.append(subject)
        return (replace(item, identifiers=tuple(named)), dead) if dead else (item, ())

    def _dead_subject(
        self, organization_id: OrganizationId, identifier: str, seq: int
    ) -> Subject | None:
        found = self._dead.get(self._salt.hash_of(organization_id, identifier))
        said = found.at(seq) if found else None
        return None if isinstance(said, Birth) else said


def with_dead(whose: Whose | None, dead: Sequence[Subject]) -> Whose | None:
    """As it was when those were somebody's: the ledger's row has their subjects."""
    return replace(whose, others=(*whose.others, *dead)) if whose and dead else whose


def _add(told: dict[bytes, _Until], hashed: bytes, asked: int, said: Subject | Birth) -> None:
    until = told.setdefault(hashed, _Until([], []))
    until.asked.append(asked)
    until.said.append(said)
