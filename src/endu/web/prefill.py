"""What is known of a person before there is an event: the identity keys of /events/record."""

from msgspec import Struct

from endu.identities.identifier import (
    NotAnIdentifier,
    c_user_id,
    fingerprint,
    platform_named,
    platform_user,
    wallet,
)
from endu.refusals import Problem, Reason, Refusal


class PrefilledWallet(Struct, frozen=True, forbid_unknown_fields=True):
    chain_type: str
    chain_account: str


class Prefill(Struct, frozen=True, forbid_unknown_fields=True):
    """`platform_type` and `property_type` are two names of one thing."""

    p_user_id: str | int | None = None
    platform_type: str | None = None
    property_type: str | None = None
    c_user_id: str | int | None = None
    blockchain: PrefilledWallet | None = None
    fingerprint: str | int | None = None


def identifiers_of(prefill: Prefill) -> tuple[str, ...]:
    """Normalised, strongest kind first. Raises Refusal with every problem."""
    found: list[str] = []
    problems: list[Problem] = []
    for path, read in _READERS.items():
        if getattr(prefill, path) is None:
            continue
        try:
            identifier = read(prefill)
        except NotAnIdentifier as fault:
            problems.append(Problem(f"prefill.{path}", str(fault)))
            continue
        if identifier is None:
            problems.append(Problem(f"prefill.{path}", "is a placeholder that stands for nobody"))
        else:
            found.append(identifier)
    if problems:
        raise Refusal(Reason.INVALID_REQUEST, problems=problems)
    return tuple(found)


def _c_user_id(prefill: Prefill) -> str | None:
    return c_user_id(prefill.c_user_id or "")


def _platform_user(prefill: Prefill) -> str | None:
    names = {name.lower() for name in (prefill.platform_type, prefill.property_type) if name}
    if len(names) != 1:
        raise NotAnIdentifier("comes with one platform_type")
    return platform_user(platform_named(names.pop()), prefill.p_user_id or "")


def _wallet(prefill: Prefill) -> str | None:
    assert prefill.blockchain is not None
    return wallet(prefill.blockchain.chain_type, prefill.blockchain.chain_account)[0]


def _fingerprint(prefill: Prefill) -> str | None:
    return fingerprint(prefill.fingerprint or "")


_READERS = {
    "c_user_id": _c_user_id,
    "p_user_id": _platform_user,
    "blockchain": _wallet,
    "fingerprint": _fingerprint,
}
