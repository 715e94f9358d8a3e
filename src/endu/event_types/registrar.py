"""Registering event types (seed 002), and putting schemas in force."""

from collections.abc import AsyncIterator, Callable
from typing import Any

from msgspec import Struct

from endu.event_types.catalog import Catalog
from endu.event_types.event_type import EventTypeId, SchemaMode, SchemaVersion
from endu.organizations.organization import Organization


class Registration(Struct, frozen=True):
    """The body of POST /events/create/eventid. Keys it does not know are let be.

    Untyped: what is not of the right type is refused in the seed's words, by `register`.
    """

    event_type: Any = None
    event_display_name: Any = None
    event_data_schema: Any = None
    confirm_overwrite: Any = False


class Registered(Struct, frozen=True, omit_defaults=True):
    """`data` of the answer, as the seed has it."""

    event_id: EventTypeId
    event_id_previous: EventTypeId | None = None


class DryRun(Struct, frozen=True):
    """What a schema would have said of events that are there."""

    checked: int
    violating: int
    examples: tuple[dict[str, Any], ...]  # at most 3: {"event_data": …, "violations": […]}


class Registrar:
    """`randomness(n)` gives n random bytes: os.urandom."""

    def __init__(self, catalog: Catalog, randomness: Callable[[int], bytes]) -> None:
        self._catalog = catalog
        self._randomness = randomness

    async def register(
        self, organization: Organization, registration: Registration, now_ms: int
    ) -> Registered:
        """Raises Refusal: INVALID_FORMAT, RESERVED_EVENT_TYPE, DUPLICATE_EVENT_TYPE,
        EVENT_TYPE_LIMIT, INVALID_SCHEMA."""
        raise NotImplementedError

    async def set_schema(
        self,
        organization: Organization,
        event_id: EventTypeId,
        schema: Any,
        mode: Any,
        now_ms: int,
    ) -> SchemaVersion:
        """Puts a new version in force. Raises Refusal: NOT_FOUND, INVALID_SCHEMA,
        INVALID_REQUEST (mode)."""
        raise NotImplementedError


async def try_schema(schema: Any, event_data: AsyncIterator[str]) -> DryRun:
    """How many of these events the schema would find fault with. Raises Refusal INVALID_SCHEMA."""
    raise NotImplementedError


DEFAULT_MODE = SchemaMode.FLAG
