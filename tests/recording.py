"""A recorder over stores in memory, with the organization of the published examples."""

from collections.abc import Sequence
from typing import Any

import msgspec

from endu.event_types.event_type import EventType, EventTypeId, SchemaMode, SchemaVersion
from endu.events.event import Event, EventDetails, FailedEvent, Record, decode_record
from endu.events.inbox import Entry, Kept, NotDurable
from endu.events.numbers import KnownNumbers
from endu.events.recorder import Recorder, Sent
from endu.identities.identifier import Number
from endu.ids import Scramble
from endu.organizations.caller import Caller
from endu.organizations.keyring import MAY, KeyId, KeyKind
from endu.organizations.organization import (
    Organization,
    OrganizationId,
    OrganizationSettings,
)
from endu.stores.memory_inbox import MemoryInbox
from endu.stores.memory_registry import MemoryCatalog

ORGANIZATION_ID = OrganizationId("848WN4oEUgisKrV9dY9Ni6")
SCRAMBLE = Scramble(0x1234567890ABCDEF1234567890ABCDEF)
HAPPENED_AT_MS = 1_672_536_219_000  # of the published examples
NOW_MS = HAPPENED_AT_MS + 60_000

BASE: dict[str, Any] = {
    "property_id": "D#1007491775344160808",
    "organization_id": ORGANIZATION_ID,
    "timestamp": "1672536219",
    "event_type": "ITEM_PURCHASED",
    "event_data": {"item_id": "8258727671"},
}
PLATFORM: dict[str, Any] = {"p_user_id": "702877938567086080", "platform_type": "Discord"}


class Issued(set[tuple[OrganizationId, Number]]):
    """The numbers a directory knows."""

    asked = 0

    async def known_numbers(
        self, organization_id: OrganizationId, numbers: Sequence[Number]
    ) -> set[Number]:
        self.asked += 1
        return {number for number in numbers if (organization_id, number) in self}


class FailingInbox(MemoryInbox):
    """One whose storage is gone."""

    async def append(self, entries: list[Entry]) -> list[Kept]:  # type: ignore[override]
        raise NotDurable


class Desk:
    """A recorder, and what lies in its log."""

    def __init__(self, inbox: MemoryInbox | None = None) -> None:
        self.inbox = inbox or MemoryInbox()
        self.catalog = MemoryCatalog()
        self.numbers = Issued()
        self.recorder = Recorder(self.catalog, self.inbox, KnownNumbers(self.numbers), SCRAMBLE)
        for name in ("ITEM_PURCHASED", "PAGE_VIEW"):
            self.register(name)

    def register(
        self, name: str, schema: dict[str, Any] | None = None, mode: SchemaMode = SchemaMode.FLAG
    ) -> None:
        self.catalog.put(
            EventType(
                event_id=EventTypeId(f"id of {name}"),
                organization_id=ORGANIZATION_ID,
                name=name,
                display_name=name,
                created_at_ms=0,
                schema=SchemaVersion(1, schema, mode, 0) if schema else None,
            )
        )

    async def records(self) -> list[Record]:
        return [decode_record(found.record) for found in await self.inbox.take(0, 10_000)]  # type: ignore[arg-type]

    async def events(self) -> list[Event]:
        return [record for record in await self.records() if isinstance(record, Event)]

    async def failed(self) -> list[FailedEvent]:
        return [record for record in await self.records() if isinstance(record, FailedEvent)]


def caller(kind: KeyKind = KeyKind.SECRET, **settings: Any) -> Caller:
    organization = Organization(ORGANIZATION_ID, "examples", 0, OrganizationSettings(**settings))
    return Caller(organization, kind, MAY[kind], KeyId("k"))


async def everyone(count: int) -> None:
    """Lets in however many there are."""


def sent(at_ms: int = NOW_MS, key: str | None = None) -> Sent:
    return Sent(at_ms, key)


def body(**fields: Any) -> bytes:
    """The base event with these fields; one that is ... is left out."""
    event = {name: value for name, value in (BASE | fields).items() if value is not ...}
    return msgspec.json.encode(event)


def details(event: Event) -> EventDetails:
    return msgspec.json.decode(event.details or b"{}", type=EventDetails)
