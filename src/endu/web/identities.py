"""Identities over HTTP: made beforehand, looked up, their timelines and journals."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct, field, to_builtins

from endu.events.event import RecordId
from endu.events.inbox import NOT_ACKNOWLEDGED
from endu.identities.directory import Change, Identity, KnownIdentifier
from endu.identities.evidence import Creation
from endu.identities.identifier import Kind, NotAnIdentifier, Number, parse_identifier
from endu.journeys.scope import Time, rfc3339
from endu.journeys.seen import Seen, when_seen
from endu.journeys.timeline import Item, TimelineQuestion, ask_timeline
from endu.organizations.keyring import Scope
from endu.refusals import Problem, Reason, Refusal
from endu.web.endpoint import Call, Nothing, endpoint
from endu.web.explaining import explanation_shown
from endu.web.lists import Cursor, Fresh, Limit, Page, read_cursor, write_cursor
from endu.web.log import ids_of, keep
from endu.web.prefill import Prefill, identifiers_of
from endu.web.rates import HOUR_SECONDS

GROUP = "Identities"

# Newer than everything: numbers of 63 bits.
NEWEST = ((1 << 63) - 1, (1 << 63) - 1)


class NewIdentity(Struct, frozen=True, forbid_unknown_fields=True):
    prefill: Prefill = field(default_factory=Prefill)


class CreatedIdentity(Struct, frozen=True):
    """`created` is false where one of the identifiers had an identity already."""

    c_user_id: Number
    created: bool


class IdentifierShown(Struct, frozen=True, kw_only=True):
    """`proof` is that of its best link, 0 to 4; `standing` is hub, shared, burned, blocked or
    empty; `c_user_id` is its own number, which it keeps through every join and split."""

    kind: Kind
    value: str
    c_user_id: Number
    proof: int
    asserted: bool
    standing: str
    first_seen: Time | None
    last_seen: Time | None
    events: int


class IdentityShown(Struct, frozen=True, kw_only=True):
    """A person. `redirected_from` is the number that was asked for where it is another one."""

    c_user_id: Number
    redirected_from: Number | None
    first_seen: Time | None
    last_seen: Time | None
    identifiers: list[IdentifierShown]


class LookupQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Exactly one of the identifiers; `chain_type` goes with `wallet`."""

    discord: str | None = None
    telegram: str | None = None
    wallet: str | None = None
    chain_type: str | None = None
    fingerprint: str | None = None
    fresh: Fresh = False


class IdentityQuery(Struct, frozen=True, forbid_unknown_fields=True):
    c_user_id: str
    fresh: Fresh = False


class IdentityPageQuery(Struct, frozen=True, forbid_unknown_fields=True):
    c_user_id: str
    limit: Limit = 50
    cursor: Cursor = None
    fresh: Fresh = False


class ChangeShown(Struct, frozen=True):
    """A line of the journal; `record_id` is the record that caused it."""

    at: Time
    change: str
    c_user_id: Number
    record_id: RecordId | None
    detail: dict[str, Any]


@endpoint(
    "POST",
    "/events/create/identity",
    group=GROUP,
    needs=Scope.MANAGE,
    refusals=(
        Reason.IDENTITY_CONFLICT,
        Reason.RATE_LIMITED,
        *NOT_ACKNOWLEDGED,
        Reason.NOT_SETTLED,
    ),
)
async def create_identity(call: Call[Nothing, NewIdentity]) -> CreatedIdentity:
    """Make an identity before there is an event of it.

    It is tied to the prefilled identifiers. Asked again with the same ones, the same number is
    answered. 500 an hour and organization, unless the operator allows more.
    """
    parts, organization = call.parts, call.caller.organization
    identifiers = identifiers_of(call.body.prefill)
    now_ms = parts.now_ms()
    await _spend(call, now_ms)
    seq = await keep(
        parts,
        Creation(
            organization_id=organization.organization_id,
            received_at_ms=now_ms,
            identifiers=identifiers,
        ),
    )
    await parts.fresh()
    made = await parts.directory.creating(organization.organization_id, seq)
    if made is None:
        raise Refusal(Reason.NOT_SETTLED)
    if made.conflict is not None:
        shown = await explanation_shown(parts, organization.organization_id, made.conflict)
        raise Refusal(Reason.IDENTITY_CONFLICT, data={"conflict": to_builtins(shown)})
    return CreatedIdentity(made.c_user_id, made.created)


@endpoint("GET", "/identities", group=GROUP, needs=Scope.READ, refusals=(Reason.NOT_FOUND,))
async def find_identity(call: Call[LookupQuery, None]) -> IdentityShown:
    """Who goes by an identifier.

    Give exactly one of discord, telegram, wallet (with its chain_type) and fingerprint.
    """
    identifier = _asked_for(call.query)
    identity = await call.parts.directory.by_identifier(call.organization_id, identifier)
    if identity is None:
        raise Refusal(Reason.NOT_FOUND, f"Nobody in your organization goes by {identifier}.")
    return await identity_shown(call, identity, None)


@endpoint(
    "GET", "/identities/{c_user_id}", group=GROUP, needs=Scope.READ, refusals=(Reason.NOT_FOUND,)
)
async def get_identity(call: Call[IdentityQuery, None]) -> IdentityShown:
    """One person by number: identifiers, how well each is proved, first and last seen."""
    number = Number(call.query.c_user_id)
    identity = await found_identity(call, number)
    return await identity_shown(call, identity, None if identity.c_user_id == number else number)


@endpoint(
    "GET",
    "/identities/{c_user_id}/timeline",
    group=GROUP,
    needs=Scope.READ,
    refusals=(Reason.NOT_FOUND,),
)
async def get_timeline(call: Call[IdentityPageQuery, None]) -> Page[Item]:
    """What one person did, newest first, and which identifier put each event there."""
    query, parts = call.query, call.parts
    identity = await found_identity(call, Number(query.c_user_id))
    before_ms, before_seq = read_cursor(query.cursor, NEWEST)
    timeline = await ask_timeline(
        TimelineQuestion(call.organization_id, identity, (before_ms, before_seq), query.limit),
        parts.directory,
        parts.ledger,
        parts.catalog,
        parts.scramble,
    )
    return Page(timeline.items, write_cursor(*timeline.next) if timeline.next else None)


@endpoint(
    "GET",
    "/identities/{c_user_id}/journal",
    group=GROUP,
    needs=Scope.READ,
    refusals=(Reason.NOT_FOUND,),
)
async def get_journal(call: Call[IdentityPageQuery, None]) -> Page[ChangeShown]:
    """How this identity came to be as it is, newest change first."""
    query, parts = call.query, call.parts
    identity = await found_identity(call, Number(query.c_user_id))
    (before,) = read_cursor(query.cursor, NEWEST[:1])
    organization_id = call.organization_id
    changes = await parts.directory.journal(organization_id, identity, before, query.limit + 1)
    shown = changes[: query.limit]
    more = len(changes) > len(shown)
    return Page(
        await changes_shown(call, shown), write_cursor(shown[-1].change_id) if more else None
    )


ENDPOINTS = (create_identity, find_identity, get_identity, get_timeline, get_journal)


async def _spend(call: Call[Any, Any], now_ms: int) -> None:
    """One of the hour's, those before a restart counted too. Raises Refusal RATE_LIMITED."""
    parts, organization = call.parts, call.caller.organization
    organization_id = organization.organization_id
    quota = organization.settings.identities_created_per_hour
    if not parts.creation_rate.knows(organization_id):
        await parts.fresh()
        hour_ago_ms = now_ms - HOUR_SECONDS * 1000
        before = await parts.created_since(organization_id, hour_ago_ms, quota)
        parts.creation_rate.tell(organization_id, before)
    parts.creation_rate.spend(organization_id, quota, now_ms, call.headers)


async def found_identity(call: Call[Any, Any], number: Number) -> Identity:
    identity = await call.parts.directory.by_number(call.organization_id, number)
    if identity is None:
        raise Refusal(Reason.NOT_FOUND, "Nobody in your organization has that c_user_id.")
    return identity


def _asked_for(query: LookupQuery) -> str:
    asked = {
        kind: getattr(query, kind)
        for kind in (Kind.DISCORD, Kind.TELEGRAM, Kind.WALLET, Kind.FINGERPRINT)
        if getattr(query, kind) is not None
    }
    if len(asked) != 1:
        problem = Problem("", "Give exactly one of discord, telegram, wallet, fingerprint.")
        raise Refusal(Reason.INVALID_REQUEST, problem.message, problems=[problem])
    ((kind, value),) = asked.items()
    text = f"{kind}:{value}"
    if kind is Kind.WALLET and query.chain_type:
        text = f"{kind}:{query.chain_type}:{value}"
    try:
        return parse_identifier(text)
    except NotAnIdentifier as fault:
        problem = Problem(str(kind), str(fault))
        raise Refusal(Reason.INVALID_REQUEST, problems=[problem]) from fault


async def identity_shown(
    call: Call[Any, Any], identity: Identity, redirected_from: Number | None
) -> IdentityShown:
    parts = call.parts
    seen = await when_seen(parts.ledger, parts.directory, call.organization_id, identity)
    return IdentityShown(
        c_user_id=identity.c_user_id,
        redirected_from=redirected_from,
        first_seen=rfc3339(min(each.first_ms for each in seen.values())) if seen else None,
        last_seen=rfc3339(max(each.last_ms for each in seen.values())) if seen else None,
        identifiers=[_identifier_shown(each, seen) for each in identity.identifiers],
    )


def _identifier_shown(known: KnownIdentifier, seen: dict[Any, Seen]) -> IdentifierShown:
    found = seen.get(known.subject)
    return IdentifierShown(
        kind=known.kind,
        value=known.value,
        c_user_id=known.number,
        proof=known.proof,
        asserted=known.asserted,
        standing=known.standing,
        first_seen=rfc3339(found.first_ms) if found else None,
        last_seen=rfc3339(found.last_ms) if found else None,
        events=found.events if found else 0,
    )


async def changes_shown(call: Call[Any, Any], changes: Sequence[Change]) -> list[ChangeShown]:
    ids = await ids_of(call.parts, call.organization_id, [change.seq for change in changes])
    return [
        ChangeShown(rfc3339(each.at_ms), each.change, each.identity, ids.get(each.seq), each.detail)
        for each in changes
    ]
