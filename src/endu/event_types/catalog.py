"""The event types an organization may use, answered from memory."""

from collections.abc import Sequence
from typing import Protocol

from endu.event_types.data_schema import Check
from endu.event_types.event_type import EventType, EventTypeId, SchemaVersion
from endu.organizations.organization import OrganizationId


class Catalog(Protocol):
    """Holds the global types in every organization beside those that were registered.

    Reads answer from memory; a write returns once it would survive a power cut, and is seen by
    the next read.
    """

    def current(self, organization_id: OrganizationId, name: str) -> EventType | None:
        """The registration that new events of this name belong to."""

    def chain(self, organization_id: OrganizationId, name: str) -> Sequence[EventType]:
        """Every registration the name ever had, oldest first; empty if there was none."""

    def find(self, organization_id: OrganizationId, event_id: EventTypeId) -> EventType | None:
        """By id, former registrations too; None if it is not this organization's."""

    def all(self, organization_id: OrganizationId) -> list[EventType]:
        """Every registration, oldest first, global ones before them."""

    async def add(self, event_type: EventType) -> None:
        """A new registration; it becomes the current one of its name."""

    async def set_schema(
        self, organization_id: OrganizationId, event_id: EventTypeId, version: SchemaVersion
    ) -> None:
        """Puts a schema version in force; the former ones are kept."""

    async def schema_versions(
        self, organization_id: OrganizationId, event_id: EventTypeId
    ) -> list[SchemaVersion]:
        """Oldest first."""

    def check_of(self, event_type: EventType) -> Check | None:
        """Its schema in force, compiled once; None where there is nothing to check."""
