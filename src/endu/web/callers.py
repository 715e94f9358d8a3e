"""Who is calling: from the key in a request to the Caller that everything below is handed.

What is remembered between requests is only which hash a header's key has, which never changes.
The key itself is looked up every time, in memory: a revoked one is dead for the next request.
"""

from collections.abc import Mapping

from endu.organizations.caller import Caller
from endu.organizations.keyring import Key, KeyKind, Keyring, hash_of, is_whole
from endu.organizations.organization import Organization, OrganizationId, Organizations
from endu.refusals import Reason, Refusal

# Only headers with a live key are remembered; past this many, all are forgotten at once.
REMEMBERED_AT_MOST = 10_000

_CUT = "This is not a whole API key: some of its characters are missing or changed."
_MISSING = "Send your API key as the header `Authorization: Bearer endu_sk_…`."


class Callers:
    def __init__(self, keyring: Keyring, organizations: Organizations) -> None:
        self._keyring = keyring
        self._organizations = organizations
        self._hashes: dict[bytes, bytes] = {}

    def caller(self, headers: Mapping[bytes, bytes]) -> Caller:
        """Raises Refusal where the headers hold no live key, or not one for this web page."""
        authorization = headers.get(b"authorization")
        if authorization is None:
            raise Refusal(Reason.UNKNOWN_KEY, _MISSING)
        digest = self._hashes.get(authorization)
        key = None if digest is None else self._keyring.find(digest)
        if key is None:
            key = self._first_seen(authorization)
        return self._speaking_for(key, headers)

    def caller_by_body(self, text: str, headers: Mapping[bytes, bytes]) -> Caller:
        """A page that is being left can send no header: its key is in the body."""
        if not text:
            raise Refusal(Reason.UNKNOWN_KEY, _MISSING)
        key = self._find(text)
        if key.kind is not KeyKind.PUBLISHABLE:
            raise Refusal(
                Reason.KEY_NOT_ALLOWED,
                f"A {key.kind} key must not be in a body; send it as the Authorization header.",
            )
        return self._speaking_for(key, headers)

    def _first_seen(self, authorization: bytes) -> Key:
        scheme, _, text = authorization.decode("latin-1").strip().partition(" ")
        if scheme.lower() != "bearer":
            raise Refusal(Reason.UNKNOWN_KEY, _MISSING)
        key = self._find(text.strip())
        if len(self._hashes) >= REMEMBERED_AT_MOST:
            self._hashes.clear()
        self._hashes[authorization] = key.sha256
        return key

    def _find(self, text: str) -> Key:
        if not is_whole(text):
            raise Refusal(Reason.UNKNOWN_KEY, _CUT)
        key = self._keyring.find(hash_of(text))
        if key is None:
            raise Refusal(Reason.UNKNOWN_KEY)
        return key

    def _speaking_for(self, key: Key, headers: Mapping[bytes, bytes]) -> Caller:
        if key.origins:
            _must_come_from(key.origins, headers.get(b"origin"))
        if key.kind is KeyKind.OPERATOR:
            organization = self._named(headers.get(b"endu-organization"))
        else:
            organization = self._organizations.find(key.organization_id)
        if organization is None:
            raise Refusal(Reason.UNKNOWN_KEY)
        return Caller(organization, key.kind, key.scopes, key.key_id)

    def _named(self, header: bytes | None) -> Organization | None:
        """The organization an operator acts for: the one named, or the first there is."""
        if header is None:
            return next(iter(self._organizations.all()), None)
        named = self._organizations.find(OrganizationId(header.decode("latin-1").strip()))
        if named is None:
            raise Refusal(Reason.NOT_FOUND, "There is no organization of that id.")
        return named


def _must_come_from(origins: tuple[str, ...], origin: bytes | None) -> None:
    if origin is None or origin.decode("latin-1").rstrip("/").lower() not in origins:
        raise Refusal(
            Reason.KEY_NOT_ALLOWED,
            "This key serves other web origins than the one this request comes from.",
        )
