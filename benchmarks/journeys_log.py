"""A ledger to ask questions of: sessions of many people over 90 days, made once and kept.

    python -m benchmarks.journeys_log --cache DIR --events 10000000

The rows are drawn from a seed in columns and inserted as they are, so that ten million take
minutes; owners and visits go through the ledger's port. One organization, and a second one with a
hundredth as many events beside it.
"""

import argparse
import asyncio
import shutil
import time
import zlib
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct

from benchmarks.journeys_crowd import Crowd, crowd_of, owners_of
from benchmarks.journeys_rows import Place, rows_of
from endu.events.event import Seq
from endu.events.ledger import VisitChange
from endu.identities.identifier import Subject
from endu.stores.chdb_engine import client_of
from endu.stores.chdb_handles import Limits
from endu.stores.chdb_ledger import ChdbLedger, open_chdb_ledger
from endu.stores.ledger_tables import EVENTS, TABLES

FORM = 3  # counted up when other rows are made, so that old ones are not taken for them

ORGANIZATION, SECOND_ORGANIZATION = "2mBqTvH8xWnE4kZcLr6YpD", "7hJdFsR3aVuK9gXbNt5MwQ"
VISITS = 500  # events of shared devices that are another person's
ON_DEVICES = f"""
SELECT seq
  FROM endu.events
 WHERE org = {{organization:String}} AND device_only
 ORDER BY cityHash64(seq)
 LIMIT {VISITS}
"""
MERGING = "SELECT count() FROM system.merges"
PARTS = "SELECT count() FROM system.parts WHERE table = 'events' AND active"
MERGED_WITHIN_SECONDS = 300


class Log(Struct, frozen=True, kw_only=True):
    """What is made; kept beside the ledger. Twice people and joins are its identifiers."""

    form: int = FORM
    tables: int = zlib.crc32("".join(TABLES).encode())
    events: int
    people: int = 200_000
    joins: int = 50_000
    seed: int = 1

    def directory(self, cache: Path) -> Path:
        return cache / f"journeys-{self.events}-{self.people}-{self.joins}-{self.seed}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="Where it is kept.")
    parser.add_argument("--events", type=float, default=10_000_000)
    asked = parser.parse_args()
    began = time.monotonic()
    ledger = ledger_of(Log(events=int(asked.events)), asked.cache)
    print(f"  {int(asked.events):,} events in {ledger} after {time.monotonic() - began:,.0f} s")


def ledger_of(log: Log, cache: Path) -> Path:
    """The ledger's directory; makes it where it is not."""
    directory = log.directory(cache)
    made, ledger = directory / "made.json", directory / "ledger"
    if not made.exists() or made.read_bytes() != msgspec.json.encode(log):
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        asyncio.run(_make(log, ledger))
        made.write_bytes(msgspec.json.encode(log))
    return ledger


def insert_rows(directory: Path, crowd: Crowd, place: Place, chance: np.random.Generator) -> None:
    """While the ledger of that directory is open. On a handle of its own: the port takes events one
    by one, which takes ten times as long."""
    client = client_of(str((directory / "engine").resolve()), str(directory / "engine.xml"))
    for rows in rows_of(crowd, place, chance):
        client.insert_arrow(EVENTS, rows)
    client.close()


async def _make(log: Log, directory: Path) -> None:
    chance = np.random.default_rng(log.seed)
    crowd = crowd_of(log.people, log.joins, chance)
    second = crowd_of(max(log.people // 100, 1), log.joins // 100, chance)
    with open_chdb_ledger(directory, Limits(seconds=600)) as ledger:
        insert_rows(directory, crowd, Place(ORGANIZATION, log.events), chance)
        place = Place(SECOND_ORGANIZATION, max(log.events // 100, 1), behind_seq=log.events)
        insert_rows(directory, second, place, chance)
        await ledger.set_owners([*owners_of(crowd), *owners_of(second)])
        await _visit(ledger, crowd, chance)
        await _merged(ledger)


async def _visit(ledger: ChdbLedger, crowd: Crowd, chance: np.random.Generator) -> None:
    places = [seq for (seq,) in await ledger.ask(ON_DEVICES, {"organization": ORGANIZATION})]
    subjects = chance.choice(crowd.firsts, len(places)).tolist()
    await ledger.set_visits(
        [
            VisitChange(Seq(place), Subject(subject), version)
            for version, (place, subject) in enumerate(zip(places, subjects, strict=True), 1)
        ]
    )


async def _merged(ledger: ChdbLedger) -> None:
    """As a ledger is found in the morning: nothing is merged while something is measured."""
    until = time.monotonic() + MERGED_WITHIN_SECONDS
    while (await ledger.ask(MERGING, {}))[0][0] and time.monotonic() < until:
        await asyncio.sleep(1)
    print(f"  {(await ledger.ask(PARTS, {}))[0][0]} parts")


if __name__ == "__main__":
    main()
