"""The ledger has to say of owners and visits what the directory says."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct

from endu.announcements import Damage
from endu.events import whose as whose_file
from endu.events.event import Seq
from endu.events.ledger import OwnerChange, VisitChange
from endu.events.whose import compare_whose
from endu.identities.identifier import Subject
from endu.stores.chdb_ledger import ChdbLedger
from endu.stores.sqlite import Connection, Reader
from endu.stores.whose import owners_and_visits
from tests.directory_file import make_directory


class World(Struct, frozen=True):
    connection: Connection
    reader: Reader
    ledger: ChdbLedger

    async def differences(self) -> list[Damage]:
        owners, visits = owners_and_visits(self.reader, self.ledger)
        return [*await compare_whose(owners), *await compare_whose(visits)]

    async def both(self, *owners: tuple[int, int, int]) -> None:
        self.connection.executemany("INSERT OR REPLACE INTO owners VALUES (?, ?, ?)", owners)
        await self.told(*owners)

    async def told(self, *owners: tuple[int, int, int]) -> None:
        changes = [OwnerChange(Subject(of), Subject(to), version) for of, to, version in owners]
        await self.ledger.set_owners(changes)


@pytest.fixture
def world(tmp_path: Path, chdb_ledger: ChdbLedger) -> Iterator[World]:
    connection = make_directory(tmp_path / "directory.db")
    reader = Reader(tmp_path / "directory.db")
    yield World(connection, reader, chdb_ledger)
    reader.close()
    connection.close()


async def test_nothing_differs_where_both_say_the_same(world: World) -> None:
    assert await world.differences() == []
    await world.both((11, 7, 1), (12, 7, 2), (13, 8, 3))
    await world.both((12, 8, 4))
    assert await world.differences() == []


async def test_what_the_ledger_was_not_told_yet_is_no_difference(world: World) -> None:
    await world.both((11, 7, 1), (12, 7, 2))
    world.connection.execute("UPDATE owners SET identity = 9, version = 5 WHERE subject = 11")
    world.connection.execute("INSERT INTO owners VALUES (44, 9, 6)")
    assert await world.differences() == []


async def test_every_difference_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whose_file, "AT_ONCE", 2)
    await world.both(*[(subject, 1, subject) for subject in range(1, 8)])
    world.connection.execute("DELETE FROM owners WHERE subject = 3")
    world.connection.execute("UPDATE owners SET identity = 99 WHERE subject = 4")
    world.connection.execute("INSERT INTO owners VALUES (50, 1, 5)")
    await world.ledger.set_visits([VisitChange(Seq(70), Subject(5), 1)])
    assert await world.differences() == [
        Damage("ledger, owner of subject 3", "is in the ledger, but not in the directory"),
        Damage("ledger, owner of subject 4", "says 1 in place of 99"),
        Damage("ledger, owner of subject 50", "is missing in the ledger"),
        Damage("ledger, visit of record 70", "is in the ledger, but not in the directory"),
    ]


async def test_a_table_that_cannot_be_read_is_named(world: World) -> None:
    await world.both((11, 7, 1))
    path = "SELECT path FROM system.parts WHERE table = 'owner_changes' AND active"
    ((part,),) = await world.ledger.ask(path, {})
    data = Path(part) / "data.bin"
    data.write_bytes(b"\0" * len(data.read_bytes()))
    (found,) = await world.differences()
    assert found.where == "ledger" and "endu.owner_changes" in found.what
