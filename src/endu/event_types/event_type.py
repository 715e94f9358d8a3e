"""A kind of thing that can be done, and the rules for naming one (seed 002)."""

import re
from enum import StrEnum
from typing import Any, NewType

from msgspec import Struct

from endu.organizations.organization import OrganizationId

EventTypeId = NewType("EventTypeId", str)

NAME_LENGTH = 50
DISPLAY_NAME_LENGTH = 50

# Uppercase words joined by single underscores. No nested repetition: this is linear in the text.
_NAME = re.compile(r"[A-Z]+(?:_[A-Z]+)*")

# Defined globally: in every organization from the start, and nobody may register them again.
GLOBAL_NAMES = (
    "BEGIN_ENTITY",
    "LINK_TRACKING_CLICK",
    "BLOCKCHAIN_ACCOUNT_SIGN_IN",
    "BEGIN_EVENT",
)


class SchemaMode(StrEnum):
    OFF = "off"  # nothing is checked
    FLAG = "flag"  # the event is accepted, its violations are kept with it and counted
    REFUSE = "refuse"  # the event is refused with SCHEMA_VIOLATION


class SchemaVersion(Struct, frozen=True):
    """One version of an event type's schema, as it was given."""

    version: int
    schema: dict[str, Any]
    mode: SchemaMode
    created_at_ms: int


class EventType(Struct, frozen=True, kw_only=True):
    """One registration of a name. Overwriting makes another, which points back to this."""

    event_id: EventTypeId
    organization_id: OrganizationId
    name: str
    display_name: str
    created_at_ms: int
    previous: EventTypeId | None = None
    schema: SchemaVersion | None = None  # the version that is in force


def is_valid_name(text: str) -> bool:
    return len(text) <= NAME_LENGTH and _NAME.fullmatch(text) is not None


def global_event_types(organization_id: OrganizationId) -> list[EventType]:
    """The same ids in every organization: what is global has one name and one id."""
    return [
        EventType(
            event_id=EventTypeId(name),
            organization_id=organization_id,
            name=name,
            display_name=name.replace("_", " ").title(),
            created_at_ms=0,
        )
        for name in GLOBAL_NAMES
    ]
