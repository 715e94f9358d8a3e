"""Organizations and their properties over HTTP."""

from typing import Annotated

from msgspec import Meta, Struct

from endu.ids import new_id
from endu.journeys.scope import Time, rfc3339
from endu.organizations.keyring import KeyKind, Scope
from endu.organizations.organization import Organization, OrganizationId, PropertyId
from endu.web.endpoint import Call, Nothing, endpoint
from endu.web.explaining import PageQuery
from endu.web.lists import Cursor, Limit, Page, read_cursor, write_cursor

GROUP = "Organizations"

NAME_LENGTH = 200


class NewOrganization(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=NAME_LENGTH)]


class OrganizationShown(Struct, frozen=True):
    organization_id: OrganizationId
    name: str
    created_at: Time


class OrganizationsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    limit: Limit = 100
    cursor: Cursor = None


class PropertyShown(Struct, frozen=True):
    property_id: PropertyId
    first_seen: Time


@endpoint("POST", "/organizations", group=GROUP, needs=KeyKind.OPERATOR)
async def create_organization(call: Call[Nothing, NewOrganization]) -> OrganizationShown:
    """Make an organization. It starts without keys: see POST /keys."""
    parts = call.parts
    now_ms = parts.now_ms()
    organization_id = OrganizationId(new_id(now_ms, parts.randomness(10)))
    organization = Organization(organization_id, call.body.name, now_ms)
    await parts.organizations.add(organization)
    return _shown(organization)


@endpoint("GET", "/organizations", group=GROUP, needs=KeyKind.OPERATOR)
async def list_organizations(call: Call[OrganizationsQuery, None]) -> Page[OrganizationShown]:
    """All organizations of this instance, oldest first."""
    (begin,) = read_cursor(call.query.cursor, (0,))
    every = call.parts.organizations.all()
    end = begin + call.query.limit
    items = [_shown(each) for each in every[begin:end]]
    return Page(items, write_cursor(end) if end < len(every) else None)


@endpoint("GET", "/properties", group=GROUP, needs=Scope.READ)
async def list_properties(call: Call[PageQuery, None]) -> Page[PropertyShown]:
    """Servers, chats and sites, as the organization's events name them, oldest first."""
    (begin,) = read_cursor(call.query.cursor, (0,))
    every = await call.parts.properties.of(call.organization_id)
    end = begin + call.query.limit
    items = [
        PropertyShown(each.property_id, rfc3339(each.first_seen_ms)) for each in every[begin:end]
    ]
    return Page(items, write_cursor(end) if end < len(every) else None)


ENDPOINTS = (create_organization, list_organizations, list_properties)


def _shown(organization: Organization) -> OrganizationShown:
    return OrganizationShown(
        organization.organization_id, organization.name, rfc3339(organization.created_at_ms)
    )
