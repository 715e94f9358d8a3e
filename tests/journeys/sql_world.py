"""Two organizations in one ledger for the tests of SQL: a small shop whose events are told here,
and another one in which everything bears the mark that nobody else may ever see."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec
from msgspec import Struct

from endu.event_types.event_type import EventType, EventTypeId
from endu.events.event import Event, Seq, encode_record
from endu.events.ledger import BroughtNumber, OwnerChange, SettledEvent, VisitChange, Visited
from endu.identities.identifier import Number, Subject
from endu.journeys.sources import Person, Sources
from endu.journeys.sql import SqlAnswer, SqlQuestion, ask_sql
from endu.organizations.organization import OrganizationId, PropertyId
from endu.stores.chdb_handles import Limits
from endu.stores.chdb_ledger import ChdbLedger, open_chdb_ledger
from endu.stores.memory_registry import MemoryCatalog

MARK = "CANARYBIRD"
SHOP, OTHER = OrganizationId("shop"), OrganizationId(f"other-{MARK}")
JANUARY_2023_MS = 1_672_531_200_000
HOUR_MS = 3_600_000

TYPES = {"PAGE_VIEW": "page-1", "LINK_TRACKING_CLICK": "LINK_TRACKING_CLICK",
         "ITEM_PURCHASED": "buy-2"}  # fmt: skip
FORMER = {"buy-1": "ITEM_PURCHASED"}


class Row(Struct, frozen=True, kw_only=True):
    """An event as tests see it: `person` is its c_user_id now, None for nobody's."""

    at_ms: int
    event_type: str
    event_id: str
    person: str | None
    platform: str
    property_id: str
    identifiers: tuple[str, ...]
    data: dict[str, Any]
    anonymous: bool = False


class Shop(Struct):
    """`rows` are the shop's events, in the order of the log."""

    ledger: ChdbLedger
    sources: Sources
    rows: list[Row]

    async def ask(self, sql: str, parameters: Mapping[str, Any] | None = None) -> SqlAnswer:
        return await ask_sql(SqlQuestion(sql, parameters or {}), self.sources)

    async def rows_of(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Any]:
        table = (await self.ask(sql, parameters)).table
        return [list(row) for row in zip(*table.columns, strict=True)]


class NoPeople:
    """Sources want to know of people what SQL does not ask."""

    async def visited(self, organization_id: OrganizationId) -> Visited:
        return Visited.ANY

    async def known(
        self, organization_id: OrganizationId, identities: Sequence[Subject]
    ) -> dict[Subject, Person]:
        return {}

    async def tell_numbers(self, ledger: ChdbLedger) -> None:
        """They are told already."""

    async def rules_version(self, organization_id: OrganizationId) -> int:
        return 7


# Who is who in the shop: 101 and 102 were joined, 104 brought a number, 105 is a device nobody
# was seen on, 106 a shared one.
PEOPLE = {101: "101", 102: "101", 103: "103", 104: "007", 105: "105", 106: "106"}
NAMES = {101: "discord:1", 102: "telegram:2", 103: "discord:3", 104: "c_user_id:007",
         105: "fingerprint:f5", 106: "fingerprint:f6"}  # fmt: skip
PLATFORMS = {101: "discord", 102: "telegram", 103: "discord", 104: "wallet", 105: "web", 106: "web"}


async def _tell_the_shop(ledger: ChdbLedger) -> list[Row]:
    rows, settled, visits = [], [], []
    for n in range(240):
        subject = (101, 102, 103, 104, 105, 106)[(5 * n + n // 7) % 6]
        name = ("PAGE_VIEW", "LINK_TRACKING_CLICK", "ITEM_PURCHASED")[n % 5 % 3]
        event_id = "buy-1" if name == "ITEM_PURCHASED" and n < 60 else TYPES[name]
        data = {"n": n, "tier": ("gold", "silver", None)[n % 3], "deep": {"a b": n % 4}}
        if name == "ITEM_PURCHASED":
            data |= {"price": n % 9 + 0.5, "tags": ["x", f"t{n % 2}"], "ok": n % 2 == 0}
        others = (102,) if subject == 101 and n % 2 else ()
        nobody = n % 40 == 39
        person: str | None = PEOPLE[subject]
        if subject == 106 and n % 2 == 0:
            visits.append(VisitChange(Seq(n + 1), Subject(103), n + 1))
            person = "103"
        names = (NAMES[subject], *(NAMES[other] for other in others))
        row = Row(
            at_ms=JANUARY_2023_MS + n * 7 * HOUR_MS // 2,
            event_type=name,
            event_id=event_id,
            person=None if nobody else person,
            platform="" if nobody else PLATFORMS[subject],
            property_id=("web", "app")[n % 2],
            identifiers=() if nobody else names,
            data=data,
            anonymous=nobody or (subject in (105, 106) and person == PEOPLE[subject]),
        )
        rows.append(row)
        settled.append(_settled(SHOP, n + 1, row, 0 if nobody else subject, others))
    await ledger.append(0, settled)
    await ledger.set_visits(visits)
    await ledger.set_owners([OwnerChange(Subject(102), Subject(101), 1)])
    await ledger.set_numbers([BroughtNumber(Subject(104), Number("007"))])
    return rows


async def tell_the_other(ledger: ChdbLedger) -> None:
    """As many events, in the same parts and granules, every text and number of them marked."""
    settled = []
    for n in range(240):
        row = Row(
            at_ms=JANUARY_2023_MS + n * HOUR_MS,
            event_type=MARK,
            event_id=(f"{MARK}-type", "page-1", "buy-2")[n % 3],
            person=None,
            platform=f"p{MARK}",
            property_id=f"prop-{MARK}",
            identifiers=(f"discord:{MARK}{n}",),
            data={"secret": MARK, "n": f"{MARK}{n}", "price": MARK, "tier": MARK},
        )
        settled.append(_settled(OTHER, 1_000 + n, row, 900_000_001 + n % 5, ()))
    await ledger.append(0, settled)
    await ledger.set_numbers([BroughtNumber(Subject(900_000_001), Number(f"9{MARK}"))])


def _settled(
    organization_id: OrganizationId, seq: int, row: Row, subject: int, others: tuple[int, ...]
) -> SettledEvent:
    event = Event(
        organization_id=organization_id,
        property_id=PropertyId(row.property_id),
        event_type=EventTypeId(row.event_id),
        happened_at_ms=row.at_ms,
        claimed_at_ms=row.at_ms,
        received_at_ms=JANUARY_2023_MS + 90 * 24 * HOUR_MS,
        identifiers=row.identifiers,
        proof=2,
        platform=row.platform,
        chain_type="",
        data=msgspec.json.encode(row.data),
        details=b'{"warnings":["NEW_C_USER_ID"]}' if seq == 4 else b"",
    )
    device = subject if subject in (105, 106) else 0
    return SettledEvent(
        Seq(seq),
        event,
        crc32(encode_record(event)),
        False,
        Subject(subject),
        tuple(Subject(other) for other in others),
        Subject(device),
    )


def _catalog() -> MemoryCatalog:
    catalog = MemoryCatalog()

    def put(organization_id: OrganizationId, event_id: str, name: str, previous: str = "") -> None:
        catalog.put(
            EventType(
                event_id=EventTypeId(event_id),
                organization_id=organization_id,
                name=name,
                display_name=name.title(),
                created_at_ms=JANUARY_2023_MS,
                previous=EventTypeId(previous) if previous else None,
            )
        )

    put(SHOP, "page-1", "PAGE_VIEW")
    put(SHOP, "buy-1", "ITEM_PURCHASED")
    put(SHOP, "buy-2", "ITEM_PURCHASED", "buy-1")
    put(OTHER, f"{MARK}-type", MARK)
    return catalog


@contextmanager
def open_ledger(place: Path) -> Iterator[ChdbLedger]:
    with open_chdb_ledger(place / "ledger", Limits(seconds=5)) as ledger:
        yield ledger


async def told_shop(ledger: ChdbLedger, alone: bool = False) -> Shop:
    rows = await _tell_the_shop(ledger)
    if not alone:
        await tell_the_other(ledger)
    await ledger.refresh()
    now_ms = JANUARY_2023_MS + 100 * 24 * HOUR_MS
    return Shop(ledger, Sources(SHOP, now_ms, ledger, _catalog(), NoPeople()), rows)
