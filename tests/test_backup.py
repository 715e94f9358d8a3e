"""A backup is of one point, taken while Endu runs; what it is restored to is the same log."""

import asyncio
import os
import shutil
from pathlib import Path

import msgspec
import pytest

from endu.announcements import CannotRun, Damage
from endu.assembly import open_endu, rebuild, verify
from endu.settings import Settings
from endu.stores.backup import MANIFEST, BackedUp, Manifest, back_up
from endu.stores.database import migrate
from endu.stores.restore import put_back
from tests.log_world import NOON
from tests.running import endu, running
from tests.sealing_world import files_of, frames_of, open_log, seal_by_half, sealed_up_to
from tests.test_commands import send


def in_silence(what: str, done: int, total: int) -> None:
    pass


def copy_of(root: Path, target: Path) -> BackedUp:
    return back_up(root, target, lambda: NOON, in_silence)


@pytest.fixture
async def root(tmp_path: Path) -> Path:
    """450 records, 400 of them sealed, and a registry; nothing is open."""
    root = tmp_path / "data"
    root.mkdir()
    migrate(root / "registry.db", "registry")
    (root / "operator.key").write_text("endu_ok_1")
    (root / "operator.key").chmod(0o600)
    async with open_log(root) as log:
        await log.append(45)
        await log.seal_all()
    return root


def test_what_is_restored_is_the_same_log_byte_by_byte(root: Path, tmp_path: Path) -> None:
    done = copy_of(root, tmp_path / "copy")
    assert (done.files, done.log_end, done.damage) == (7, 450, ())
    put_back(tmp_path / "copy", tmp_path / "new", in_silence)
    assert frames_of(tmp_path / "new") == frames_of(root)
    assert files_of(tmp_path / "new") == files_of(root)
    for name in files_of(root):
        sealed = Path("segments") / name
        assert (tmp_path / "new" / sealed).read_bytes() == (root / sealed).read_bytes()
    assert (tmp_path / "new" / "operator.key").read_text() == "endu_ok_1"


def test_nobody_else_may_read_the_copy(root: Path, tmp_path: Path) -> None:
    copy_of(root, tmp_path / "copy")
    put_back(tmp_path / "copy", tmp_path / "new", in_silence)
    for made in (tmp_path / "copy", tmp_path / "new"):
        assert made.stat().st_mode & 0o777 == 0o700
        assert (made / "operator.key").stat().st_mode & 0o777 == 0o600
    assert {path.name for path in (tmp_path / "copy").iterdir()} == {
        "inbox.db", "registry.db", "operator.key", "segments", MANIFEST,
    }  # fmt: skip


async def test_a_backup_while_the_log_is_written_and_sealed_is_of_one_point(
    root: Path, tmp_path: Path
) -> None:
    async with open_log(root) as log:
        copies = [tmp_path / f"copy {n}" for n in range(4)]
        for target in copies:
            backing_up = asyncio.create_task(asyncio.to_thread(copy_of, root, target))
            while not backing_up.done():
                await log.append(3)
                await log.seal_all()
            await backing_up
        await log.append(5)
    whole = frames_of(root)
    for target in copies:
        manifest = msgspec.json.decode((target / MANIFEST).read_bytes(), type=Manifest)
        put_back(target, tmp_path / f"new {target.name}", in_silence)
        restored = frames_of(tmp_path / f"new {target.name}")
        assert restored == whole[: len(restored)]
        assert restored[-1].last == manifest.log_end


async def test_a_backup_is_whole_even_where_a_segment_left_the_inbox_by_half(
    root: Path, tmp_path: Path
) -> None:
    async with open_log(root) as log:
        await log.append(20)
        await seal_by_half(log)
    assert sealed_up_to(root) == 450
    copy_of(root, tmp_path / "copy")
    put_back(tmp_path / "copy", tmp_path / "new", in_silence)
    assert frames_of(tmp_path / "new") == frames_of(root)
    async with open_log(tmp_path / "new") as log:
        await log.seal_all()
        assert sealed_up_to(tmp_path / "new") == 600
    assert frames_of(tmp_path / "new") == frames_of(root)


def test_a_damaged_segment_is_told_of(root: Path, tmp_path: Path) -> None:
    path = root / "segments" / files_of(root)[1]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    damage = copy_of(root, tmp_path / "copy").damage
    assert damage[0] == Damage(f"segments/{path.name}", "places 101 to 200 cannot be read")
    path.unlink()
    damage = copy_of(root, tmp_path / "another").damage
    assert damage == (Damage("segments", "no file holds the places 101 to 200"),)


@pytest.mark.parametrize("name", ["inbox.db", "registry.db", "operator.key", "segments"])
def test_a_backup_that_is_not_as_it_was_made_is_turned_down(
    root: Path, tmp_path: Path, name: str
) -> None:
    copy_of(root, tmp_path / "copy")
    path = tmp_path / "copy" / name
    if path.is_dir():
        path = sorted(path.iterdir())[-1]
    whole = path.read_bytes()
    for content in (whole[:-1], bytes([whole[0] ^ 1]) + whole[1:], None):
        path.unlink() if content is None else path.write_bytes(content)
        with pytest.raises(CannotRun, match=path.name):
            put_back(tmp_path / "copy", tmp_path / "new", in_silence)
        assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "manifest",
    ["", "{}", '{"endu":"1","made_at_ms":1,"log_end":1,"files":[]}', "../../etc/passwd"],
)
def test_what_is_no_manifest_is_turned_down(root: Path, tmp_path: Path, manifest: str) -> None:
    copy_of(root, tmp_path / "copy")
    path = tmp_path / "copy" / MANIFEST
    text = path.read_text().replace("operator.key", manifest) if "/" in manifest else manifest
    path.write_text(text)
    with pytest.raises(CannotRun, match=MANIFEST):
        put_back(tmp_path / "copy", tmp_path / "new", in_silence)
    path.unlink()
    with pytest.raises(CannotRun, match="not a whole one"):
        put_back(tmp_path / "copy", tmp_path / "new", in_silence)


def test_nothing_is_written_where_something_is(root: Path, tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="is not empty"):
        copy_of(root, root)
    copy_of(root, tmp_path / "copy")
    before = sorted(root.rglob("*"))
    with pytest.raises(CannotRun, match="is not empty"):
        put_back(tmp_path / "copy", root, in_silence)
    assert sorted(root.rglob("*")) == before
    with pytest.raises(CannotRun, match="holds no Endu"):
        copy_of(tmp_path / "nowhere", tmp_path / "copied")


async def test_a_log_without_its_inbox_is_not_begun_anew(root: Path) -> None:
    os.rename(root / "inbox.db", root / "elsewhere")
    with pytest.raises(CannotRun, match="the log behind 400"):
        async with open_endu(Settings(data=root)):
            pass


def test_a_running_server_is_backed_up_and_restored_with_the_same_answers(tmp_path: Path) -> None:
    data, copied, new = (tmp_path / name for name in ("data", "copy", "new"))
    with running(data) as server:
        server.json("event-types", "create", "ITEM_PURCHASED")
        send(server, p_user_id="1", fingerprint="f")
        send(server, p_user_id="2", fingerprint="f")
        before = server.json("identities", "timeline", "discord:1")
        done = server.json("backup", str(copied))
        assert done["log_end"] == 2 and done["damage"] == []
        send(server, p_user_id="1", fingerprint="g")
    shutil.rmtree(data)
    restored = endu("restore", str(copied), "--data", str(new), "--json")
    assert restored.returncode == 0, restored.stderr
    assert msgspec.json.decode(restored.stdout) == {"records": 2, "events": 2, "set_aside": 0}
    assert verify(Settings(data=new), in_silence).damage == ()
    with running(new) as server:
        assert server.json("identities", "timeline", "discord:1") == before
    assert rebuild(Settings(data=new), in_silence).records == 2
