"""A WAL from which commits are lost is told from one that a power cut has left."""

import shutil
from collections.abc import Callable
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from pysqlite3 import dbapi2 as sqlite

from endu.assembly import open_endu
from endu.settings import Settings
from endu.stores.soundness import unsound
from endu.stores.sqlite import connect
from endu.stores.wal import damage
from tests.web_world import world_on

COMMITS = 6
PAGE = 512
HEADER, FRAME_HEADER = 32, 24
FRAME = FRAME_HEADER + PAGE
SIZE_AFTER = range(4, 8)  # bytes of a frame's header that say whether it ends a commit
EVERY = 7  # bytes: each field of a header is met, in one frame or another


class Left:
    """What a killed process left: a database, and a WAL that has `COMMITS` of two pages or more.
    `ends` says how far the WAL went after each of them. A checkpoint has taken those up to
    `taken`, and somebody still read there, so that it could take no more."""

    def __init__(self, root: Path, taken: int | None = None) -> None:
        self.path = root / "left.db"
        with closing(sqlite.connect(str(root / "alive.db"))) as connection:
            connection.executescript(f"PRAGMA page_size = {PAGE}; VACUUM")
        with (
            closing(connect(root / "alive.db")) as connection,
            closing(connect(root / "alive.db")) as other,
        ):
            connection.execute("CREATE TABLE commits (n INTEGER PRIMARY KEY, what BLOB)")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            wal = root / "alive.db-wal"
            self.ends = [HEADER]
            for n in range(COMMITS):
                connection.execute("INSERT INTO commits VALUES (?, randomblob(700))", (n,))
                self.ends.append(wal.stat().st_size)
                if n == taken:
                    other.execute("BEGIN")
                    other.execute("SELECT count(*) FROM commits").fetchall()
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            shutil.copy(root / "alive.db", self.path)
            self.wal = wal.read_bytes()

    def with_wal(self, content: bytes) -> str | None:
        self.path.with_name("left.db-wal").write_bytes(content)
        return damage(self.path)

    def commits_of(self, content: bytes) -> list[int]:
        """As SQLite finds them."""
        self.with_wal(content)
        with closing(connect(self.path)) as connection:
            return [n for (n,) in connection.execute("SELECT n FROM commits ORDER BY n")]

    def in_last_but_one(self, offset: int) -> bool:
        return self.ends[-3] <= offset < self.ends[-2]


@pytest.fixture
def left(tmp_path: Path) -> Left:
    return Left(tmp_path)


def test_a_whole_wal_has_no_damage(left: Left) -> None:
    assert left.with_wal(left.wal) is None
    assert left.commits_of(left.wal) == list(range(COMMITS))


def test_every_flipped_byte_before_the_last_commit_is_named(left: Left) -> None:
    for offset in range(0, left.ends[-2], EVERY):
        in_frame = (offset - HEADER) % FRAME
        if left.in_last_but_one(offset) and in_frame in SIZE_AFTER:
            continue  # then one commit may look like a part of the other
        said = left.with_wal(_flipped(left.wal, offset))
        broken = 0 if offset < HEADER else offset - in_frame
        assert said is not None and f"at byte {broken}," in said


def test_what_is_named_sqlite_leaves_out_without_a_word(left: Left) -> None:
    flipped = _flipped(left.wal, left.ends[2] + 100)
    assert left.commits_of(flipped) == [0, 1]


def test_damage_before_what_a_checkpoint_has_taken_is_named(tmp_path: Path) -> None:
    left = Left(tmp_path, taken=3)
    assert left.with_wal(_flipped(left.wal, left.ends[2] + 100)) is not None


def test_a_power_cut_in_the_last_commit_is_no_damage(left: Left) -> None:
    begun, end = left.ends[-2:]
    for length in range(0, len(left.wal), EVERY):
        assert left.with_wal(left.wal[:length]) is None
    frames = [slice(first, first + FRAME) for first in range(begun, end, FRAME)]
    assert len(frames) >= 2
    for unwritten in range(1 << len(frames)):
        content = bytearray(left.wal)
        for place, frame in enumerate(frames):
            if unwritten >> place & 1:
                content[frame] = bytes(FRAME)
        assert left.with_wal(bytes(content)) is None


@pytest.mark.parametrize("torn", [lambda begun: begun + 100, lambda begun: begun + FRAME + 100])
def test_who_goes_on_behind_a_torn_commit_leaves_no_damage(
    left: Left, torn: Callable[[int], int]
) -> None:
    left.with_wal(_flipped(left.wal, torn(left.ends[-2])))
    with closing(connect(left.path)) as connection:
        for n in range(100, 103):
            connection.execute("INSERT INTO commits VALUES (?, randomblob(10))", (n,))
            assert damage(left.path) is None


def test_frames_of_an_older_round_are_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(connect(path)) as connection:
        connection.execute("CREATE TABLE commits (n INTEGER PRIMARY KEY)")
        for n in range(20):
            connection.execute("INSERT INTO commits VALUES (?)", (n,))
        connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
        before = path.with_name("a.db-wal").stat().st_size
        connection.execute("INSERT INTO commits VALUES (100)")
        assert path.with_name("a.db-wal").stat().st_size == before
        assert damage(path) is None


def test_it_is_still_there_when_it_was_named(left: Left) -> None:
    flipped = _flipped(left.wal, left.ends[1] + 100)
    left.with_wal(flipped)
    first, second = (unsound(left.path, lambda connection: iter(())) for _ in range(2))
    assert first == second != []
    assert left.path.with_name("left.db-wal").read_bytes() == flipped


async def test_a_start_says_what_is_lost(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    killed = tmp_path / "killed"
    async with world_on(tmp_path / "data") as world:
        for n in range(COMMITS):
            assert (await world.record(event_data={"n": n})).status_code == 200
        others = shutil.ignore_patterns("ledger", "directory*", "lock")
        shutil.copytree(tmp_path / "data", killed, ignore=others)
    wal = killed / "inbox.db-wal"
    wal.write_bytes(_flipped(wal.read_bytes(), HEADER + FRAME_HEADER + 100))
    async with open_endu(Settings(data=killed)):
        pass
    assert "inbox.db: its WAL is damaged at byte 32" in caplog.text


def test_the_story_has_commits_of_several_frames(left: Left) -> None:
    assert all(end - begun >= 2 * FRAME for begun, end in pairwise(left.ends))


def _flipped(content: bytes, offset: int) -> bytes:
    flipped = bytearray(content)
    flipped[offset] ^= 1 << offset % 8
    return bytes(flipped)
