"""Something an end user did, and the other things the log keeps beside events.

The log is the system of record for everything the outside world told Endu that identities and
answers follow from: events, refused events, identities created beforehand, operator's rules.
Each is one record, encoded as MessagePack with its kind first.
"""

from typing import Any, NewType

import msgspec
from msgspec import Struct

from endu.event_types.event_type import EventTypeId
from endu.identities.evidence import Creation, ErasureAsked, LimitsSet, RuleMade, RuleTakenBack
from endu.identities.forgotten import Birth, LinkLeft, SeenLeft, Tombstone
from endu.identities.identifier import Subject
from endu.organizations.organization import OrganizationId, PropertyId

Seq = NewType("Seq", int)  # a place in the log: from 1, never used again, gaps allowed
RecordId = NewType("RecordId", str)


class Event(Struct, frozen=True, kw_only=True, array_like=True, tag="event", gc=False):
    """An accepted event.

    `identifiers` are normalised ("discord:702877938567086080"), strongest kind first, without
    those that identify nobody. `proof` is what two identifiers seen together here are worth (1
    with a publishable key, 2 with a secret one; naming a c_user_id with a secret key is 3).
    `data` is the caller's event_data as canonical JSON; `details` is JSON of what few events
    have (see EventDetails), empty where there is nothing.
    """

    organization_id: OrganizationId
    property_id: PropertyId
    event_type: EventTypeId
    happened_at_ms: int
    claimed_at_ms: int  # happened_at, clamped near received_at unless the key is an import key
    received_at_ms: int
    identifiers: tuple[str, ...]
    proof: int
    platform: str  # "discord", "telegram", "wallet", "web" or ""
    chain_type: str  # as the caller named it, lower case; "" without a wallet
    data: bytes
    details: bytes = b""


class EventDetails(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What few events have: kept with the event as JSON and shown in timelines."""

    message_id: str | None = None
    warnings: tuple[str, ...] = ()
    violations: tuple[str, ...] = ()
    chain_account: str | None = None  # as sent, where normalising changed it
    blocked: tuple[str, ...] = ()  # identifiers as sent that identify nobody
    unknown: dict[str, Any] = {}  # keys of the request that Endu does not know
    replay_of: str | None = None  # the failed event this was


class BareEvent(Struct, frozen=True, kw_only=True, array_like=True, tag="bare", gc=False):
    """What stands where an event was that is older than its organization keeps: who was seen with
    whom, when and where, and nothing of what was done. The fields are an Event's; `replay_of` is
    the failed event this was, empty where it was none."""

    organization_id: OrganizationId
    property_id: PropertyId
    happened_at_ms: int
    claimed_at_ms: int
    received_at_ms: int
    identifiers: tuple[str, ...]
    proof: int
    replay_of: str = ""


class FailedEvent(Struct, frozen=True, kw_only=True, array_like=True, tag="failed"):
    """A refused request to record, kept whole: as it came, with why."""

    organization_id: OrganizationId
    received_at_ms: int
    reason: str
    text: str
    problems: tuple[tuple[str, str], ...]
    body: bytes
    key_kind: str
    message_id: str | None = None


class FailedEventsDropped(Struct, frozen=True, kw_only=True, array_like=True, tag="dropped"):
    """An operator let go of failed events, by their places in the log."""

    organization_id: OrganizationId
    received_at_ms: int
    seqs: tuple[int, ...]


class Erased(Struct, frozen=True, kw_only=True, array_like=True, tag="erased"):
    """What stands where a record was that says nothing any more. Its place, its organization and
    its time stay, so that its record id is never another's."""

    organization_id: OrganizationId
    received_at_ms: int


class ErasurePlanned(Struct, frozen=True, kw_only=True, array_like=True, tag="erasure-planned"):
    """What an erasure takes out of the log, and what settling again has to know of it: a person
    is in it by salted hashes alone. A long one is several records, the rest with `places` only."""

    organization_id: OrganizationId
    received_at_ms: int
    asked: int  # the place of the ErasureAsked
    places: tuple[int, ...]
    tombstones: tuple[Tombstone, ...] = ()
    births: tuple[Birth, ...] = ()
    kept: tuple[LinkLeft, ...] = ()
    seen: tuple[SeenLeft, ...] = ()
    conflicts: tuple[int, ...] = ()


class IdentifierSpelled(
    Struct, frozen=True, kw_only=True, array_like=True, tag="identifier-spelled"
):
    """The text of somebody else's identifier that an erasure takes out of every record that spells
    it, while others name its number. A record of its own, so that it can go when they do."""

    organization_id: OrganizationId
    received_at_ms: int
    asked: int  # the place of the ErasureAsked
    subject: Subject
    text: str


class ErasureDone(Struct, frozen=True, kw_only=True, array_like=True, tag="erasure-done"):
    """Everything that was planned is gone. `counts` says how much that was, by what it was."""

    organization_id: OrganizationId
    received_at_ms: int
    asked: int
    counts: dict[str, int]


Record = (
    Event
    | BareEvent
    | FailedEvent
    | FailedEventsDropped
    | Creation
    | RuleMade
    | RuleTakenBack
    | LimitsSet
    | Erased
    | ErasureAsked
    | ErasurePlanned
    | IdentifierSpelled
    | ErasureDone
)

encode_record = msgspec.msgpack.Encoder().encode
_decoder: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Record)


def decode_record(encoded: bytes) -> Record:
    """Raises msgspec.MsgspecError where the bytes are not a record of ours."""
    return _decoder.decode(encoded)


class Logged(Struct, frozen=True, gc=False):
    """A record with its place in the log and the CRC-32 of its bytes there.

    `reused`: its message_id was used before with another body.
    """

    seq: Seq
    record: Record
    check: int
    reused: bool = False
