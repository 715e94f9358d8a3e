"""Sealing, and what it does to those who record meanwhile; then reading it all back.

    python -m benchmarks.seal --records 1000000

One sender appends a record at a time, first alone, then while segments are written and their
frames leave the inbox.
"""

import argparse
import asyncio
import secrets
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from benchmarks.settle import FRAME, events_of
from endu.events.event import Seq, encode_record
from endu.events.inbox import Entry
from endu.organizations.organization import OrganizationId
from endu.settings import Settings
from endu.stores.log_reader import LogReader
from endu.stores.sealer import Sealer
from endu.stores.segments import Segments
from endu.stores.sqlite_inbox import SqliteInbox, open_sqlite_inbox, take

ALONE_SECONDS = 2
TAKEN_AT_ONCE = 20_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(_measure(Path(directory), asked.records))


async def _measure(root: Path, count: int) -> None:
    async with open_sqlite_inbox(root / "inbox.db", secrets.token_bytes(16)) as inbox:
        await _fill(inbox, count)
        async with _sender(inbox, "commits alone"):
            await asyncio.sleep(ALONE_SECONDS)
        inbox_bytes = (root / "inbox.db").stat().st_size
        began, cpu_before = time.perf_counter(), time.process_time()
        async with _sender(inbox, "commits beside sealing"):
            sealed = await _seal(root, inbox)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu_before
    print(
        f"seal: {sealed / seconds:,.0f} records/s, {cpu / sealed * 1e6:.1f} µs CPU per record with "
        f"the sender's; {inbox_bytes / count:.0f} bytes a record in the inbox, "
        f"{Segments(root).size_bytes() / sealed:.0f} in a segment"
    )
    await _read(root, sealed)


async def _fill(inbox: SqliteInbox, count: int) -> None:
    entries: list[Entry] = []
    for event in events_of(OrganizationId("848WN4oEUgisKrV9dY9Ni6"), count):
        entries.append(Entry(encode_record(event), event.received_at_ms))
        if len(entries) == FRAME:
            await inbox.append(entries)
            entries = []
    await inbox.append(entries)


async def _seal(root: Path, inbox: SqliteInbox) -> int:
    """How many places were sealed, one segment right behind the other."""
    per_segment = min(Settings().segment_records, inbox.end // 2)
    with closing(Sealer(root / "inbox.db", inbox, per_segment, lambda step: None)) as sealer:
        while await sealer.seal_once(inbox.end):
            pass
    return Segments(root).end()


@asynccontextmanager
async def _sender(inbox: SqliteInbox, where: str) -> AsyncIterator[None]:
    took: list[float] = []

    async def send() -> None:
        while True:
            began = time.perf_counter()
            await inbox.append([Entry(bytes(300), 1)])
            took.append(time.perf_counter() - began)

    sending = asyncio.create_task(send())
    yield
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    took.sort()
    p50, p99 = took[len(took) // 2] * 1000, took[int(len(took) * 0.99)] * 1000
    print(f"{where}: p50 {p50:.2f} ms, p99 {p99:.2f} ms ({len(took):,})")


async def _read(root: Path, until: int) -> None:
    with closing(LogReader(root / "inbox.db")) as reader:
        began, place = time.perf_counter(), 0
        while place < until:
            place = (await take(reader, Seq(place), TAKEN_AT_ONCE))[-1].seq
        print(f"read from segments: {until / (time.perf_counter() - began):,.0f} records/s")


if __name__ == "__main__":
    main()
