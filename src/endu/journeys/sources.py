"""What questions are asked of: one organization's events and people, at one moment."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from endu.event_types.catalog import Catalog
from endu.events.ledger import Ledger, Visited
from endu.identities.identifier import Number, Subject
from endu.organizations.organization import OrganizationId


class Person(Struct, frozen=True):
    """`subjects` are all those among whose events are this person's."""

    c_user_id: Number
    subjects: list[Subject]


class People(Protocol):
    """What questions need to know of an organization's people."""

    async def visited(self, organization_id: OrganizationId) -> Visited:
        """Which events may be somebody else's than their subject says."""

    async def known(
        self, organization_id: OrganizationId, identities: Sequence[Subject]
    ) -> dict[Subject, Person]:
        """By the subject that names each identity; those that are unknown are missing."""

    async def tell_numbers(self, ledger: Ledger) -> None:
        """Returns once SQL in that ledger sees every number that a caller brought (R7)."""

    async def rules_version(self, organization_id: OrganizationId) -> int:
        """How often the organization's rules were changed: made, or taken back."""


class Sources(Struct, frozen=True):
    """`now_ms` is when the question is asked, for all that follows from it."""

    organization_id: OrganizationId
    now_ms: int
    ledger: Ledger
    catalog: Catalog
    people: People
