"""(c) Settling alone: a filled inbox, and nobody at the door.

    python -m benchmarks.settle --events 2000000

Fills the log of a new instance with the crowd's events, and settles it from the first record
on, as `endu rebuild` does: who each was by, into the ledger, verified.
"""

import argparse
import asyncio
import secrets
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.people import DAY_SECONDS, crowd, happenings, identifiers
from benchmarks.servers import endu
from endu import assembly
from endu.event_types.event_type import EventTypeId
from endu.events.event import Event, encode_record
from endu.events.inbox import Entry
from endu.organizations.organization import OrganizationId, PropertyId
from endu.settings import Settings
from endu.stores.data_directory import DataDirectory
from endu.stores.sqlite_inbox import open_sqlite_inbox

FRAME = 500  # records; what a busy door commits at once


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=2_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory) / "data"
        with endu(data) as target:
            organization_id = OrganizationId(target.organization_id)
        asyncio.run(_fill(DataDirectory(data).inbox, organization_id, asked.events))
        _settle(Settings(data=data), asked.events)


async def _fill(inbox: Path, organization_id: OrganizationId, count: int) -> None:
    async with open_sqlite_inbox(inbox, secrets.token_bytes(16), 0, 0) as log:
        entries: list[Entry] = []
        for event in events_of(organization_id, count):
            entries.append(Entry(encode_record(event), event.received_at_ms))
            if len(entries) == FRAME:
                await log.append(entries)
                entries = []
        await log.append(entries)


def events_of(organization_id: OrganizationId, count: int) -> Iterator[Event]:
    """A day of the crowd's, as the log keeps them."""
    people = crowd()
    began_ms = time.time_ns() // 1_000_000 - DAY_SECONDS * 1000
    for place, (person, named, item) in enumerate(happenings(people, count, seed=1)):
        at_ms = began_ms + DAY_SECONDS * 1000 * place // count
        yield Event(
            organization_id=organization_id,
            property_id=PropertyId("D#1007491775344160808"),
            event_type=EventTypeId("848WN4oEUgisKrV9dY9Ni6"),
            happened_at_ms=at_ms,
            claimed_at_ms=at_ms,
            received_at_ms=at_ms,
            identifiers=identifiers(person, named),
            proof=2,
            platform="discord" if "discord" in named else "",
            chain_type=person.chain_type if "wallet" in named else "",
            data=b'{"item_id":"%d","price":%d}' % (8258720000 + item, item % 97),
        )


def _settle(settings: Settings, count: int) -> None:
    began, cpu_before = time.perf_counter(), time.process_time()
    first_at: list[tuple[float, int]] = []

    def progress(_what: str, done: int, _total: int) -> None:
        first_at.append((time.perf_counter(), done))

    rebuilt = assembly.rebuild(settings, progress)
    seconds = time.perf_counter() - began
    cpu_seconds = time.process_time() - cpu_before
    if rebuilt.events < count or rebuilt.set_aside:
        raise RuntimeError(f"{rebuilt} of {count:,} events")
    (first, done_first), (last, done_last) = first_at[0], first_at[-1]
    steady = (done_last - done_first) / (last - first) if last > first else 0.0
    print(
        f"settle: {rebuilt.events / seconds:,.0f} events/s "
        f"({rebuilt.events:,} in {seconds:.1f} s with opening and swapping; "
        f"{steady:,.0f}/s between the first batch and the last), "
        f"{cpu_seconds / rebuilt.events * 1e6:.1f} µs CPU per event"
    )


if __name__ == "__main__":
    main()
