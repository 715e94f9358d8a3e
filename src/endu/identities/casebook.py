"""The casebook: identifiers, links and sightings as the resolver keeps them.

The settler alone writes it; questions read the same tables through `Directory`.
"""

from collections.abc import Collection, Mapping, Sequence, Set
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from msgspec import Struct

from endu.identities.evidence import Review
from endu.identities.forgotten import Left, Plan
from endu.identities.identifier import Number, Subject
from endu.identities.linking import Link, Node, Pair
from endu.organizations.organization import OrganizationId


class Seen(Struct, frozen=True, array_like=True, gc=False):
    """A strong identifier on an event that carried this fingerprint, and when first.

    `before` are the stronger identifiers of that event: while any of them identifies someone,
    it is that one that the device was seen with (R5, R6).
    """

    fingerprint: Subject
    subject: Subject
    before: tuple[Subject, ...]
    first_at_ms: int
    first_seq: int

    @property
    def key(self) -> tuple[Subject, Subject, tuple[Subject, ...]]:
        return self.fingerprint, self.subject, self.before


class JournalLine(Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """A change to write down, under the subject that names the identity it happened to."""

    organization_id: OrganizationId
    seq: int
    at_ms: int
    change: str
    subject: Subject
    detail: dict[str, Any]


class StandingRule(Struct, frozen=True, kw_only=True):
    """A rule as it was made, and when and by whom it was taken back."""

    seq: int
    organization_id: OrganizationId
    rule: str
    identifiers: tuple[str, ...]
    author: str
    reason: str
    made_at_ms: int
    taken_back_at_ms: int | None = None
    taken_back_by: str | None = None


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of a Creation. `conflict` are two identifiers of different identities."""

    seq: int
    organization_id: OrganizationId
    number: Number
    created: bool
    conflict: tuple[str, str] | None = None


class Farewell(Struct, frozen=True, kw_only=True):
    """Who is forgotten by the erasure at a place, and what it leaves. `places` are those of their
    events."""

    seq: int
    organization_id: OrganizationId
    asked_at_ms: int
    nodes: tuple[Node, ...]
    places: tuple[int, ...]
    plan: Plan


class Casebook(Protocol):
    """Reads see what was written before in the same transaction. Writing again what is there
    changes nothing, so a batch that is resolved twice leaves the casebook as it was."""

    def transaction(self) -> AbstractAsyncContextManager[None]:
        """Everything written inside is kept at its end, durably, or nothing where it raises."""

    def undone(self) -> AbstractAsyncContextManager[None]:
        """A transaction of which nothing is kept: for trying out."""

    async def find(
        self, organization_id: OrganizationId, names: Collection[str]
    ) -> dict[str, Node]:
        """By text, "discord:1"; those that are unknown are left out."""

    async def bearing(
        self, organization_id: OrganizationId, numbers: Collection[Number]
    ) -> dict[Number, Node]:
        """Whichever identifier bears the number."""

    async def nodes(self, subjects: Set[Subject]) -> list[Node]: ...

    async def clusters(self, clusters: Set[Subject]) -> list[Node]:
        """Every node of these clusters."""

    async def clusters_beside(self, subjects: Set[Subject]) -> set[Subject]:
        """The clusters of the other ends of all links of these subjects."""

    async def all_clusters(self, organization_id: OrganizationId) -> list[Subject]:
        """Every cluster of more than one node, for when a limit changes."""

    async def links_of(self, subjects: Set[Subject]) -> list[Link]:
        """Every link with an end here, whatever its verdict."""

    async def counting_links_of(self, subjects: Set[Subject]) -> list[Link]:
        """Every link with an end here that is accepted or refused."""

    async def links_between(self, pairs: Collection[Pair]) -> list[Link]:
        """Those of the pairs that are links."""

    async def put_nodes(self, nodes: Sequence[Node]) -> None: ...

    async def put_links(self, organization_id: OrganizationId, links: Sequence[Link]) -> None: ...

    async def put_seen(self, seen: Collection[Seen]) -> None: ...

    async def put_owners(self, identity_of: Mapping[Subject, Subject]) -> None:
        """Each change gets the next version."""

    async def put_journal(self, lines: Sequence[JournalLine]) -> None: ...

    async def fingerprints_seen_with(self, subjects: Set[Subject]) -> set[Subject]:
        """The devices that any of these identifiers was seen on."""

    async def seen_first_at(
        self, fingerprints: Set[Subject], places: Collection[int]
    ) -> list[Seen]:
        """What was seen on these devices, where one of these places was the first to say so."""

    async def identities_on(
        self, fingerprints: Set[Subject], blocked: Set[Subject], at_most: int
    ) -> dict[Subject, set[Subject]]:
        """The identities seen on each device; may look no further than `at_most` of them.

        Who is `blocked` was never there; whoever came with them was there instead.
        """

    async def put_reviews(self, reviews: Collection[Review]) -> list[Review]:
        """Adds to the windows that wait, and answers with them as they wait now: one that was
        waiting has grown. They outlive a crash between deciding people and giving out their
        devices' events."""

    async def watched(self) -> set[Subject]:
        """Every subject whose events may be somebody else's: shared devices, blocked ones."""

    async def rules(self, organization_id: OrganizationId) -> list[StandingRule]:
        """Those in force, oldest first."""

    async def put_rule(self, rule: StandingRule) -> bool:
        """False where it was there already."""

    async def take_back(
        self, organization_id: OrganizationId, rule_seq: int, at_ms: int, author: str
    ) -> StandingRule | None:
        """The rule that is no longer in force; None where none was."""

    async def limits(self, organization_id: OrganizationId) -> dict[str, int]:
        """What was set; empty where nothing was."""

    async def put_limits(
        self, organization_id: OrganizationId, limits: Mapping[str, int]
    ) -> None: ...

    async def every_rule(self, organization_id: OrganizationId) -> list[StandingRule]:
        """Those that were taken back too."""

    async def members(self, subject: Subject) -> list[Node]:
        """Every node, devices too, of the identity that this one is of."""

    async def forget(self, farewell: Farewell) -> None:
        """Takes out the nodes, their links and sightings, the rules and the lines of the journal
        that name them, and what creations of them came to; keeps the farewell for whoever carries
        the rest of the erasure out."""

    async def plan_of(self, seq: int) -> Plan | None:
        """Of the erasure asked for at this place; None before it was forgotten whom."""

    async def left_behind(self, seq: int) -> list[Left]:
        """What erasures left that were asked for behind this place: there are some only where the
        log is settled again."""

    async def has_creation(self, seq: int) -> bool: ...

    async def conflicts_of(
        self, organization_id: OrganizationId, names: Collection[str]
    ) -> list[int]:
        """Where an identity was to be made beforehand, and was not, for the conflict of one of
        these with another."""

    async def created_with(self, subjects: Set[Subject]) -> set[Subject]:
        """Those of them that an identity made beforehand may have named."""

    async def put_creation(self, outcome: Outcome) -> None: ...
