"""Whether an event may come in, and the record it becomes: pure, one rule after the other."""

import hashlib

from msgspec import Struct

from endu.event_types.event_type import EventType, SchemaMode
from endu.events.event import Event, EventDetails, RecordId, encode_record
from endu.events.inbox import Entry, MessageKey
from endu.events.json_text import encode
from endu.events.request import Said
from endu.identities.identifier import Kind, Number
from endu.organizations.caller import Caller
from endu.organizations.keyring import KeyKind
from endu.refusals import Problem, Reason, Refusal

NEW_C_USER_ID = "NEW_C_USER_ID"
SCHEMA_VIOLATION = "SCHEMA_VIOLATION"

# R2: a claim is no older and no newer than this beside its arrival, but for an import key's.
CLAIM_BEFORE_MS = 7 * 24 * 60 * 60 * 1000
CLAIM_AFTER_MS = 5 * 60 * 1000

VIOLATIONS_KEPT = 20  # with an event; a list of a thousand wrong items says the same

_NUMBER = f"{Kind.C_USER_ID.value}:"

PROOF_BY_PUBLISHABLE_KEY = 1
PROOF_BY_SECRET_KEY = 2


class Replayed(Struct, frozen=True):
    """The failed event that is sent again, and when it first came."""

    failed_event_id: RecordId
    received_at_ms: int


class Candidate(Struct, frozen=True):
    """Everything that decides about one event."""

    said: Said
    caller: Caller
    event_type: EventType | None
    violations: list[Problem]
    number: Number | None  # the c_user_id it names
    number_is_known: bool  # True too where none is named
    received_at_ms: int
    replayed: Replayed | None


class Admitted(Struct, frozen=True):
    """An event that may come in: the entry for the inbox, and what to tell its sender."""

    entry: Entry
    number: Number | None
    warnings: tuple[str, ...]


def admit(candidate: Candidate) -> Admitted:
    """Raises Refusal by the first rule that says no."""
    event_type = must_be_let_in(candidate)
    warnings = candidate.said.warnings
    if not candidate.number_is_known:
        warnings += (NEW_C_USER_ID,)
    if candidate.violations:
        warnings += (SCHEMA_VIOLATION,)
    event = _event(candidate, event_type, warnings)
    entry = Entry(encode_record(event), candidate.received_at_ms, _message_key(candidate))
    return Admitted(entry, candidate.number, warnings)


def must_be_let_in(candidate: Candidate) -> EventType:
    """The type that the event is of, where every rule lets it in."""
    said, event_type = candidate.said, candidate.event_type
    theirs = candidate.caller.organization.organization_id
    if said.organization_id != theirs and said.organization_id:
        raise Refusal(Reason.WRONG_ORGANIZATION)
    if said.problems:
        raise Refusal(Reason.INVALID_EVENT, problems=said.problems)
    # A placeholder names nobody, but says that there was somebody: such an event is kept.
    if not (said.identifiers or said.blocked):
        raise Refusal(Reason.NOBODY_NAMED)
    if event_type is None:
        raise Refusal(
            Reason.UNKNOWN_EVENT_TYPE,
            f'No event type "{said.event_type[:60]}" is registered; '
            "do that first, at /events/create/eventid.",
        )
    if not (candidate.number_is_known or _adopts(candidate.caller)):
        raise Refusal(Reason.UNKNOWN_C_USER_ID)
    if candidate.violations and _mode(event_type) is SchemaMode.REFUSE:
        raise Refusal(Reason.SCHEMA_VIOLATION, problems=candidate.violations)
    return event_type


def _adopts(caller: Caller) -> bool:
    """A publishable key adopts nothing: what it says proves nothing."""
    publishable = caller.kind is KeyKind.PUBLISHABLE
    return not publishable and caller.organization.settings.unknown_c_user_id == "adopt"


def number_in(said: Said) -> Number | None:
    """The c_user_id that the event names. It is the strongest kind, so it comes first."""
    first = said.identifiers[0] if said.identifiers else ""
    return Number(first[len(_NUMBER) :]) if first.startswith(_NUMBER) else None


def _mode(event_type: EventType) -> SchemaMode:
    return event_type.schema.mode if event_type.schema else SchemaMode.OFF


def _event(candidate: Candidate, event_type: EventType, warnings: tuple[str, ...]) -> Event:
    said, caller = candidate.said, candidate.caller
    publishable = caller.kind is KeyKind.PUBLISHABLE
    return Event(
        organization_id=caller.organization.organization_id,
        property_id=said.property_id,
        event_type=event_type.event_id,
        happened_at_ms=said.happened_at_ms,
        claimed_at_ms=_claim_time(candidate),
        received_at_ms=candidate.received_at_ms,
        identifiers=said.identifiers,
        proof=PROOF_BY_PUBLISHABLE_KEY if publishable else PROOF_BY_SECRET_KEY,
        platform=said.platform,
        chain_type=said.chain_type,
        data=said.data,
        details=_details(candidate, warnings),
    )


def _claim_time(candidate: Candidate) -> int:
    """A replayed event keeps the claim it had when it first came."""
    happened = candidate.said.happened_at_ms
    if candidate.caller.kind is KeyKind.IMPORT:
        return happened
    replayed = candidate.replayed
    came = replayed.received_at_ms if replayed else candidate.received_at_ms
    if came - CLAIM_BEFORE_MS <= happened <= came + CLAIM_AFTER_MS:
        return happened
    return came + (CLAIM_AFTER_MS if happened > came else -CLAIM_BEFORE_MS)


def _details(candidate: Candidate, warnings: tuple[str, ...]) -> bytes:
    said, replayed = candidate.said, candidate.replayed
    if not (warnings or said.message_id or said.chain_account or said.unknown or replayed):
        return b""
    kept = candidate.violations[:VIOLATIONS_KEPT]
    return encode(
        EventDetails(
            message_id=said.message_id,
            warnings=warnings,
            violations=tuple(f"{problem.path}: {problem.message}" for problem in kept),
            chain_account=said.chain_account,
            blocked=said.blocked,
            unknown=dict(said.unknown),
            replay_of=replayed.failed_event_id if replayed else None,
        )
    )


def _message_key(candidate: Candidate) -> MessageKey | None:
    said, replayed = candidate.said, candidate.replayed
    if said.message_id is not None:
        name = f"message:{said.message_id}"
    elif replayed is not None:
        name = f"replay:{replayed.failed_event_id}"
    else:
        return None
    organization_id = candidate.caller.organization.organization_id
    return MessageKey(
        hashlib.blake2b(f"{organization_id}:{name}".encode(), digest_size=16).digest(),
        hashlib.blake2b(_content(said), digest_size=8).digest(),
    )


def _content(said: Said) -> bytes:
    """What the event says, not how it came: the same event sent again has the same bytes."""
    return encode(
        (
            said.property_id,
            said.event_type,
            said.happened_at_ms,
            said.identifiers,
            said.blocked,
            said.platform,
            said.chain_type,
            said.chain_account,
            said.data.decode(),
            dict(said.unknown),
        )
    )
