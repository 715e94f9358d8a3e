"""What follows from the log can be made again from it, and put in place all or nothing."""

import os
from pathlib import Path

import pytest

from endu.announcements import Rebuilt
from endu.events.rebuild import rebuild
from endu.events.settler import Settler
from endu.stores.chdb_handles import Limits
from endu.stores.chdb_ledger import open_chdb_ledger
from endu.stores.memory_inbox import MemoryInbox
from endu.stores.memory_ledger import MemoryLedger
from endu.stores.sqlite import Reader
from endu.stores.sqlite_inbox import open_sqlite_inbox
from endu.stores.sqlite_position import SqlitePosition
from endu.stores.swap import COMPLETE, REBUILDING, finish_swap, swap_in
from endu.stores.trouble import of_storage
from tests.directory_file import make_directory
from tests.log_world import NOON, an_entry, an_event
from tests.settling import parts_in_memory, settle_all

EVERYTHING = "SELECT * FROM endu.events ORDER BY seq"


def silently(what: str, done: int, of: int) -> None:
    """A progress bar that nobody looks at."""


async def test_a_rebuild_settles_everything_again_and_says_how_far_it_is() -> None:
    parts = parts_in_memory()
    await parts.inbox.append([an_entry() for _ in range(5)])
    await parts.inbox.append([an_entry(b"not a record")])
    await settle_all(parts)
    seen: list[tuple[str, int, int]] = []
    new = parts_in_memory(inbox=parts.inbox)
    settler = Settler(new, lambda: NOON, of_storage)
    done = await rebuild(settler, new.inbox, lambda *said: seen.append(said))
    assert done == Rebuilt(records=6, events=5, set_aside=1)
    assert seen == [("settling", 6, 6)]
    assert isinstance(new.ledger, MemoryLedger) and isinstance(parts.ledger, MemoryLedger)
    assert new.ledger.rows == parts.ledger.rows
    assert new.ledger.owners == parts.ledger.owners


async def test_a_rebuild_that_was_killed_goes_on_where_it_was() -> None:
    inbox = MemoryInbox()
    await inbox.append([an_entry() for _ in range(9)])
    new = parts_in_memory(inbox=inbox)
    first = Settler(new, lambda: NOON, of_storage)
    await first.start()
    await first.settle_once(4)
    done = await rebuild(Settler(new, lambda: NOON, of_storage), inbox, silently)
    assert done == Rebuilt(records=5, events=5, set_aside=0)
    assert await new.position.watermark() == 9


async def test_the_ledger_is_the_same_after_a_rebuild_and_a_swap(tmp_path: Path) -> None:
    async with open_sqlite_inbox(tmp_path / "inbox.db", bytes(16)) as inbox:
        await inbox.append([an_entry(an_event(identifiers=(f"discord:{n}",))) for n in range(9)])
        before = await settle_into(tmp_path, inbox)
        new = tmp_path / REBUILDING
        new.mkdir()
        await settle_into(new, inbox)
    swap_in(tmp_path)
    assert not new.exists()
    with open_chdb_ledger(tmp_path / "ledger", Limits()) as ledger:
        assert await ledger.ask(EVERYTHING, {}) == before
    reader = Reader(tmp_path / "directory.db")
    assert await SqlitePosition(reader._connection, reader, 0).watermark() == 9
    reader.close()


async def settle_into(place: Path, inbox: object) -> list[tuple[object, ...]]:
    connection = make_directory(place / "directory.db")
    reader = Reader(place / "directory.db")
    with open_chdb_ledger(place / "ledger", Limits()) as ledger:
        position = SqlitePosition(connection, reader, 0)
        await settle_all(parts_in_memory(inbox=inbox, ledger=ledger, position=position))
        rows = await ledger.ask(EVERYTHING, {})
    reader.close()
    connection.close()
    return rows


def an_old_and_a_new(data: Path) -> None:
    for place, text in ((data, "old"), (data / REBUILDING, "new")):
        (place / "ledger").mkdir(parents=True)
        (place / "ledger" / "file").write_text(text)
        (place / "directory.db").write_text(text)
    (data / "directory.db-wal").write_text("old")
    (data / "directory.db-shm").write_text("old")
    (data / "inbox.db").write_text("the log")


def what_stands(data: Path) -> dict[str, str]:
    files = (path for path in sorted(data.rglob("*")) if path.is_file())
    return {str(path.relative_to(data)): path.read_text() for path in files}


NEW = {"directory.db": "new", "inbox.db": "the log", "ledger/file": "new"}


def test_a_swap_leaves_the_new_ones_alone(tmp_path: Path) -> None:
    an_old_and_a_new(tmp_path)
    swap_in(tmp_path)
    assert what_stands(tmp_path) == NEW
    assert not finish_swap(tmp_path)


class PowerCut(BaseException):
    pass


@pytest.mark.parametrize("survived", range(6))
def test_a_swap_that_was_killed_is_carried_out_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    an_old_and_a_new(tmp_path)
    rename, left = os.rename, [survived]

    def once_more(*names: str) -> None:
        if left[0] == 0:
            raise PowerCut
        left[0] -= 1
        rename(*names)

    monkeypatch.setattr(os, "rename", once_more)
    with pytest.raises(PowerCut):
        swap_in(tmp_path)
    monkeypatch.undo()
    assert finish_swap(tmp_path)
    assert what_stands(tmp_path) == NEW


def test_an_unfinished_rebuild_is_never_swapped_in(tmp_path: Path) -> None:
    an_old_and_a_new(tmp_path)
    stood = what_stands(tmp_path)
    assert not finish_swap(tmp_path)
    assert what_stands(tmp_path) == stood
    (tmp_path / REBUILDING / "directory.db").unlink()
    with pytest.raises(FileNotFoundError):
        swap_in(tmp_path)
    assert not (tmp_path / REBUILDING / COMPLETE).exists()


def test_there_need_be_no_old_ones(tmp_path: Path) -> None:
    an_old_and_a_new(tmp_path / "made")
    os.rename(tmp_path / "made" / REBUILDING, tmp_path / REBUILDING)
    swap_in(tmp_path)
    assert what_stands(tmp_path)["directory.db"] == "new"
