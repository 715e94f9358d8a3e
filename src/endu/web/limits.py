"""Limits over HTTP: readable by every key that may read, changed by the operator."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType, structs, to_builtins

from endu.event_types.catalog import Catalog
from endu.event_types.event_type import DISPLAY_NAME_LENGTH, NAME_LENGTH
from endu.events.inbox import NOT_ACKNOWLEDGED
from endu.events.json_text import KEY_LENGTH, KEYS, LEVELS
from endu.events.wire import MESSAGE_ID_LENGTH, PROPERTY_ID_LENGTH
from endu.identities.evidence import LimitsSet
from endu.identities.identifier import LENGTH
from endu.identities.linking import DEFAULT_LIMITS
from endu.organizations.keyring import KeyKind, Scope
from endu.organizations.organization import (
    OrganizationId,
    OrganizationSettings,
    UnknownNumber,
)
from endu.refusals import Problem, Reason, Refusal
from endu.web.endpoint import Call, Nothing, endpoint
from endu.web.log import keep

GROUP = "Organizations"

LARGEST_EVENT = 1024 * 1024
LARGEST_BATCH = 64 * 1024 * 1024

# Of an identity's identifiers: more than this and each recomputation would read thousands.
IDENTIFIERS_AT_MOST = 1_000

FIXED = {
    "event_data_levels": LEVELS,
    "event_data_keys": KEYS,
    "key_characters": KEY_LENGTH,
    "identifier_characters": LENGTH,
    "message_id_characters": MESSAGE_ID_LENGTH,
    "property_id_characters": PROPERTY_ID_LENGTH,
    "event_type_characters": NAME_LENGTH,
    "event_display_name_characters": DISPLAY_NAME_LENGTH,
    "items_per_page": 1_000,
}

Count = Annotated[int, Meta(ge=0, le=1_000_000)]
EventRate = Annotated[int, Meta(ge=1, le=10_000_000)]


Days = Annotated[int, Meta(ge=1, le=36_500)] | None


class WouldLetGo(Struct, frozen=True):
    """How many events and failed events are older than they would be kept."""

    events: int
    failed_events: int


class LimitsShown(Struct, frozen=True, kw_only=True):
    """`settings` and `identity` can be changed by the operator; `fixed` cannot.

    `identity` is how many of each an identity may hold: asserted numbers, accounts of a
    platform, wallets. `would_let_go` answers a `dry_run`, and is null otherwise.
    """

    organization_id: OrganizationId
    settings: OrganizationSettings
    identity: dict[str, int]
    fixed: dict[str, int]
    would_let_go: WouldLetGo | None = None


class LimitsChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What is left out stays as it is. Sizes are in bytes.

    Events that happened more than `retention_days` ago are let go of within the hour, for good;
    null keeps them for ever, and so it is by default. `retention_days_by_event_type` has days (or
    null) of its own for some event types, by name, and is replaced as a whole. With `dry_run`
    nothing changes, and the answer says what these days would let go of now.
    """

    record_always_200: bool | UnsetType = UNSET
    unknown_c_user_id: UnknownNumber | UnsetType = UNSET
    event_types_at_most: Count | UnsetType = UNSET
    identities_created_per_hour: Count | UnsetType = UNSET
    event_bytes_at_most: Annotated[int, Meta(ge=1024, le=LARGEST_EVENT)] | UnsetType = UNSET
    events_per_batch_at_most: Annotated[int, Meta(ge=1, le=100_000)] | UnsetType = UNSET
    batch_bytes_at_most: Annotated[int, Meta(ge=1024, le=LARGEST_BATCH)] | UnsetType = UNSET
    events_per_second_at_most: EventRate | UnsetType = UNSET
    events_burst_at_most: EventRate | UnsetType = UNSET
    retention_days: Days | UnsetType = UNSET
    retention_days_by_event_type: dict[str, Days] | UnsetType = UNSET
    dry_run: bool = False
    identity: dict[str, Annotated[int, Meta(ge=1, le=IDENTIFIERS_AT_MOST)]] | UnsetType = UNSET


class OrganizationQuery(Struct, frozen=True, forbid_unknown_fields=True):
    organization_id: str


@endpoint("GET", "/limits", group=GROUP, needs=Scope.READ)
async def get_limits(call: Call[Nothing, None]) -> LimitsShown:
    """Every limit that holds for the organization, and its settings."""
    return await _shown(call, call.organization_id)


@endpoint(
    "PUT",
    "/organizations/{organization_id}/limits",
    group=GROUP,
    needs=KeyKind.OPERATOR,
    refusals=(Reason.NOT_FOUND, *NOT_ACKNOWLEDGED, Reason.NOT_SETTLED),
)
async def put_limits(call: Call[OrganizationQuery, LimitsChange]) -> LimitsShown:
    """Change an organization's settings and limits.

    Limits of `identity` decide anew who is who: the answer comes once that is done. What
    `retention_days` lets go of cannot be had back: ask with `dry_run` first.
    """
    parts, body = call.parts, call.body
    organization = parts.organizations.find(OrganizationId(call.query.organization_id))
    if organization is None:
        raise Refusal(Reason.NOT_FOUND, "There is no organization of that id.")
    organization_id = organization.organization_id
    identity = {} if body.identity is UNSET else body.identity
    _must_be_limits_of_identities(identity)
    changed = {k: v for k, v in to_builtins(body).items() if k not in ("identity", "dry_run")}
    _must_be_event_types(parts.catalog, organization_id, body.retention_days_by_event_type)
    settings = structs.replace(organization.settings, **changed)
    if body.dry_run:
        return await _shown(call, organization_id, settings)
    if changed:
        await parts.organizations.set(organization_id, settings)
    if identity:
        now = await parts.identity_limits(organization_id)
        record = LimitsSet(
            organization_id=organization_id,
            received_at_ms=parts.now_ms(),
            limits={**now, **identity},
        )
        await keep(parts, record)
        await parts.fresh()
    return await _shown(call, organization_id)


ENDPOINTS = (get_limits, put_limits)


def _must_be_limits_of_identities(identity: dict[str, int]) -> None:
    unknown = sorted(identity.keys() - DEFAULT_LIMITS.keys())
    if unknown:
        known = ", ".join(DEFAULT_LIMITS)
        problems = [Problem(f"identity.{name}", f"is none of {known}") for name in unknown]
        raise Refusal(Reason.INVALID_REQUEST, problems=problems)


def _must_be_event_types(
    catalog: Catalog, organization_id: OrganizationId, named: dict[str, Any] | UnsetType
) -> None:
    """A name that is misspelt would keep nothing."""
    unknown = [name for name in named or () if not catalog.chain(organization_id, name)]
    if unknown:
        path = "retention_days_by_event_type"
        problems = [Problem(f"{path}.{name}", "is no event type") for name in sorted(unknown)]
        raise Refusal(Reason.INVALID_REQUEST, problems=problems)


async def _shown(
    call: Call[Any, Any], organization_id: OrganizationId, tried: OrganizationSettings | None = None
) -> LimitsShown:
    """`tried` are settings to be asked about, and not to be set."""
    parts = call.parts
    organization = parts.organizations.find(organization_id)
    assert organization is not None  # found before; organizations are never removed
    expired = await parts.letting_go.expired(organization_id, tried) if tried else None
    return LimitsShown(
        organization_id=organization_id,
        settings=organization.settings,
        identity={**DEFAULT_LIMITS, **await parts.identity_limits(organization_id)},
        fixed=FIXED,
        would_let_go=WouldLetGo(expired.events, expired.failed_events) if expired else None,
    )
