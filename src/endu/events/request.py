"""The body of POST /events/record (seed 000), and what it says in Endu's terms."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from endu.identities.identifier import LENGTH, NotAnIdentifier
from endu.organizations.organization import PropertyId
from endu.refusals import Problem

# What is worth knowing about an accepted event (Endu-Warning).
NON_STRICT_JSON = "NON_STRICT_JSON"
BLOCKED_IDENTIFIER = "BLOCKED_IDENTIFIER"
CHAIN_ACCOUNT_FORMAT = "CHAIN_ACCOUNT_FORMAT"


class Blockchain(Struct, frozen=True, forbid_unknown_fields=True):
    chain_type: str
    chain_account: str | int


class RecordRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The base event with every variation's keys; any mix of variations is allowed.

    null is as good as absent. `api_key` is the door's business and kept nowhere.
    """

    property_id: PropertyId
    organization_id: str
    timestamp: Any
    event_type: str
    event_data: dict[str, Any] | None | UnsetType = UNSET
    p_user_id: str | int | None | UnsetType = UNSET
    platform_type: str | None | UnsetType = UNSET
    property_type: str | None | UnsetType = UNSET
    c_user_id: str | int | None | UnsetType = UNSET
    blockchain: Blockchain | None | UnsetType = UNSET
    fingerprint: str | int | None | UnsetType = UNSET
    message_id: str | int | None | UnsetType = UNSET
    api_key: str | None | UnsetType = UNSET


class Said(Struct):
    """What an event says, in Endu's terms; where there are `problems`, as far as it could be
    understood. Filled in as the body's keys are read, one after the other."""

    organization_id: str = ""
    property_id: PropertyId = PropertyId("")
    event_type: str = ""
    happened_at_ms: int = 0
    data: bytes = b"{}"
    message_id: str | None = None
    # Tuples, because most events have nothing to note: one empty tuple serves them all.
    identifiers: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    platform: str = ""
    chain_type: str = ""
    chain_account: str | None = None
    unknown: Mapping[str, Any] = MappingProxyType({})
    warnings: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    def name(
        self, path: str, value: str | int, identify: Callable[[str | int], str | None]
    ) -> None:
        """Notes the identifier that `value` is, or why it is none."""
        try:
            identifier = identify(value)
        except NotAnIdentifier as fault:
            self.problem(path, str(fault))
            return
        if identifier is None:
            self.block(path, value)
        else:
            self.identifiers += (identifier,)

    def block(self, path: str, value: str | int) -> None:
        self.blocked += (f"{path}:{value}"[:LENGTH],)
        self.warn(BLOCKED_IDENTIFIER)

    def warn(self, code: str) -> None:
        if code not in self.warnings:
            self.warnings += (code,)

    def problem(self, path: str, message: str) -> None:
        """Only the first at a path: what follows from a fault is not another one."""
        if all(problem.path != path for problem in self.problems):
            self.problems += (Problem(path, message),)
