"""Identifiers: the names a person goes by, and how each kind is brought to one form (R1).

As text an identifier is `kind:value`: "discord:702877938567086080", "wallet:eip155:0x…".
The functions that normalise give that text, or None for a value that stands for nobody (see
`placeholders`), and raise NotAnIdentifier where the value cannot be one.
"""

from enum import StrEnum
from typing import NewType

from endu.identities.placeholders import (
    is_nobodys_evm_address,
    is_nobodys_solana_address,
    is_placeholder,
)
from endu.identities.wallets import is_evm, is_solana

Subject = NewType("Subject", int)  # an identifier's own number: 63 bits, unique in the instance
Number = NewType("Number", str)  # a c_user_id as callers see it: 1 to 20 decimal digits

NOBODY = Subject(0)
LENGTH = 200  # characters; longer is refused, never cut: cutting joins strangers
NUMBER_LENGTH = 20  # 2**64 has so many digits


class Kind(StrEnum):
    """In the order in which they decide whose an event is (R5)."""

    C_USER_ID = "c_user_id"
    DISCORD = "discord"
    TELEGRAM = "telegram"
    WALLET = "wallet"
    FINGERPRINT = "fingerprint"


KINDS = {
    kind.value: kind for kind in Kind
}  # an enum's own look-up by value takes ten times as long

# A new platform is one entry in Kind and one here.
PLATFORMS = {"discord": Kind.DISCORD, "telegram": Kind.TELEGRAM}

_DISPLAY_NAMES = ", ".join(name.title() for name in PLATFORMS)


class NotAnIdentifier(ValueError):
    """The message says what would be one."""


def platform_named(name: str) -> Kind:
    """The platform, by its name in any casing. Raises NotAnIdentifier."""
    kind = PLATFORMS.get(name) or PLATFORMS.get(name.strip().lower())
    if kind is None:
        raise NotAnIdentifier(f"is one of {_DISPLAY_NAMES}")
    return kind


def platform_user(platform: Kind, user_id: str | int) -> str | None:
    """A decimal number: no platform here has ids of another form (not user names, not "@ada")."""
    text = str(user_id).strip()
    if text.isascii() and text.isdigit() and len(text) <= LENGTH:
        return f"{platform.value}:{text}" if text.strip("0") else None
    if is_placeholder(text):
        return None
    _must_be_short(text, LENGTH)
    raise NotAnIdentifier("is the user's id on the platform: decimal digits")


def c_user_id(number: str | int) -> str | None:
    text = str(number).strip()
    if is_placeholder(text):
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= NUMBER_LENGTH):
        raise NotAnIdentifier("is a decimal number of 1 to 20 digits")
    return f"c_user_id:{text}"


def wallet(chain_type: str, account: str) -> tuple[str | None, bool]:
    """The identifier, and whether its form was certain (else: CHAIN_ACCOUNT_FORMAT).

    One key owns an address on all EVM chains, so they share one namespace. `chain_type` may be
    a CAIP-2 name ("eip155:1"); elsewhere its colons become dashes, so that where the account
    begins is never in doubt.
    """
    account = account.strip()
    chain = chain_type.strip().lower()
    if is_placeholder(account):
        return None, True
    name = chain.partition(":")[0]
    if is_evm(name, account):
        address = account.lower()
        return None if is_nobodys_evm_address(address) else f"wallet:eip155:{address}", True
    if is_solana(name, account):
        return None if is_nobodys_solana_address(account) else f"wallet:solana:{account}", True
    if not chain:
        raise NotAnIdentifier("needs a chain_type")
    _must_be_printable(account, LENGTH)
    _must_be_printable(chain, LENGTH)
    return f"wallet:{chain.replace(':', '-')}:{account}", False


def fingerprint(value: str | int) -> str | None:
    text = str(value).strip()
    if is_placeholder(text):
        return None
    _must_be_printable(text, LENGTH)
    return f"fingerprint:{text}"


def parse_identifier(text: str) -> str:
    """What an operator wrote ("discord:1", "wallet:ethereum:0xAB…"), normalised as events are.

    Raises NotAnIdentifier, for values that stand for nobody too.
    """
    kind, _, value = text.strip().partition(":")
    normalise = _BY_KIND.get(kind.strip().lower())
    if normalise is None:
        kinds = ", ".join(_BY_KIND)
        raise NotAnIdentifier(f'is written "kind:value", with a kind of {kinds}')
    identifier = normalise(value)
    if identifier is None:
        raise NotAnIdentifier("stands for nobody: it is a placeholder or an address of no one")
    return identifier


def kind_of(identifier: str) -> Kind:
    """Of a normalised identifier."""
    return Kind(identifier.partition(":")[0])


def value_of(identifier: str) -> str:
    """Of a normalised identifier: what stands behind its kind."""
    return identifier.partition(":")[2]


def _discord(value: str) -> str | None:
    return platform_user(Kind.DISCORD, value)


def _telegram(value: str) -> str | None:
    return platform_user(Kind.TELEGRAM, value)


def _wallet(value: str) -> str | None:
    """ "eip155:0x…", "ethereum:0x…", "eip155:1:0x…" (CAIP-10), or an EVM address alone."""
    chain_type, _, account = value.rpartition(":")
    name = chain_type.partition(":")[0].strip().lower()
    if not (is_evm(name, account.strip()) or is_solana(name, account.strip())):
        chain_type, _, account = value.partition(":")
    return wallet(chain_type, account)[0]


_BY_KIND = {
    "c_user_id": c_user_id,
    "discord": _discord,
    "telegram": _telegram,
    "wallet": _wallet,
    "fingerprint": fingerprint,
}


def _must_be_short(text: str, length: int) -> None:
    if len(text) > length:
        raise NotAnIdentifier(f"is at most {length} characters long; this has {len(text)}")


def _must_be_printable(text: str, length: int) -> None:
    """Control characters and invisible space would make two identifiers look like one."""
    _must_be_short(text, length)
    if not text.isprintable():
        raise NotAnIdentifier("has only printable characters")
