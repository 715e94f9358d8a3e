"""Records, and stand-ins for who resolves them, for the tests of the log, the settler, verify."""

import struct
from collections.abc import Sequence
from typing import Any
from zlib import crc32

from endu.event_types.event_type import EventTypeId
from endu.events.event import Event, Seq, decode_record, encode_record
from endu.events.inbox import Entry, Inbox, MessageKey
from endu.events.ledger import OwnerChange, SettledEvent, VisitChange
from endu.events.visits import Given
from endu.identities.evidence import Evidence, Resolution, Review, Sighting, Whose
from endu.identities.identifier import Subject
from endu.ids import Scramble
from endu.organizations.organization import OrganizationId, PropertyId

ACME = OrganizationId("848WN4oEUgisKrV9dY9Ni6")
GLOBEX = OrganizationId("948WN4oEUgisKrV9dY9Ni7")
NOON = 1_700_000_000_000
SCRAMBLE = Scramble(0x9E3779B97F4A7C15F39CC0605CEDC834)


def an_event(**changes: Any) -> Event:
    facts: dict[str, Any] = {
        "organization_id": ACME,
        "property_id": PropertyId("D#1007491775344160808"),
        "event_type": EventTypeId("type-1"),
        "happened_at_ms": NOON,
        "claimed_at_ms": NOON,
        "received_at_ms": NOON,
        "identifiers": ("discord:1",),
        "proof": 2,
        "platform": "discord",
        "chain_type": "",
        "data": b'{"n":1}',
    }
    return Event(**{**facts, **changes})


def an_entry(record: Any = None, message: str = "", body: str = "") -> Entry:
    encoded = record if isinstance(record, bytes) else encode_record(record or an_event())
    key = MessageKey(message.encode().ljust(16), body.encode().ljust(8)) if message else None
    return Entry(encoded, NOON, key)


async def records(inbox: Inbox, after: int = 0) -> list[bytes]:
    return [found.record for found in await inbox.take(Seq(after), 10_000)]


def settled(seq: int, subject: int = 7, **changes: Any) -> SettledEvent:
    record = encode_record(an_event(**changes))
    event = decode_record(record)
    assert isinstance(event, Event)
    return SettledEvent(Seq(seq), event, crc32(record), False, Subject(subject), (), Subject(0))


class PlainResolver:
    """Everybody is whom their first identifier names; stumbles over the identifiers it is told
    to, with the error it is told."""

    def __init__(self, stumbles: dict[str, Exception] | None = None) -> None:
        self.stumbles = stumbles or {}
        self.owners = PlainOwners()

    async def resolve(self, batch: Sequence[tuple[int, Evidence]]) -> Resolution:
        for _, item in batch:
            if isinstance(item, Sighting) and item.identifiers[0] in self.stumbles:
                raise self.stumbles[item.identifiers[0]]
        return Resolution([self._whose(item) for _, item in batch], [])

    def _whose(self, item: Evidence) -> Whose | None:
        if not isinstance(item, Sighting):
            return None
        subjects = [subject_of(identifier) for identifier in item.identifiers]
        for subject in subjects:
            self.owners.owns(subject, subjects[0])
        return Whose(subjects[0], tuple(subjects[1:]), Subject(0))


class PlainOwners:
    def __init__(self) -> None:
        self._changes: dict[Subject, OwnerChange] = {}

    def owns(self, subject: Subject, identity: Subject) -> None:
        held = self._changes.get(subject)
        if held is None or held.identity != identity:
            version = max((change.version for change in self._changes.values()), default=0) + 1
            self._changes[subject] = OwnerChange(subject, identity, version)

    async def changes_after(self, version: int) -> list[OwnerChange]:
        newer = [change for change in self._changes.values() if change.version > version]
        return sorted(newer, key=lambda change: change.version)


class NoVisits:
    async def waiting(self) -> list[Review]:
        return []

    async def found(self, reviews: Sequence[Review]) -> list[Given]:
        assert not reviews
        return []

    async def keep(self, given: Sequence[Given], reviews: Sequence[Review]) -> None:
        assert not given and not reviews

    async def changes_after(self, version: int) -> list[VisitChange]:
        return []


def subject_of(identifier: str) -> Subject:
    return Subject(struct.unpack("<I", crc32(identifier.encode()).to_bytes(4, "little"))[0] + 1)
