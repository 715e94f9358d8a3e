"""Why identifiers are one person or are not, over HTTP: explain, conflicts, hubs."""

from collections.abc import Sequence

from msgspec import Struct

from endu.events.event import RecordId
from endu.identities.directory import Conflict, Explanation, LinkSeen
from endu.identities.identifier import NotAnIdentifier, Number, parse_identifier
from endu.journeys.scope import Time, rfc3339
from endu.organizations.keyring import Scope
from endu.organizations.organization import OrganizationId
from endu.refusals import Problem, Reason, Refusal
from endu.web.endpoint import Call, endpoint
from endu.web.lists import Cursor, Fresh, Limit, Page, read_cursor, write_cursor
from endu.web.log import ids_of
from endu.web.parts import Parts

GROUP = "Identities"


class LinkShown(Struct, frozen=True, kw_only=True):
    """Two identifiers seen together. `proof`: 4 operator, 3 asserted or verified, 2 seen with a
    secret key, 1 with a publishable one (which links nobody). `record_id` first showed it."""

    a: str
    b: str
    proof: int
    claimed_at: Time
    record_id: RecordId | None
    verdict: str
    reason: str
    against: tuple[str, str] | None


class ExplanationShown(Struct, frozen=True):
    """`path` leads from a to b over accepted links; `refused` are those that were turned down."""

    same: bool
    path: list[LinkShown]
    refused: list[LinkShown]


class ConflictShown(Struct, frozen=True):
    link: LinkShown
    identities: tuple[Number, Number]


class HubShown(Struct, frozen=True):
    """A wallet that too many people claimed: it joins nobody."""

    identifier: str
    claimed_by: int


class Two(Struct, frozen=True, forbid_unknown_fields=True):
    """Each is an identifier, "discord:702877938567086080", or a c_user_id alone."""

    a: str
    b: str


class FreshQuery(Struct, frozen=True, forbid_unknown_fields=True):
    fresh: Fresh = False


class PageQuery(Struct, frozen=True, forbid_unknown_fields=True):
    limit: Limit = 100
    cursor: Cursor = None
    fresh: Fresh = False


@endpoint(
    "POST", "/identities/explain", group=GROUP, needs=Scope.READ, refusals=(Reason.NOT_FOUND,)
)
async def explain(call: Call[FreshQuery, Two]) -> ExplanationShown:
    """Why two identifiers are one person, or why they are not."""
    a, b = read_identifier("a", call.body.a), read_identifier("b", call.body.b)
    explanation = await call.parts.directory.explain(call.organization_id, a, b)
    if explanation is None:
        raise Refusal(Reason.NOT_FOUND, "One of the two is unknown in your organization.")
    return await explanation_shown(call.parts, call.organization_id, explanation)


@endpoint("GET", "/conflicts", group=GROUP, needs=Scope.READ)
async def list_conflicts(call: Call[PageQuery, None]) -> Page[ConflictShown]:
    """Links that were refused, each with the two identities it would have made one."""
    parts, query = call.parts, call.query
    (after,) = read_cursor(query.cursor, (0,))
    found = await parts.directory.conflicts(call.organization_id, after, query.limit + 1)
    shown = found[: query.limit]
    items = await conflicts_shown(parts, call.organization_id, [each for _, each in shown])
    return Page(items, write_cursor(shown[-1][0]) if len(found) > len(shown) else None)


@endpoint("GET", "/hubs", group=GROUP, needs=Scope.READ)
async def list_hubs(call: Call[PageQuery, None]) -> Page[HubShown]:
    """Wallets that too many people claimed to say anything of one of them."""
    query = call.query
    (after,) = read_cursor(query.cursor, (0,))
    found = await call.parts.directory.hubs(call.organization_id, after, query.limit + 1)
    shown = found[: query.limit]
    items = [HubShown(hub.identifier, hub.claimed_by) for _, hub in shown]
    return Page(items, write_cursor(shown[-1][0]) if len(found) > len(shown) else None)


ENDPOINTS = (explain, list_conflicts, list_hubs)


def read_identifier(path: str, text: str) -> str:
    """An identifier as people write it, or a c_user_id alone. Raises Refusal."""
    try:
        return parse_identifier(f"c_user_id:{text}" if text.isdigit() else text)
    except NotAnIdentifier as fault:
        message = f"{path}: {fault}."
        raise Refusal(
            Reason.INVALID_REQUEST, message, problems=[Problem(path, str(fault))]
        ) from fault


async def explanation_shown(
    parts: Parts, organization_id: OrganizationId, explanation: Explanation
) -> ExplanationShown:
    return ExplanationShown(
        explanation.same,
        await _links_shown(parts, organization_id, explanation.path),
        await _links_shown(parts, organization_id, explanation.refused),
    )


async def conflicts_shown(
    parts: Parts, organization_id: OrganizationId, conflicts: Sequence[Conflict]
) -> list[ConflictShown]:
    links = await _links_shown(parts, organization_id, [each.link for each in conflicts])
    return [
        ConflictShown(link, each.identities) for link, each in zip(links, conflicts, strict=True)
    ]


async def _links_shown(
    parts: Parts, organization_id: OrganizationId, links: Sequence[LinkSeen]
) -> list[LinkShown]:
    ids = await ids_of(parts, organization_id, [link.first_seq for link in links])
    return [
        LinkShown(
            a=link.a,
            b=link.b,
            proof=link.proof,
            claimed_at=rfc3339(link.claimed_at_ms),
            record_id=ids.get(link.first_seq),
            verdict=link.verdict,
            reason=link.reason,
            against=link.against,
        )
        for link in links
    ]
