"""Who goes by which identifier: what questions read, as it stands after the last settled batch."""

from collections.abc import Sequence
from typing import Any, Protocol

from msgspec import Struct

from endu.identities.identifier import Kind, Number, Subject
from endu.organizations.organization import OrganizationId


class KnownIdentifier(Struct, frozen=True, kw_only=True):
    """One identifier with what ties it to its identity.

    `proof` is that of the best accepted link (0 to 4; 0 alone or by fingerprint), `standing` is
    "" or one of hub, shared, burned, blocked. `first_seen_ms` is None where only a rule names it.
    """

    subject: Subject
    kind: Kind
    value: str
    number: Number
    proof: int
    asserted: bool
    standing: str
    first_seen_ms: int | None


class Identity(Struct, frozen=True, kw_only=True):
    """A person: the identifiers that are one, under the number of one of them.

    `subject` is that identifier's, and what `owners` in the ledger says of all of them.
    """

    c_user_id: Number
    subject: Subject
    identifiers: tuple[KnownIdentifier, ...]

    @property
    def subjects(self) -> list[Subject]:
        return [identifier.subject for identifier in self.identifiers]


class LinkSeen(Struct, frozen=True, kw_only=True):
    """A link as `explain`, conflicts and hubs show it. `verdict` is accepted, refused, hub,
    shared, blocked or unproven; where refused, `reason` says why and `against` which link stood
    in the way."""

    a: str  # identifiers as text, "discord:1"
    b: str
    proof: int
    claimed_at_ms: int
    first_seq: int  # the record that first showed it; a rule's own record for proof 4
    verdict: str
    reason: str = ""
    against: tuple[str, str] | None = None


class Explanation(Struct, frozen=True, kw_only=True):
    """Why two identifiers are one person, or are not. `path` leads from a to b over accepted
    links, empty where they are not one; `refused` are the links between their two sides."""

    same: bool
    path: tuple[LinkSeen, ...]
    refused: tuple[LinkSeen, ...]


class Change(Struct, frozen=True, kw_only=True):
    """A line of the journal. `seq` is the record that caused it."""

    change_id: int
    at_ms: int
    seq: int
    change: str  # created linked merged split redirected contested hub rule …
    identity: Number
    detail: dict[str, Any]


class Conflict(Struct, frozen=True, kw_only=True):
    """A refused link: the two identities it would have made one, and why it did not."""

    link: LinkSeen
    identities: tuple[Number, Number]


class Hub(Struct, frozen=True, kw_only=True):
    """A connector that too many people claimed: what it says of anyone does not count."""

    identifier: str
    claimed_by: int  # anchors of the kind that claims it most


class Creating(Struct, frozen=True, kw_only=True):
    """What became of a Creation record."""

    c_user_id: Number
    created: bool
    conflict: Explanation | None


class Related(Struct, frozen=True):
    """Whose events also carry one of this identity's identifiers without being its own."""

    subject: Subject  # the deciding identifier's
    mine: Subject


class Directory(Protocol):
    """Every method answers for one organization; another's numbers and identifiers are unknown."""

    async def known_numbers(
        self, organization_id: OrganizationId, numbers: Sequence[Number]
    ) -> set[Number]:
        """Those of them that were ever issued or adopted here."""

    async def by_number(self, organization_id: OrganizationId, number: Number) -> Identity | None:
        """The identity that the number stands for now, by redirect where it is not its name."""

    async def by_identifier(
        self, organization_id: OrganizationId, identifier: str
    ) -> Identity | None:
        """By normalised identifier, "discord:1"; a c_user_id's as `by_number`."""

    async def related(
        self, organization_id: OrganizationId, identity: Identity
    ) -> Sequence[Related]:
        """Pairs seen together on an event whose two sides are different people."""

    async def visits_of(
        self, organization_id: OrganizationId, identity: Identity
    ) -> tuple[Sequence[int], Sequence[int]]:
        """Places of shared devices' events: those that are this identity's though their subject
        is the device's, and those of its own subjects that are somebody else's."""

    async def explain(self, organization_id: OrganizationId, a: str, b: str) -> Explanation | None:
        """None where either identifier is unknown."""

    async def journal(
        self, organization_id: OrganizationId, identity: Identity, before: int, limit: int
    ) -> list[Change]:
        """Newest first, with change_id < before. Those of every number it goes by."""

    async def conflicts(
        self, organization_id: OrganizationId, after: int, limit: int
    ) -> list[tuple[int, Conflict]]:
        """Oldest first, each with its place for the cursor."""

    async def conflicts_of(
        self, organization_id: OrganizationId, identity: Identity
    ) -> list[Conflict]:
        """Those with one of this identity's identifiers at either end."""

    async def hubs(
        self, organization_id: OrganizationId, after: int, limit: int
    ) -> list[tuple[int, Hub]]:
        """Oldest first, each with its place for the cursor."""

    async def creating(self, organization_id: OrganizationId, seq: int) -> Creating | None:
        """What became of the Creation record at this place; None before it settled."""
