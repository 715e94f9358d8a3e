"""Every adapter of a port, held to the same promises: one fixture for each port."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from msgspec import Struct

from endu.door.inbox import DoorsInbox
from endu.door.starting import open_door
from endu.events.failed import FailedEvents
from endu.events.inbox import Inbox
from endu.events.ledger import Ledger
from endu.events.position import Position
from endu.organizations.properties import Properties
from endu.stores import sqlite_inbox
from endu.stores.chdb_handles import Limits
from endu.stores.chdb_ledger import ChdbLedger, open_chdb_ledger
from endu.stores.data_directory import hold
from endu.stores.database import migrate
from endu.stores.memory_books import MemoryFailedEvents, MemoryPosition, MemoryProperties
from endu.stores.memory_inbox import MemoryInbox
from endu.stores.memory_ledger import MemoryLedger
from endu.stores.sqlite import Reader
from endu.stores.sqlite_failed import SqliteFailedEvents
from endu.stores.sqlite_inbox import open_sqlite_inbox
from endu.stores.sqlite_position import SqlitePosition, SqliteProperties
from endu.web.server import listen
from tests.directory_file import make_directory


class Books(Struct):
    """The bookkeeping ports that live in one database."""

    position: Position
    failed: FailedEvents
    properties: Properties


@asynccontextmanager
async def inbox_of_a_door(path: Path) -> AsyncIterator[DoorsInbox]:
    make_directory(path / "directory.db").close()
    migrate(path / "registry.db", "registry")
    with hold(path) as data, closing(listen("127.0.0.1", 0)) as bound:
        async with open_door(data, bound) as door, door.log(bytes(16), 0, 0) as opened:
            yield opened


@pytest.fixture(params=["memory", "sqlite", "sqlite on a slow disk", "door"])
async def inbox(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Inbox]:
    if request.param == "memory":
        yield MemoryInbox()
    elif request.param == "door":
        async with inbox_of_a_door(tmp_path) as behind_a_door:
            yield behind_a_door
    else:
        if request.param != "sqlite":
            monkeypatch.setattr(sqlite_inbox, "QUICK_SECONDS", -1)
        async with open_sqlite_inbox(tmp_path / "inbox.db", bytes(16)) as written_here:
            yield written_here


@pytest.fixture
def chdb_ledger(tmp_path: Path) -> Iterator[ChdbLedger]:
    """An engine of its own: opening one costs less than keeping tests out of each other's way,
    and a process may open another once the last one is closed."""
    with open_chdb_ledger(tmp_path / "ledger", Limits(seconds=5)) as opened:
        yield opened


@pytest.fixture(params=["memory", "chdb"])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    if request.param == "memory":
        return MemoryLedger()
    opened: ChdbLedger = request.getfixturevalue("chdb_ledger")
    return opened


@pytest.fixture(params=["memory", "sqlite"])
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Books]:
    if request.param == "memory":
        yield Books(MemoryPosition(), MemoryFailedEvents(), MemoryProperties())
        return
    connection = make_directory(tmp_path / "directory.db")
    reader = Reader(tmp_path / "directory.db")
    yield Books(
        SqlitePosition(connection, reader, source=0),
        SqliteFailedEvents(connection, reader),
        SqliteProperties(connection, reader),
    )
    reader.close()
    connection.close()
