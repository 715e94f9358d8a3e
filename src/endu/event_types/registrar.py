"""Registering event types (seed 002), and putting schemas in force."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
from msgspec import Struct

from endu.event_types.catalog import Catalog
from endu.event_types.data_schema import compile_schema
from endu.event_types.event_type import (
    DISPLAY_NAME_LENGTH,
    GLOBAL_NAMES,
    EventType,
    EventTypeId,
    SchemaMode,
    SchemaVersion,
    is_valid_name,
)
from endu.ids import new_id
from endu.organizations.organization import Organization, OrganizationId
from endu.refusals import Reason, Refusal

DEFAULT_MODE = SchemaMode.FLAG
EXAMPLES_AT_MOST = 3


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
    """What a schema would have said of events that are there. An example is
    {"event_data": …, "violations": […]}."""

    checked: int
    violating: int
    examples: tuple[dict[str, Any], ...]


class Registrar:
    """`randomness(n)` gives n random bytes: os.urandom."""

    def __init__(self, catalog: Catalog, randomness: Callable[[int], bytes]) -> None:
        self._catalog = catalog
        self._randomness = randomness
        self._one_at_a_time = asyncio.Lock()  # two of one name must not both be the first

    async def register(
        self, organization: Organization, registration: Registration, now_ms: int
    ) -> Registered:
        """Raises Refusal: INVALID_FORMAT, RESERVED_EVENT_TYPE, DUPLICATE_EVENT_TYPE,
        EVENT_TYPE_LIMIT, INVALID_SCHEMA."""
        name, display_name = _names(registration)
        async with self._one_at_a_time:
            previous = self._previous(organization, name, registration)
            schema = _first_version(registration.event_data_schema, now_ms)
            event_type = EventType(
                event_id=EventTypeId(new_id(now_ms, self._randomness(10))),
                organization_id=organization.organization_id,
                name=name,
                display_name=display_name,
                created_at_ms=now_ms,
                previous=previous,
                schema=schema,
            )
            await self._catalog.add(event_type)
        return Registered(event_type.event_id, previous)

    async def set_schema(
        self,
        organization: Organization,
        event_id: EventTypeId,
        schema: Any,
        mode: SchemaMode,
        now_ms: int,
    ) -> SchemaVersion:
        """Puts a new version in force. Raises Refusal: NOT_FOUND, INVALID_SCHEMA."""
        organization_id = organization.organization_id
        if self._catalog.find(organization_id, event_id) is None:
            raise Refusal(Reason.NOT_FOUND)
        compile_schema(schema)
        async with self._one_at_a_time:
            former = await self._catalog.schema_versions(organization_id, event_id)
            number = former[-1].version + 1 if former else 1
            version = SchemaVersion(number, schema, mode, now_ms)
            await self._catalog.set_schema(organization_id, event_id, version)
        return version

    def _previous(
        self, organization: Organization, name: str, registration: Registration
    ) -> EventTypeId | None:
        """The registration that this one would follow. Raises Refusal where it may not."""
        current = self._catalog.current(organization.organization_id, name)
        if current is not None:
            if registration.confirm_overwrite is not True:
                raise Refusal(Reason.DUPLICATE_EVENT_TYPE)
            return current.event_id
        most = organization.settings.event_types_at_most
        if self._names_of(organization.organization_id) >= most:
            raise Refusal(
                Reason.EVENT_TYPE_LIMIT,
                f"The organization has its {most} event types; ask the operator for more.",
            )
        return None

    def _names_of(self, organization_id: OrganizationId) -> int:
        """How many names were registered: overwriting one does not make two of it."""
        names = {event_type.name for event_type in self._catalog.all(organization_id)}
        return len(names.difference(GLOBAL_NAMES))


async def try_schema(schema: Any, event_data: AsyncIterator[str]) -> DryRun:
    """How many of these events the schema would find fault with. Raises Refusal INVALID_SCHEMA."""
    check = compile_schema(schema)
    checked, violating = 0, 0
    examples: list[dict[str, Any]] = []
    async for text in event_data:
        data: dict[str, Any] = msgspec.json.decode(text)
        violations = check(data)
        checked += 1
        violating += bool(violations)
        if violations and len(examples) < EXAMPLES_AT_MOST:
            examples.append({"event_data": data, "violations": violations})
        await asyncio.sleep(0)  # a check may take 20 ms, and there are 10,000 of them
    return DryRun(checked, violating, tuple(examples))


def _names(registration: Registration) -> tuple[str, str]:
    name, display_name = registration.event_type, registration.event_display_name
    if not isinstance(name, str) or not is_valid_name(name):
        raise Refusal(Reason.INVALID_FORMAT)
    if name in GLOBAL_NAMES:
        raise Refusal(Reason.RESERVED_EVENT_TYPE)
    if display_name is None:
        display_name = name.replace("_", " ").title()
    if not isinstance(display_name, str) or len(display_name) > DISPLAY_NAME_LENGTH:
        raise Refusal(Reason.INVALID_FORMAT)
    return name, display_name


def _first_version(schema: Any, now_ms: int) -> SchemaVersion | None:
    """None for an empty one, which asks for nothing."""
    if schema is None or schema == {}:
        return None
    compile_schema(schema)
    return SchemaVersion(1, schema, DEFAULT_MODE, now_ms)
