"""(e) One page of a person's timeline among ten million events, over HTTP.

    python -m benchmarks.timeline --events 10000000 --pages 500

The people are met over HTTP; the bulk goes straight into the ledger, as from another inbox, so
that filling it takes minutes and not an hour.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx

from benchmarks.people import DAY_SECONDS, EVENT_TYPE
from benchmarks.servers import Target, endu
from endu.event_types.event_type import EventTypeId
from endu.events.event import Event, Seq
from endu.events.ledger import SettledEvent
from endu.identities.identifier import Subject
from endu.organizations.organization import OrganizationId, PropertyId
from endu.stores.chdb_handles import Limits
from endu.stores.chdb_ledger import open_chdb_ledger
from endu.stores.data_directory import DataDirectory

SOURCE = 1  # not the inbox of this instance: its own places stay its own
PEOPLE = 200_000
KNOWN = 200  # of them, those whose timelines are asked for
BATCH = 50_000
PAGE = 50
DAYS = 90


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--pages", type=int, default=500)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory) / "data"
        with endu(data) as target:
            numbers = _meet(target)
        began = time.monotonic()
        asyncio.run(_fill(data, target, [int(number) for number in numbers], asked.events))
        filled_seconds = time.monotonic() - began
        with endu(data) as target:
            _measure(target, numbers, asked.pages, f"{asked.events:,} events")
            print(f"  (filled in {filled_seconds:,.0f} s, {target.resident_megabytes():,.0f} MB)")


def _meet(target: Target) -> list[str]:
    """Their numbers, which are their subjects, since nobody brought one from elsewhere."""
    with target.client() as client:
        for place in range(KNOWN):
            client.post("/events/record", json=_first_event(target, place)).raise_for_status()
        return [_number(client, place) for place in range(KNOWN)]


def _first_event(target: Target, place: int) -> dict[str, object]:
    return {
        "property_id": target.property_id,
        "organization_id": target.organization_id,
        "timestamp": str(int(time.time()) - DAYS * DAY_SECONDS),
        "event_type": EVENT_TYPE,
        "p_user_id": _account(place),
        "platform_type": "Discord",
        "event_data": {"item_id": "1", "price": 1},
    }


def _number(client: httpx.Client, place: int) -> str:
    answer = client.get("/identities", params={"discord": _account(place), "fresh": True})
    return str(answer.raise_for_status().json()["data"]["c_user_id"])


def _account(place: int) -> str:
    return f"{900_000_000_000_000_000 + place}"


async def _fill(data: Path, target: Target, known: Sequence[int], count: int) -> None:
    chance = random.Random(1)
    subjects = [*known, *(chance.getrandbits(62) for _ in range(PEOPLE - len(known)))]
    limits = Limits(seconds=60, memory_bytes=512 << 20)
    with open_chdb_ledger(DataDirectory(data).ledger, limits) as ledger:
        rows: list[SettledEvent] = []
        for row in _rows(target, subjects, count, chance):
            rows.append(row)
            if len(rows) == BATCH:
                await ledger.append(SOURCE, rows)
                rows = []
        await ledger.append(SOURCE, rows)


def _rows(
    target: Target, subjects: Sequence[int], count: int, chance: random.Random
) -> Iterator[SettledEvent]:
    now_ms = time.time_ns() // 1_000_000
    types = [EventTypeId(name) for name in ("joined", "viewed", "signed", "bought", "left")]
    organization_id = OrganizationId(target.organization_id)
    property_id = PropertyId(target.property_id)
    for place in range(count):
        happened_at_ms = now_ms - chance.randrange(DAYS * DAY_SECONDS * 1000)
        event = Event(
            organization_id=organization_id,
            property_id=property_id,
            event_type=chance.choice(types),
            happened_at_ms=happened_at_ms,
            claimed_at_ms=happened_at_ms,
            received_at_ms=now_ms,
            identifiers=("discord:1",),
            proof=2,
            platform="discord",
            chain_type="",
            data=b'{"item_id":"%d","price":%d}' % (place % 10_000, place % 97),
        )
        subject = Subject(subjects[int(chance.random() * len(subjects))])
        yield SettledEvent(
            Seq(place + 1), event, place & 0xFFFFFFFF, False, subject, (), Subject(0)
        )


def _measure(target: Target, numbers: Sequence[str], pages: int, among: str) -> None:
    chance = random.Random(2)
    took_ms = []
    with target.client() as client:
        for warming in range(pages + 10):
            path = f"/identities/{chance.choice(numbers)}/timeline"
            began = time.perf_counter()
            client.get(path, params={"limit": PAGE}).raise_for_status()
            if warming >= 10:
                took_ms.append((time.perf_counter() - began) * 1000)
    took_ms.sort()
    print(
        f"timeline page of {PAGE} among {among}: p50 {took_ms[len(took_ms) // 2]:.1f} ms, "
        f"p99 {took_ms[len(took_ms) * 99 // 100]:.1f} ms ({pages} pages)"
    )


if __name__ == "__main__":
    main()
