"""What identity follows from: identifiers seen together, identities made beforehand, rules.

Everything here comes out of the log, in its order, and nothing else decides who is who.
"""

from msgspec import Struct

from endu.identities.identifier import Subject
from endu.organizations.organization import OrganizationId


class Sighting(Struct, frozen=True, gc=False):
    """The identifiers of one event: normalised text, strongest kind first.

    `proof` is what two of them seen together are worth: 1 with a publishable key, 2 with a
    secret one. A c_user_id among them is worth 3 where `proof` is 2 (R2).
    """

    organization_id: OrganizationId
    identifiers: tuple[str, ...]
    proof: int
    happened_at_ms: int
    claimed_at_ms: int


class Creation(Struct, frozen=True, kw_only=True, array_like=True, tag="creation"):
    """An identity asked for beforehand (R8), with what is known of it."""

    organization_id: OrganizationId
    received_at_ms: int
    identifiers: tuple[str, ...]


class RuleMade(Struct, frozen=True, kw_only=True, array_like=True, tag="rule"):
    """An operator's rule (R9). Its id is that of its record.

    `identifiers` are two for never-link and always-link, one for block and shared.
    """

    organization_id: OrganizationId
    received_at_ms: int
    rule: str
    identifiers: tuple[str, ...]
    author: str
    reason: str


class RuleTakenBack(Struct, frozen=True, kw_only=True, array_like=True, tag="taken-back"):
    organization_id: OrganizationId
    received_at_ms: int
    rule_seq: int
    author: str


class LimitsSet(Struct, frozen=True, kw_only=True, array_like=True, tag="limits"):
    """How many identifiers of each kind an identity of this organization may hold (R3)."""

    organization_id: OrganizationId
    received_at_ms: int
    limits: dict[str, int]


class ErasureAsked(Struct, frozen=True, kw_only=True, array_like=True, tag="erasure-asked"):
    """Somebody is to be forgotten: whoever `subject` is at this place of the log. Its record's id
    is the erasure's."""

    organization_id: OrganizationId
    received_at_ms: int
    subject: Subject


class Forgetting(Struct, frozen=True, kw_only=True):
    """What an erasure that was asked for comes to, once everything before it has settled.

    `places` are those of their events; `beside` are other people's identifiers on these, `orphans`
    those of them that no other event names, `numbered` those whose number other events name before
    any names them otherwise, `together` those that stood on one event.
    """

    organization_id: OrganizationId
    received_at_ms: int
    subject: Subject
    places: tuple[int, ...] = ()
    beside: frozenset[Subject] = frozenset()
    orphans: frozenset[Subject] = frozenset()
    numbered: frozenset[Subject] = frozenset()
    together: tuple[tuple[Subject, ...], ...] = ()


Evidence = Sighting | Creation | RuleMade | RuleTakenBack | LimitsSet | Forgetting


class Whose(Struct, frozen=True, gc=False):
    """The subjects of one sighting: the deciding one (0: nobody), the other strong ones, and
    the fingerprint's (0 without one). They never change, whoever they turn out to be."""

    subject: Subject
    others: tuple[Subject, ...]
    fingerprint: Subject


class Review(Struct, frozen=True, array_like=True, gc=False):
    """Events to give out anew, those of a device (R6) or of a blocked identifier: what happened
    on it from one time to the other, both included."""

    subject: Subject
    from_ms: int
    to_ms: int


class Resolution(Struct, frozen=True):
    """One Whose for each sighting of a batch (None for other evidence), in its order."""

    whose: list[Whose | None]
    reviews: list[Review]
