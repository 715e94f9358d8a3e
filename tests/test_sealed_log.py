"""A log that is mostly sealed is settled, read back and made again as one that is not."""

from contextlib import closing
from pathlib import Path

import pytest

from endu.announcements import Damage, Rebuilt, Verified
from endu.events.rebuild import rebuild
from endu.events.settler import Parts, Settler
from endu.events.verify import ToVerify, verify
from endu.stores.log_reader import LogReader
from endu.stores.memory_ledger import MemoryLedger
from endu.stores.trouble import of_storage
from tests.log_world import NOON
from tests.sealing_world import files_of, frames_of, open_log, places, sealed_up_to
from tests.settling import parts_in_memory, settle_all


@pytest.fixture
async def settled(tmp_path: Path) -> Parts:
    """450 events, the first 400 of them sealed, all of them settled; nothing is open."""
    async with open_log(tmp_path) as log:
        await log.append(45)
        parts = parts_in_memory(inbox=log.inbox)
        await settle_all(parts)
        await log.seal_all()
    assert sealed_up_to(tmp_path) == 400
    return parts


async def verified(root: Path, parts: Parts) -> Verified:
    assert isinstance(parts.ledger, MemoryLedger)
    with closing(LogReader(root / "inbox.db")) as log:
        what = ToVerify(log, parts.ledger, parts.position, 0)
        return await verify(what, lambda what, done, of: None)


async def test_a_rebuild_from_segments_settles_the_same(tmp_path: Path, settled: Parts) -> None:
    async with open_log(tmp_path) as log:
        new = parts_in_memory(inbox=log.inbox)
        settler = Settler(new, lambda: NOON, of_storage)
        done = await rebuild(settler, log.inbox, lambda what, done, of: None)
    assert done == Rebuilt(records=450, events=450, set_aside=0)
    assert isinstance(new.ledger, MemoryLedger) and isinstance(settled.ledger, MemoryLedger)
    assert new.ledger.rows == settled.ledger.rows
    assert new.ledger.owners == settled.ledger.owners


async def test_a_sound_sealed_log_has_no_damage(tmp_path: Path, settled: Parts) -> None:
    assert await verified(tmp_path, settled) == Verified(records=450, events=450, damage=())


async def test_a_damaged_segment_is_named_with_its_places(tmp_path: Path, settled: Parts) -> None:
    path = tmp_path / "segments" / files_of(tmp_path)[1]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    damage = (await verified(tmp_path, settled)).damage
    assert damage[:2] == (
        Damage(f"segments/{path.name}", "places 101 to 200 cannot be read"),
        Damage(f"segments/{path.name}", "its bytes are not those that were written"),
    )
    assert [each.where for each in damage[2:]] == [f"record {n}" for n in range(101, 201)]


async def test_a_missing_segment_is_named_with_its_places(tmp_path: Path, settled: Parts) -> None:
    (tmp_path / "segments" / files_of(tmp_path)[2]).unlink()
    damage = (await verified(tmp_path, settled)).damage
    assert damage[0] == Damage("segments", "no file holds the places 201 to 300")
    assert [each.where for each in damage[1:]] == [f"record {n}" for n in range(201, 301)]


async def test_every_segment_that_is_missing_at_the_end_is_noticed(
    tmp_path: Path, settled: Parts
) -> None:
    for name in files_of(tmp_path):
        (tmp_path / "segments" / name).unlink()
    found = await verified(tmp_path, settled)
    assert found.damage[0] == Damage("segments", "no file holds the places 1 to 400")
    assert found.records == 50


async def test_what_was_erased_is_no_damage(tmp_path: Path, settled: Parts) -> None:
    ledger = settled.ledger
    assert isinstance(ledger, MemoryLedger)
    async with open_log(tmp_path) as log:
        await log.sealer.erase(places([77, 250, 444]))
    ledger.rows = [(source, row) for source, row in ledger.rows if row.seq not in (77, 250, 444)]
    assert await verified(tmp_path, settled) == Verified(records=450, events=447, damage=())
    assert len(frames_of(tmp_path)) == 45
