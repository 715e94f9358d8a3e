"""Properties: servers, chats and sites, known from the events that name them."""

from collections.abc import Mapping
from typing import Protocol

from endu.organizations.organization import OrganizationId, Property, PropertyId


class Properties(Protocol):
    async def note(self, first_seen_ms: Mapping[tuple[OrganizationId, PropertyId], int]) -> None:
        """The earliest time stays, in whichever order and how often ever they are noted."""

    async def of(self, organization_id: OrganizationId) -> list[Property]:
        """Oldest first."""
