"""What follows from the log is held against the log: settled again, it comes to the same."""

import asyncio
import shutil
from pathlib import Path

import pytest

from endu import settled_again
from endu.announcements import CannotRun, Damage
from endu.assembly import open_endu, verify
from endu.events.ledger import BroughtNumber
from endu.identities.identifier import Number, Subject
from endu.settings import Settings
from endu.stores import directory_differences
from endu.stores.chdb_handles import Limits
from endu.stores.chdb_ledger import open_chdb_ledger
from endu.stores.directory_differences import differences
from endu.stores.directory_file import copy_directory
from endu.stores.sqlite import connect
from tests.erasure_story import Story
from tests.web_world import World, world_on

# A change of one row, the table that it is named in, and what is said of it.
PLANTED = (
    ("UPDATE identifiers SET value = '2' WHERE kind = 'telegram'", "identifiers",
     "telegram:1 (subject {telegram}): value is '2', and follows from the log as '1'"),
    ("UPDATE links SET proof = 3 - proof WHERE rowid = 1", "links", "proof is"),
    ("UPDATE sightings SET first_seq = first_seq + 1", "sightings", "first_seq is"),
    ("DELETE FROM links WHERE rowid = 2", "links", "is missing"),
    ("UPDATE rules SET reason = 'told us'", "rules", "reason is 'told us', and follows from"),
    ("UPDATE rules SET taken_back_by = NULL WHERE rule = 'always-link'", "rules", "taken_back_by"),
    ("INSERT INTO limits VALUES ('nobody', '{}')", "limits", "does not follow from the log"),
    ("UPDATE creations SET created = 1 - created", "creations", "created is"),
    ("UPDATE properties SET first_seen_ms = 1", "properties", "first_seen_ms is 1"),
    ("UPDATE failed_events SET text = 'it went well'", "failed_events", "text is 'it went well'"),
)  # fmt: skip


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("kept") / "data"
    asyncio.run(_live(data))
    return data


async def _live(data: Path) -> None:
    """Rules, one of them taken back, limits, devices of several people, failed events, numbers
    that were brought and identities that were made beforehand."""
    async with world_on(data, segment_records=20) as world:
        await Story(world).tell()
        await world.record(p_user_id="1", platform_type="Telegram")
        pair = {"rule": "always-link", "a": "telegram:1", "b": "discord:702877938567086080"}
        rule = await world.ask("POST", "/rules", json={**pair, "reason": "they are one"})
        await world.ask("DELETE", f"/rules/{rule['rule_id']}")
        await world.limits(identity={"wallet": 7})
        await _settled(world)


async def _settled(world: World) -> None:
    await world.ask("GET", "/events", params={"limit": 1, "fresh": "true"})


def found_in(data: Path, thorough: bool = True) -> list[str]:
    found = verify(Settings(data=data), lambda *_: None, thorough)
    assert not (data / "verifying").exists()
    return [f"{each.where}: {each.what}" for each in found.damage]


def change(data: Path, sql: str) -> None:
    connection = connect(data / "directory.db")
    assert connection.execute(sql).rowcount
    connection.close()


@pytest.fixture
def copied(kept: Path, tmp_path: Path) -> Path:
    return shutil.copytree(kept, tmp_path / "data", symlinks=True)


def test_a_sound_directory_has_no_differences(copied: Path) -> None:
    assert found_in(copied) == []


async def test_nor_has_one_where_somebody_was_erased(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with world_on(data, segment_records=100) as world:
        staying, leaving = Story(world), Story(world)
        await staying.tell()
        await leaving.tell()
        await leaving.erase()
        await leaving.must_be_gone()
    assert await asyncio.to_thread(found_in, data) == []


def test_what_has_not_settled_yet_is_no_difference(copied: Path) -> None:
    change(copied, "UPDATE position SET watermark = watermark - 3")
    assert found_in(copied) == []


def test_every_row_that_says_something_else_is_named(copied: Path) -> None:
    connection = connect(copied / "directory.db")
    asked = "SELECT subject FROM identifiers WHERE kind = 'telegram'"
    (subject,) = connection.execute(asked).fetchone()
    connection.close()
    for sql, _, _ in PLANTED:
        change(copied, sql)
    found = found_in(copied)
    for _, table, what in PLANTED:
        said = what.replace("{telegram}", str(subject))
        assert any(each.startswith(f"directory.db, {table}: ") and said in each for each in found)


def test_of_many_rows_only_some_are_named(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory_differences, "AT_MOST", 2)
    copy_directory(copied / "directory.db", copied / "due.db")
    change(copied, "UPDATE identifiers SET first_at_ms = first_at_ms - 1")
    found = list(differences(copied / "due.db", copied / "directory.db"))
    assert len(found) == 3
    assert found[-1] == Damage("directory.db, identifiers", "differs in more than is named")


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("UPDATE journal SET detail = '{}' WHERE change_id = 1", "a line of record"),
        ("UPDATE journal SET mark = 0 WHERE change_id = 1", "a line of record"),
        ("UPDATE owners SET version = 'three'", "a value of another kind"),
        ("UPDATE rules SET identifiers = x'00'", "a value of another kind"),
        ("UPDATE owners SET version = version + (1 << 40)", "has version"),
    ],
)
def test_what_no_other_place_knows_is_named_without_settling_again(
    copied: Path, sql: str, what: str
) -> None:
    change(copied, sql)
    found = found_in(copied, thorough=False)
    assert found and all(each.startswith("directory.db") and what in each for each in found)


def test_a_directory_that_sqlite_cannot_read_is_named_and_the_log_is_read_all_the_same(
    copied: Path,
) -> None:
    found_in(copied, thorough=False)  # the WAL is in the file behind this
    path = copied / "directory.db"
    path.write_bytes(path.read_bytes()[:4096] + bytes(4096) + path.read_bytes()[8192:])
    found = verify(Settings(data=copied), lambda *_: None)
    assert found.records > 10
    assert {each.where for each in found.damage} == {"directory.db"}


async def test_what_the_ledger_reads_otherwise_is_named(copied: Path) -> None:
    """What tells the columns of a part has no check sum of the engine's."""
    parts = copied.glob("ledger/engine/store/*/*/*/columns.txt")
    told = next(path for path in parts if b"`ts` DateTime64(3" in path.read_bytes())
    told.write_bytes(told.read_bytes().replace(b"`ts` DateTime64(3", b"`ts` DateTime64(2"))
    with open_chdb_ledger(copied / "ledger", Limits()) as ledger:
        await ledger.set_numbers([BroughtNumber(Subject(7), Number("7777"))])
    number, *rows = await asyncio.to_thread(found_in, copied)
    assert number == "ledger, number of subject 7: was brought by nobody"
    assert rows and all("read otherwise than follows from the log" in row for row in rows)


def test_too_little_space_is_told_before_anything_is_begun(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settled_again, "TIMES_LEDGER", 1 << 40)
    with pytest.raises(CannotRun, match="Settling the log again needs"):
        found_in(copied)


async def test_what_was_left_by_one_that_was_killed_is_gone_with_the_next_start(
    copied: Path,
) -> None:
    (copied / "verifying").mkdir()
    (copied / "verifying" / "found.db").write_text("somebody")
    async with open_endu(Settings(data=copied)):
        assert not (copied / "verifying").exists()
