"""Corruption is loud: every damaged, missing or doubled record is named by its number."""

from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import replace

from endu.announcements import Damage, Verified
from endu.events.event import Seq
from endu.events.frame import Frame, write_frame
from endu.events.position import SetAside
from endu.events.settler import Parts
from endu.events.verify import ToVerify, compare, verify
from endu.stores.chdb_ledger import ChdbLedger
from endu.stores.log_reader import LogReader
from endu.stores.memory_books import MemoryPosition
from endu.stores.memory_ledger import MemoryLedger
from endu.stores.sqlite import Connection, connect
from endu.stores.sqlite_inbox import open_sqlite_inbox
from tests.log_world import an_entry, an_event
from tests.settling import parts_in_memory, settle_all


class Settled(Struct):
    """A log on disk that was settled into a ledger: 6 events in 3 frames, then closed."""

    path: Path
    parts: Parts

    async def verify(self) -> Verified:
        log = LogReader(self.path)
        try:
            ledger = self.parts.ledger
            assert isinstance(ledger, MemoryLedger | ChdbLedger)
            what = ToVerify(log, ledger, self.parts.position, 0)
            return await verify(what, lambda what, done, of: None)
        finally:
            log.close()

    async def where(self) -> list[str]:
        return [damage.where for damage in (await self.verify()).damage]

    def change(self, sql: str, *values: object) -> None:
        connection: Connection = connect(self.path)
        connection.execute(sql, values)
        connection.close()


async def settle_a_log(path: Path, **parts: object) -> Settled:
    async with open_sqlite_inbox(path, bytes(16)) as inbox:
        made = parts_in_memory(inbox=inbox, **parts)
        for n in range(3):
            texts = (f"discord:{n}", f"wallet:{n}")
            await inbox.append([an_entry(an_event(identifiers=(text,))) for text in texts])
        await settle_all(made)
    return Settled(path, made)


@pytest.fixture
async def settled(tmp_path: Path) -> Settled:
    return await settle_a_log(tmp_path / "inbox.db")


async def test_a_sound_log_and_ledger_have_no_damage(settled: Settled) -> None:
    assert await settled.verify() == Verified(records=6, events=6, damage=())


async def test_progress_goes_up_to_the_end(settled: Settled) -> None:
    seen: list[tuple[int, int]] = []
    log = LogReader(settled.path)
    ledger = settled.parts.ledger
    assert isinstance(ledger, MemoryLedger)
    what = ToVerify(log, ledger, settled.parts.position, 0)
    await verify(what, lambda _, done, of: seen.append((done, of)))
    log.close()
    assert seen == [(2, 6), (4, 6), (6, 6)]


async def test_every_flipped_byte_of_a_frame_is_found(settled: Settled) -> None:
    connection = connect(settled.path)
    (body,) = connection.execute("SELECT body FROM frames WHERE first = 3").fetchone()
    for at in range(0, len(body), 7):
        flipped = bytearray(body)
        flipped[at] ^= 1
        connection.execute("UPDATE frames SET body = ? WHERE first = 3", (bytes(flipped),))
        places = await settled.where()
        assert places and all("3" in place or "4" in place for place in places), at
    connection.close()


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ("UPDATE frames SET crc = crc + 1 WHERE first = 3", "records 3 to 4"),
        ("UPDATE frames SET at_ms = at_ms + 1 WHERE first = 3", "records 3 to 4"),
        ("UPDATE frames SET last = 5 WHERE first = 3", "record 3"),
        ("UPDATE frames SET body = x'' WHERE first = 3", "record 4"),
        ("DELETE FROM frames WHERE first = 3", "record 3"),
        ("DELETE FROM frames WHERE first = 5", "log"),
    ],
)
async def test_a_damaged_row_is_found(settled: Settled, change: str, where: str) -> None:
    settled.change(change)
    assert where in await settled.where()


@pytest.mark.parametrize(
    "change",
    [
        "message = zeroblob(16)",
        "body = zeroblob(16)",
        "body = 'a text'",
        "seq = seq + 1",
        "seq = -1",
        "received_at_ms = received_at_ms + 1",
        "crc = 0",
    ],
)
async def test_a_message_id_that_is_not_as_it_was_written_is_found(
    settled: Settled, change: str
) -> None:
    async with open_sqlite_inbox(settled.path, bytes(16)) as inbox:
        await inbox.append([an_entry(b"x", "m1", "buy"), an_entry(b"y", "m2", "buy")])
        assert await settled.where() == ["record 7", "record 8"]  # they are no records at all
    settled.change(f"UPDATE message_ids SET {change} WHERE seq = 8")
    assert (await settled.where())[0] == "inbox.db"


async def test_what_of_the_inbox_is_in_a_wrong_order_is_found(settled: Settled) -> None:
    async with open_sqlite_inbox(settled.path, bytes(16)) as inbox:
        ids = [an_entry(b"x", f"m{n}", "buy") for n in range(20)]
        await inbox.append(ids)
    connection = connect(settled.path)
    (least,) = connection.execute("SELECT min(message) FROM message_ids").fetchone()
    connection.close()
    content = settled.path.read_bytes()
    assert content.count(least) == 1
    settled.path.write_bytes(content.replace(least, b"\xff" + least[1:]))
    assert "inbox.db" in await settled.where()


async def test_what_the_ledger_has_not_or_has_wrongly_is_named(settled: Settled) -> None:
    ledger = settled.parts.ledger
    assert isinstance(ledger, MemoryLedger)
    _, lost = ledger.rows.pop(1)
    ledger.rows.append(ledger.rows[3])
    await ledger.append(0, [replace(lost, seq=Seq(77))])
    assert set((await settled.verify()).damage) == {
        Damage("record 2", "is missing in the ledger"),
        Damage("record 5", "is in the ledger twice"),
        Damage("record 77", "is in the ledger, but no event in the log"),
    }


def test_rows_are_compared_by_place_and_check() -> None:
    events = {Seq(1): 11, Seq(2): 22, Seq(3): 33}
    found = compare(events, {Seq(1), Seq(2)}, [(1, 11), (2, 99)])
    assert found == [Damage("record 2", "has another check sum in the ledger")]
    assert compare(events, {Seq(1)}, [(1, 11), (3, 33)]) == []  # 3 is on its way


async def test_what_is_not_settled_yet_is_not_missing(settled: Settled) -> None:
    async with open_sqlite_inbox(settled.path, bytes(16)) as inbox:
        await inbox.append([an_entry()])
    assert await settled.verify() == Verified(records=7, events=7, damage=())


async def test_what_was_set_aside_is_named_with_its_reason(settled: Settled) -> None:
    await settled.parts.position.set_aside(SetAside(Seq(4), "was odd", 1))
    ledger = settled.parts.ledger
    assert isinstance(ledger, MemoryLedger)
    del ledger.rows[3]
    assert (await settled.verify()).damage == (Damage("record 4", "was set aside: was odd"),)


async def test_places_that_were_used_twice_are_found() -> None:
    class Twice:
        def frames(self, after: int) -> list[Frame]:  # type: ignore[override]
            return [write_frame(n, 0, [an_entry().record] * 2, [False] * 2) for n in (1, 2)]

        def end(self) -> int:
            return 3

        def damaged_files(self, progress: object) -> list[tuple[str, str]]:  # type: ignore[override]
            return []

    what = ToVerify(Twice(), MemoryLedger(), MemoryPosition(), 0)  # type: ignore[arg-type]
    found = await verify(what, lambda what, done, of: None)
    assert [damage.where for damage in found.damage] == ["records 2 to 3"]


async def test_pages_that_sqlite_cannot_read_do_not_end_the_reading(tmp_path: Path) -> None:
    settled = await settle_a_log(tmp_path / "inbox.db")
    whole = settled.path.read_bytes()
    pages = len(whole) // 4096
    for page in range(1, pages):
        flipped = bytearray(whole)
        flipped[page * 4096 : (page + 1) * 4096] = bytes(4096)
        settled.path.write_bytes(bytes(flipped))
        if b"EnF1" in whole[page * 4096 : (page + 1) * 4096]:
            assert (await settled.verify()).damage
    settled.path.write_bytes(whole)
    assert (await settled.verify()).damage == ()


async def test_damage_on_the_ledgers_disk_is_found(tmp_path: Path, chdb_ledger: ChdbLedger) -> None:
    settled = await settle_a_log(tmp_path / "inbox.db", ledger=chdb_ledger)
    assert (await settled.verify()).damage == ()
    path = "SELECT path FROM system.parts WHERE table = 'events' AND active"
    ((part,),) = await chdb_ledger.ask(path, {})
    data = Path(part) / "data.bin"
    flipped = bytearray(data.read_bytes())
    flipped[len(flipped) // 2] ^= 1
    data.write_bytes(bytes(flipped))
    assert any("endu.events" in where for where in await settled.where())
