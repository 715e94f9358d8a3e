"""Commits that fail: nobody is told that something is kept where that is not sure."""

import asyncio
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from endu.events.event import encode_record
from endu.events.inbox import Entry, MaybeKept, NotDurable
from endu.stores import sqlite_inbox, waiting_room
from endu.stores.sqlite import connect
from endu.stores.sqlite_inbox import open_sqlite_inbox
from tests.conftest import inbox_of_a_door
from tests.log_world import NOON, an_entry, an_event, records
from tests.running import door_of


async def test_a_commit_that_fails_is_not_acknowledged_and_the_next_may_succeed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "inbox.db"
    async with open_sqlite_inbox(path, bytes(16)) as inbox:
        await inbox.append([an_entry(b"kept")])
        other = connect(path)
        other.execute(
            "CREATE TRIGGER full BEFORE INSERT ON frames BEGIN SELECT raise(FAIL, 'full'); END"
        )
        for entry in (an_entry(b"lost"), an_entry(b"lost", "m")):
            with pytest.raises(NotDurable):
                await asyncio.wait_for(inbox.append([entry]), 1)
        other.execute("DROP TRIGGER full")
        other.close()
        (kept,) = await inbox.append([an_entry(b"kept again", "m")])
        assert kept.seq > 1 and not kept.duplicate
        assert await records(inbox) == [b"kept", b"kept again"]


async def test_what_failed_on_its_way_to_the_disk_may_be_kept(tmp_path: Path) -> None:
    async with open_sqlite_inbox(tmp_path / "inbox.db", bytes(16)) as inbox:
        await inbox.append([an_entry(b"kept")])
        with no_writing(), pytest.raises(MaybeKept):
            await inbox.append([an_entry(b"lost")])
        await inbox.append([an_entry(b"kept again")])
        assert await records(inbox) == [b"kept", b"kept again"]


async def test_what_the_door_had_no_time_to_answer_may_be_kept(tmp_path: Path) -> None:
    async with inbox_of_a_door(tmp_path) as inbox:
        await inbox.append([an_entry()])
        process = door_of(os.getpid())
        os.kill(process, signal.SIGSTOP)
        asked = asyncio.create_task(inbox.append([an_entry()]))
        await asyncio.sleep(0)
        os.kill(process, signal.SIGKILL)
        with pytest.raises(MaybeKept):
            await asked
        with pytest.raises(NotDurable):
            await inbox.append([an_entry()])


async def test_commits_go_on_beside_other_work_on_the_log(tmp_path: Path) -> None:
    async with open_sqlite_inbox(tmp_path / "inbox.db", bytes(16)) as inbox:
        entry = Entry(encode_record(an_event()), NOON)
        for _ in range(20):
            (old,) = await inbox.append([entry])
            crowd = asyncio.gather(*(inbox.append([entry]) for _ in range(50)))
            impatient = asyncio.create_task(inbox.erase([old.seq]))
            await asyncio.sleep(0)
            impatient.cancel()
            await asyncio.gather(inbox.erase([old.seq]), crowd)
        assert len(await records(inbox)) == inbox.end == 20 * 51


async def test_what_the_writer_cannot_write_harms_only_its_group(tmp_path: Path) -> None:
    async with open_sqlite_inbox(tmp_path / "inbox.db", bytes(16)) as inbox:
        with pytest.raises(NotDurable):
            await inbox.append([Entry("text", NOON)])  # type: ignore[arg-type]
        assert inbox.alive
        await inbox.append([an_entry(b"fine")])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_dead_writer_leaves_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_inbox, "QUICK_SECONDS", -1)
    async with open_sqlite_inbox(tmp_path / "inbox.db", bytes(16)) as inbox:
        fatal = Entry(Deadly(b"x"), NOON)
        crowd = [asyncio.create_task(inbox.append([entry])) for entry in (fatal, an_entry())]
        answers = await asyncio.wait_for(asyncio.gather(*crowd, return_exceptions=True), 1)
        assert all(isinstance(answer, NotDurable) for answer in answers)
        with pytest.raises(NotDurable):
            await inbox.append([an_entry()])
        assert not inbox.alive


async def test_beyond_its_room_callers_are_told_to_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_room, "ROOM", 3 * waiting_room.ENTRY_COSTS)
    async with open_sqlite_inbox(tmp_path / "inbox.db", bytes(16)) as inbox:
        crowd = [asyncio.create_task(inbox.append([an_entry(b"x")])) for _ in range(5)]
        answers = await asyncio.gather(*crowd, return_exceptions=True)
        assert sum(isinstance(answer, NotDurable) for answer in answers) == 3
        await inbox.append([an_entry(b"x")])


@contextmanager
def no_writing() -> Iterator[None]:
    """Whatever this process writes to a file fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


class Deadly(bytes):
    """The writer's thread ends when it asks for the length: the door was the first to ask."""

    asked = 0

    def __len__(self) -> int:
        self.asked += 1
        if self.asked > 1:
            raise SystemExit
        return 1
