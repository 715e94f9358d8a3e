"""On whose behalf events are recorded: an organization, its properties, its settings."""

from typing import Literal, NewType, Protocol

from msgspec import Struct

OrganizationId = NewType("OrganizationId", str)
PropertyId = NewType("PropertyId", str)

UnknownNumber = Literal["adopt", "refuse"]


class OrganizationSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operator may set for one organization. Sizes are in bytes."""

    record_always_200: bool = False  # for clients that need exactly the seed's "empty 200" always
    unknown_c_user_id: UnknownNumber = "adopt"
    event_types_at_most: int = 100  # seed 002; expanded on request
    identities_created_per_hour: int = 500
    event_bytes_at_most: int = 32 * 1024
    events_per_batch_at_most: int = 2_000
    batch_bytes_at_most: int = 5 * 1024 * 1024
    # Of each key. More than one machine keeps: a limit for those who want one.
    events_per_second_at_most: int = 100_000
    events_burst_at_most: int = 1_000_000
    # Older events are let go of, for good; None: never. By the event type's name where it has days
    # of its own.
    retention_days: int | None = None
    retention_days_by_event_type: dict[str, int | None] = {}


class Organization(Struct, frozen=True):
    organization_id: OrganizationId
    name: str
    created_at_ms: int
    settings: OrganizationSettings = OrganizationSettings()


class Property(Struct, frozen=True):
    """A server, a chat, a site: discovered from the events that name it."""

    property_id: PropertyId
    first_seen_ms: int


class Organizations(Protocol):
    """All organizations of this instance. Reads answer from memory."""

    def find(self, organization_id: OrganizationId) -> Organization | None:
        """None where it does not exist."""

    def all(self) -> list[Organization]:
        """Oldest first."""

    async def add(self, organization: Organization) -> None:
        """Returns once it would survive a power cut."""

    async def set(self, organization_id: OrganizationId, settings: OrganizationSettings) -> None:
        """Returns once the settings would survive a power cut; every caller sees them at once."""
