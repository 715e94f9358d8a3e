"""Event types over HTTP: registering (seed 002), listing, and changing schemas."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from endu.event_types.catalog import Catalog
from endu.event_types.event_type import (
    DISPLAY_NAME_LENGTH,
    GLOBAL_NAMES,
    NAME_LENGTH,
    EventType,
    EventTypeId,
    SchemaMode,
    SchemaVersion,
)
from endu.event_types.registrar import DryRun, Registered, Registration, try_schema
from endu.journeys.recent import recent_event_data
from endu.journeys.scope import Time, rfc3339
from endu.organizations.keyring import Scope
from endu.refusals import Reason, Refusal
from endu.web.endpoint import Call, Nothing, endpoint
from endu.web.lists import Cursor, Fresh, Limit, Page, read_cursor, write_cursor

GROUP = "Event types"

# Enough to see what a schema would do to today's traffic, in one quick read of the ledger.
TRIED_ON = 10_000


def _documented(**schema: Any) -> Meta:
    """Says in the OpenAPI document what the registrar checks, in the seed's own words."""
    return Meta(extra_json_schema=schema)


class NewEventType(Struct, frozen=True):
    event_type: Annotated[
        Any,
        _documented(
            type="string",
            maxLength=NAME_LENGTH,
            pattern="^[A-Z]+(_[A-Z]+)*$",
            description="Uppercase words joined by single underscores.",
        ),
    ] = None
    event_display_name: Annotated[
        Any, _documented(type="string", maxLength=DISPLAY_NAME_LENGTH)
    ] = None
    event_data_schema: Annotated[
        Any,
        _documented(
            type="object",
            description="The seed's small language (`string`, `number`, `integer`, `boolean`, "
            "`array`, `any`, nested objects, `key?` for what may be missing), or a JSON Schema "
            "with `$schema`.",
        ),
    ] = None
    confirm_overwrite: Annotated[Any, _documented(type="boolean")] = False


class SchemaShown(Struct, frozen=True):
    version: int
    event_data_schema: dict[str, Any]
    mode: SchemaMode
    created_at: Time


class EventTypeShown(Struct, frozen=True):
    """`is_current` says whether new events of this name belong to this registration."""

    event_id: EventTypeId
    event_type: str
    event_display_name: str
    is_global: bool
    is_current: bool
    created_at: Time
    event_id_previous: EventTypeId | None
    schema: SchemaShown | None


class EventTypesQuery(Struct, frozen=True, forbid_unknown_fields=True):
    limit: Limit = 100
    cursor: Cursor = None
    fresh: Fresh = False


class EventTypeQuery(Struct, frozen=True, forbid_unknown_fields=True):
    event_id: str
    fresh: Fresh = False


class SchemaQuery(Struct, frozen=True, forbid_unknown_fields=True):
    event_id: str


class NewSchema(Struct, frozen=True, forbid_unknown_fields=True):
    event_data_schema: dict[str, Any]
    mode: SchemaMode = SchemaMode.FLAG
    dry_run: bool = False


class SchemaChanged(Struct, frozen=True):
    """`version` is null after a dry run. `checked` is how many of the newest events were tried."""

    event_id: EventTypeId
    version: int | None
    mode: SchemaMode
    dry_run: bool
    checked: int
    violating: int
    examples: list[dict[str, Any]]


@endpoint(
    "POST",
    "/events/create/eventid",
    group=GROUP,
    needs=Scope.MANAGE,
    refusals=(
        Reason.INVALID_FORMAT,
        Reason.RESERVED_EVENT_TYPE,
        Reason.DUPLICATE_EVENT_TYPE,
        Reason.EVENT_TYPE_LIMIT,
        Reason.INVALID_SCHEMA,
    ),
)
async def create_event_type(call: Call[Nothing, NewEventType]) -> Registered:
    """Register an event type.

    With `confirm_overwrite` a name that exists gets a new `event_id`; events recorded under the
    former one stay as they are.
    """
    body = call.body
    registration = Registration(
        body.event_type, body.event_display_name, body.event_data_schema, body.confirm_overwrite
    )
    parts = call.parts
    return await parts.registrar.register(call.caller.organization, registration, parts.now_ms())


@endpoint("GET", "/event-types", group=GROUP, needs=Scope.READ)
async def list_event_types(call: Call[EventTypesQuery, None]) -> Page[EventTypeShown]:
    """Every registration, oldest first, global ones before them."""
    (begin,) = read_cursor(call.query.cursor, (0,))
    every = call.parts.catalog.all(call.organization_id)
    end = begin + call.query.limit
    items = [_shown(each, call.parts.catalog) for each in every[begin:end]]
    return Page(items, write_cursor(end) if end < len(every) else None)


@endpoint(
    "GET", "/event-types/{event_id}", group=GROUP, needs=Scope.READ, refusals=(Reason.NOT_FOUND,)
)
async def get_event_type(call: Call[EventTypeQuery, None]) -> EventTypeShown:
    """One registration, by its id."""
    return _shown(_found(call, call.query.event_id), call.parts.catalog)


@endpoint(
    "PUT",
    "/event-types/{event_id}/schema",
    group=GROUP,
    needs=Scope.MANAGE,
    refusals=(Reason.NOT_FOUND, Reason.INVALID_SCHEMA),
)
async def put_schema(call: Call[SchemaQuery, NewSchema]) -> SchemaChanged:
    """Change what event_data should look like.

    The schema gets a new version; events that are there stay as they are. The answer says how
    many of the type's newest 10,000 events the new one finds fault with, with three examples.
    With `dry_run` nothing is changed.
    """
    body, parts = call.body, call.parts
    event_type = _found(call, call.query.event_id)
    tried = await _try_schema(call, event_type, body.event_data_schema)
    version: SchemaVersion | None = None
    if not body.dry_run:
        version = await parts.registrar.set_schema(
            call.caller.organization,
            event_type.event_id,
            body.event_data_schema,
            body.mode,
            parts.now_ms(),
        )
    return SchemaChanged(
        event_type.event_id,
        version.version if version else None,
        body.mode,
        body.dry_run,
        tried.checked,
        tried.violating,
        list(tried.examples),
    )


ENDPOINTS = (create_event_type, list_event_types, get_event_type, put_schema)


async def _try_schema(
    call: Call[SchemaQuery, NewSchema], event_type: EventType, schema: dict[str, Any]
) -> DryRun:
    events = recent_event_data(
        call.parts.ledger, call.organization_id, event_type.event_id, TRIED_ON
    )
    return await try_schema(schema, events)


def _found(call: Call[Any, Any], event_id: str) -> EventType:
    found = call.parts.catalog.find(call.organization_id, EventTypeId(event_id))
    if found is None:
        raise Refusal(Reason.NOT_FOUND, "Your organization has no event type of that event_id.")
    return found


def _shown(event_type: EventType, catalog: Catalog) -> EventTypeShown:
    current = catalog.current(event_type.organization_id, event_type.name)
    return EventTypeShown(
        event_id=event_type.event_id,
        event_type=event_type.name,
        event_display_name=event_type.display_name,
        is_global=event_type.name in GLOBAL_NAMES,
        is_current=current is not None and current.event_id == event_type.event_id,
        created_at=rfc3339(event_type.created_at_ms),
        event_id_previous=event_type.previous,
        schema=None if event_type.schema is None else _schema_shown(event_type.schema),
    )


def _schema_shown(schema: SchemaVersion) -> SchemaShown:
    return SchemaShown(schema.version, schema.schema, schema.mode, rfc3339(schema.created_at_ms))
