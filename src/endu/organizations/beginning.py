"""How an instance begins: the first organization, its keys, and the operator's own key."""

from collections.abc import Callable

from msgspec import Struct

from endu.ids import new_id
from endu.organizations.keyring import KeyKind, Keyring, mint_key
from endu.organizations.organization import (
    Organization,
    OrganizationId,
    Organizations,
    PropertyId,
)

FIRST_NAME = "default"
FIRST_PROPERTY = PropertyId("D#1007491775344160808")  # the published examples' Discord server
NOBODYS = OrganizationId("")  # the operator's key is the instance's, and no organization's


class Beginning(Struct, frozen=True, kw_only=True):
    """What is shown once: the keys' texts are kept nowhere."""

    organization_id: OrganizationId
    property_id: PropertyId
    secret_key: str
    publishable_key: str


async def begin(
    organizations: Organizations,
    keyring: Keyring,
    now_ms: int,
    randomness: Callable[[int], bytes],
) -> Beginning:
    """Makes the organization last: killed before that, the next start begins anew."""
    organization_id = OrganizationId(new_id(now_ms, randomness(10)))
    secret_key, secret = mint_key(KeyKind.SECRET, organization_id, now_ms, randomness, "first")
    publishable_key, publishable = mint_key(
        KeyKind.PUBLISHABLE, organization_id, now_ms, randomness, "first"
    )
    await keyring.add(secret)
    await keyring.add(publishable)
    await organizations.add(Organization(organization_id, FIRST_NAME, now_ms))
    return Beginning(
        organization_id=organization_id,
        property_id=FIRST_PROPERTY,
        secret_key=secret_key,
        publishable_key=publishable_key,
    )


def property_of_first(
    organizations: Organizations,
) -> dict[tuple[OrganizationId, PropertyId], int]:
    """The first organization has one since it was made: what the examples name can be looked at
    before anything is sent."""
    return {
        (first.organization_id, FIRST_PROPERTY): first.created_at_ms
        for first in organizations.all()[:1]
    }


async def make_operator_key(
    keyring: Keyring, now_ms: int, randomness: Callable[[int], bytes]
) -> str:
    """A new operator's key; every former one is revoked."""
    for key in keyring.of(NOBODYS):
        await keyring.revoke(key.key_id, now_ms)
    text, key = mint_key(KeyKind.OPERATOR, NOBODYS, now_ms, randomness, "operator")
    await keyring.add(key)
    return text
