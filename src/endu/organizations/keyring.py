"""API keys: whose they are, what they may do, and how they are recognised.

A key is `endu_sk_`, `endu_pk_`, `endu_ik_` or `endu_ok_`, 44 characters of base58 for 256 random
bits, and 6 of check sum, so that a cut key is told from an unknown one and a scanner can find
keys in a text. Only the SHA-256 of a key is kept (256 random bits need no slow hash).
"""

import hashlib
import re
import zlib
from collections.abc import Callable
from enum import StrEnum
from typing import NewType, Protocol

from msgspec import Struct

from endu.ids import ALPHABET, new_id
from endu.organizations.organization import OrganizationId

KeyId = NewType("KeyId", str)

_RANDOM_LENGTH = 44  # 58**44 > 2**256
_CHECK_LENGTH = 6  # 58**6 > 2**32


class KeyKind(StrEnum):
    SECRET = "secret"  # everything for its organization, less what its scopes leave out
    PUBLISHABLE = "publishable"  # may only record, and what it says proves nothing
    IMPORT = "import"  # records, and its events keep their own claim times
    OPERATOR = "operator"  # the instance's own: any organization, organizations and keys


class Scope(StrEnum):
    RECORD = "record"
    READ = "read"
    MANAGE = "manage"


MAY: dict[KeyKind, frozenset[Scope]] = {
    KeyKind.SECRET: frozenset(Scope),
    KeyKind.PUBLISHABLE: frozenset({Scope.RECORD}),
    KeyKind.IMPORT: frozenset({Scope.RECORD}),
    KeyKind.OPERATOR: frozenset(Scope),
}

_PREFIXES = {
    KeyKind.SECRET: "endu_sk_",
    KeyKind.PUBLISHABLE: "endu_pk_",
    KeyKind.IMPORT: "endu_ik_",
    KeyKind.OPERATOR: "endu_ok_",
}

# In JSON any character may be written as an escape. A cut key is as secret as a whole one: it is
# told from a word by its length.
_SHORTEST_CUT = 8


def _written(letter: str) -> str:
    return f"(?:{letter}|{re.escape(chr(92))}u{ord(letter):04x})"


_KEYS = re.compile(
    f"((?i:{'|'.join(''.join(map(_written, prefix)) for prefix in _PREFIXES.values())}))"
    rf"(?:[{ALPHABET}]|\\u00[3-7][0-9a-fA-F]){{{_SHORTEST_CUT},}}".encode()
)


class Key(Struct, frozen=True, kw_only=True):
    """What is kept of a key. `origins` are the web origins that a publishable key serves;
    none means any. `hint` is its last four characters, to recognise it in a list."""

    key_id: KeyId
    organization_id: OrganizationId
    kind: KeyKind
    scopes: frozenset[Scope]
    sha256: bytes
    hint: str
    name: str = ""
    origins: tuple[str, ...] = ()
    created_at_ms: int
    revoked_at_ms: int | None = None


class Keyring(Protocol):
    """Every key of this instance. `find` answers from memory: recording waits on no database."""

    def find(self, sha256: bytes) -> Key | None:
        """The live key with that hash; None if there is none or it was revoked."""

    def of(self, organization_id: OrganizationId) -> list[Key]:
        """The organization's keys, oldest first, revoked ones too."""

    async def add(self, key: Key) -> None:
        """Returns once it would survive a power cut."""

    async def revoke(self, key_id: KeyId, now_ms: int) -> None:
        """Dead for every later request; already revoked keeps its first time."""


def make_key(kind: KeyKind, randomness: bytes) -> str:
    """The text that is shown once. `randomness` is exactly 32 bytes."""
    body = _PREFIXES[kind] + _base58(int.from_bytes(randomness, "big"), _RANDOM_LENGTH)
    return body + _check_of(body)


def mint_key(
    kind: KeyKind,
    organization_id: OrganizationId,
    now_ms: int,
    randomness: Callable[[int], bytes],
    name: str = "",
) -> tuple[str, Key]:
    """A new key with every scope that its kind may have: the text to show once, what to keep."""
    text = make_key(kind, randomness(32))
    key = Key(
        key_id=KeyId(new_id(now_ms, randomness(10))),
        organization_id=organization_id,
        kind=kind,
        scopes=MAY[kind],
        sha256=hash_of(text),
        hint=text[-4:],
        name=name,
        created_at_ms=now_ms,
    )
    return text, key


def hash_of(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def is_whole(text: str) -> bool:
    """Whether the text is a key with its check sum right; says nothing of whether it is known."""
    body, check = text[:-_CHECK_LENGTH], text[-_CHECK_LENGTH:]
    return body.startswith(tuple(_PREFIXES.values())) and check == _check_of(body)


def without_keys(text: bytes) -> bytes:
    """The text, JSON or not, with nothing but its kind left of each key in it, whole or cut."""
    return _KEYS.sub(rb"\1", text)


def _check_of(body: str) -> str:
    return _base58(zlib.crc32(body.encode()), _CHECK_LENGTH)


def _base58(number: int, length: int) -> str:
    text = ""
    for _ in range(length):
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    return text
