"""Promises of whoever drops what is sealed and erases: in this process, and in the door's."""

from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from endu.door.inbox import DoorsInbox
from endu.events.event import Erased, decode_record
from endu.events.frame import read_frame
from endu.events.inbox import NotDurable
from endu.stores.segments import Segment, Segments
from endu.stores.sqlite import connect
from endu.stores.sqlite_inbox import SqliteInbox, open_sqlite_inbox
from tests.conftest import inbox_of_a_door
from tests.log_world import an_entry
from tests.sealing_world import frames_of, places, sealed_up_to


@pytest.fixture(params=["sqlite", "door"])
async def inbox(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[SqliteInbox | DoorsInbox]:
    """With twenty frames of ten records."""
    if request.param == "sqlite":
        async with open_sqlite_inbox(tmp_path / "inbox.db", bytes(16)) as opened:
            await fill(opened)
            yield opened
        return
    async with inbox_of_a_door(tmp_path) as behind:
        await fill(behind)
        yield behind


async def fill(inbox: SqliteInbox | DoorsInbox) -> None:
    for _ in range(20):
        await inbox.append([an_entry() for _ in range(10)])


async def test_what_is_dropped_is_read_from_segments_and_the_rest_from_the_inbox(
    inbox: SqliteInbox | DoorsInbox, tmp_path: Path
) -> None:
    whole = frames_of(tmp_path)
    segments = Segments(tmp_path)
    segments.tidy()
    segments.write(Segment(1, 100), lambda: whole[:10])
    segments.name(Segment(1, 100))
    for _ in range(2):  # it may be asked again
        await inbox.drop(places([100])[0])
        assert sealed_up_to(tmp_path) == 100
        assert frames_of(tmp_path) == whole
    with closing(connect(tmp_path / "inbox.db")) as other:
        assert other.execute("SELECT count(*) FROM frames").fetchone() == (10,)


async def test_what_is_erased_says_nothing(inbox: SqliteInbox | DoorsInbox, tmp_path: Path) -> None:
    chosen = list(range(3, 200, 2))
    await inbox.erase(places(chosen))
    records = [found for frame in frames_of(tmp_path) for found in read_frame(frame)]
    erased = [each.seq for each in records if isinstance(decode_record(each.record), Erased)]
    assert erased == chosen
    assert (tmp_path / "inbox.db-wal").stat().st_size == 0


async def test_commits_go_on_meanwhile(inbox: SqliteInbox | DoorsInbox) -> None:
    await inbox.erase(places([1]))
    (kept,) = await inbox.append([an_entry()])
    assert kept.seq == 201


async def test_what_the_storage_cannot_do_is_told(
    inbox: SqliteInbox | DoorsInbox, tmp_path: Path
) -> None:
    with closing(connect(tmp_path / "inbox.db")) as other:
        other.execute(
            "CREATE TRIGGER stuck BEFORE UPDATE ON frames BEGIN SELECT raise(FAIL, 'no'); END"
        )
        with pytest.raises(Exception, match="no|door"):
            await inbox.erase(places([1]))
        other.execute("DROP TRIGGER stuck")
    await inbox.erase(places([1]))


async def test_at_a_closed_door_nobody_waits(tmp_path: Path) -> None:
    async with open_sqlite_inbox(tmp_path / "inbox.db", bytes(16)) as inbox:
        await fill(inbox)
    with pytest.raises(NotDurable):
        await inbox.erase(places([1]))
    with pytest.raises(NotDurable):
        await inbox.drop(places([10])[0])
