"""API keys over HTTP: made, listed, revoked."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, structs

from endu.journeys.scope import Time, rfc3339
from endu.organizations.caller import Caller
from endu.organizations.keyring import MAY, Key, KeyId, KeyKind, Scope, mint_key
from endu.refusals import Problem, Reason, Refusal
from endu.web.endpoint import Call, Nothing, endpoint
from endu.web.lists import Page, read_cursor, write_cursor
from endu.web.organizations import OrganizationsQuery

GROUP = "Keys"

NAME_LENGTH = 200
ORIGINS_AT_MOST = 50
ORIGIN = r"^https?://[A-Za-z0-9.\-\[\]:]+$"


class NewKey(Struct, frozen=True, forbid_unknown_fields=True):
    """`scopes` are for secret keys, all of them unless given; `origins` for publishable ones."""

    kind: Literal["secret", "publishable", "import"] = "secret"
    name: Annotated[str, Meta(max_length=NAME_LENGTH)] = ""
    scopes: Annotated[list[Scope], Meta(min_length=1)] | None = None
    origins: Annotated[
        list[Annotated[str, Meta(pattern=ORIGIN, max_length=NAME_LENGTH)]],
        Meta(max_length=ORIGINS_AT_MOST),
    ] = []


class KeyShown(Struct, frozen=True, kw_only=True):
    """`hint` is the key's last four characters."""

    key_id: KeyId
    kind: KeyKind
    name: str
    hint: str
    scopes: list[Scope]
    origins: tuple[str, ...]
    created_at: Time
    revoked_at: Time | None


class CreatedKey(Struct, frozen=True, kw_only=True):
    """`key` is shown this once."""

    key: str
    key_id: KeyId
    kind: KeyKind
    name: str
    scopes: list[Scope]
    origins: tuple[str, ...]
    created_at: Time


class KeyQuery(Struct, frozen=True, forbid_unknown_fields=True):
    key_id: str


class RevokedKey(Struct, frozen=True):
    key_id: KeyId
    revoked: Literal[True] = True


@endpoint("POST", "/keys", group=GROUP, needs=Scope.MANAGE)
async def create_key(call: Call[Nothing, NewKey]) -> CreatedKey:
    """Make a key of the organization. It is shown this once: only its hash is kept.

    A key can give no scope that it has not itself.
    """
    parts, body = call.parts, call.body
    kind = KeyKind(body.kind)
    scopes = _scopes(body, kind, call.caller)
    if body.origins and kind is not KeyKind.PUBLISHABLE:
        raise _wrong("origins", "are for publishable keys")
    text, minted = mint_key(kind, call.organization_id, parts.now_ms(), parts.randomness, body.name)
    origins = tuple(origin.lower() for origin in body.origins)
    key = structs.replace(minted, scopes=scopes, origins=origins)
    await parts.keyring.add(key)
    return CreatedKey(
        key=text,
        key_id=key.key_id,
        kind=kind,
        name=key.name,
        scopes=sorted(scopes),
        origins=key.origins,
        created_at=rfc3339(key.created_at_ms),
    )


@endpoint("GET", "/keys", group=GROUP, needs=Scope.MANAGE)
async def list_keys(call: Call[OrganizationsQuery, None]) -> Page[KeyShown]:
    """The organization's keys, oldest first, revoked ones too. Keys themselves are never shown."""
    (begin,) = read_cursor(call.query.cursor, (0,))
    every = _keys_of(call)
    end = begin + call.query.limit
    items = [_shown(key) for key in every[begin:end]]
    return Page(items, write_cursor(end) if end < len(every) else None)


@endpoint("DELETE", "/keys/{key_id}", group=GROUP, needs=Scope.MANAGE, refusals=(Reason.NOT_FOUND,))
async def revoke_key(call: Call[KeyQuery, None]) -> RevokedKey:
    """Make a key useless, for every later request. A second time changes nothing."""
    key_id = KeyId(call.query.key_id)
    if not any(key.key_id == key_id for key in _keys_of(call)):
        raise Refusal(Reason.NOT_FOUND, "Your organization has no key of that id.")
    await call.parts.keyring.revoke(key_id, call.parts.now_ms())
    return RevokedKey(key_id)


ENDPOINTS = (create_key, list_keys, revoke_key)


def _keys_of(call: Call[Any, Any]) -> list[Key]:
    """The operator's own key is nobody's to list or to revoke here."""
    keys = call.parts.keyring.of(call.organization_id)
    return [key for key in keys if key.kind is not KeyKind.OPERATOR]


def _scopes(body: NewKey, kind: KeyKind, caller: Caller) -> frozenset[Scope]:
    may = MAY[kind]
    scopes = may & caller.scopes if body.scopes is None else frozenset(body.scopes)
    if not scopes or not scopes <= may:
        raise _wrong("scopes", f"of a {kind} key are among {', '.join(sorted(may))}")
    if not scopes <= caller.scopes:
        raise Refusal(
            Reason.KEY_NOT_ALLOWED,
            f"A key can give only scopes that it has itself: {', '.join(sorted(caller.scopes))}.",
        )
    return scopes


def _wrong(path: str, message: str) -> Refusal:
    return Refusal(Reason.INVALID_REQUEST, f"{path} {message}.", problems=[Problem(path, message)])


def _shown(key: Key) -> KeyShown:
    return KeyShown(
        key_id=key.key_id,
        kind=key.kind,
        name=key.name,
        hint=key.hint,
        scopes=sorted(key.scopes),
        origins=key.origins,
        created_at=rfc3339(key.created_at_ms),
        revoked_at=None if key.revoked_at_ms is None else rfc3339(key.revoked_at_ms),
    )
