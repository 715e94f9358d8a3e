"""What is old leaves the inbox for segments: nothing is lost by it, nothing is there twice."""

import asyncio
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from endu.events.event import Seq
from endu.events.inbox import Kept, LogUnreadable
from endu.stores import sealer as sealer_file
from endu.stores import sqlite_log
from endu.stores.log_reader import LogReader
from endu.stores.segments import Segment, SegmentDiffers, Segments
from endu.stores.sqlite import connect
from tests.log_world import NOON, an_entry
from tests.sealing_world import files_of, frames_of, open_log, seal_by_half, sealed_up_to


async def test_a_sealed_log_reads_as_it_did_before(tmp_path: Path) -> None:
    async with open_log(tmp_path) as log:
        await log.append(57)
        before = frames_of(tmp_path)
        await log.seal_all()
        assert files_of(tmp_path) == [
            f"{first:016}-{first + 99:016}.1.zst" for first in (1, 101, 201, 301, 401)
        ]
        assert frames_of(tmp_path) == before
        for after in (0, 1, 99, 100, 101, 255, 499, 500, 501, 569, 570):
            assert frames_of(tmp_path, after) == [f for f in before if f.last > after]
        assert log.inbox.end == 570 and sealed_up_to(tmp_path) == 500


async def test_the_newest_records_stay_in_the_inbox_even_where_they_are_settled(
    tmp_path: Path,
) -> None:
    async with open_log(tmp_path) as log:
        await log.append(11)
        assert not await log.sealer.seal_once(Seq(109))
        assert await log.sealer.seal_once(Seq(110))
        assert log.steps == ["segment written", "segment named", "segment dropped"]


async def test_what_is_not_settled_stays_in_the_inbox(tmp_path: Path) -> None:
    async with open_log(tmp_path) as log:
        await log.append(100)
        while await log.sealer.seal_once(Seq(415)):
            pass
        assert sealed_up_to(tmp_path) == 400


async def test_large_records_fill_a_segment_sooner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealer_file, "SEGMENT_BYTES", 50_000)
    async with open_log(tmp_path, 1_000) as log:
        for n in range(120):
            await log.inbox.append([an_entry(b"%d" % n + bytes(9_000))])
        await log.seal_all()
        assert sealed_up_to(tmp_path) == 18
        assert len(frames_of(tmp_path)) == 120


async def test_taking_finds_every_record_by_its_place(tmp_path: Path) -> None:
    async with open_log(tmp_path) as log:
        await log.append(35)
        await log.seal_all()
        for place in (1, 10, 11, 100, 101, 255, 300, 301, 350):
            found = (await log.inbox.take(Seq(place - 1), 1))[0]
            assert found.seq == place and found.intact
            assert f"discord:{place}".encode() in found.record


async def test_a_message_is_known_for_ever(tmp_path: Path) -> None:
    async with open_log(tmp_path) as log:
        await log.inbox.append([an_entry(b"x", "m")])
        await log.append(20)
        await log.seal_all()
        assert await log.inbox.append([an_entry(b"x", "m")]) == [Kept(Seq(1), NOON, True)]


async def test_the_inbox_stays_small(tmp_path: Path) -> None:
    def used() -> int:
        with closing(connect(tmp_path / "inbox.db")) as other:
            other.execute("DELETE FROM message_ids")  # these are to grow
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return (tmp_path / "inbox.db").stat().st_size

    async with open_log(tmp_path) as log:
        sizes = []
        for _ in range(6):
            await log.append(50, each=20)
            await log.seal_all()
            sizes.append(used())
    assert max(sizes[1:]) <= 1.2 * sizes[0]


async def test_places_go_on_where_an_empty_inbox_was_sealed(tmp_path: Path) -> None:
    async with open_log(tmp_path, 10) as log:
        await log.append(1)
        assert await log.sealer.seal_once(Seq(11))
        with closing(LogReader(tmp_path / "inbox.db")) as reader:
            assert not list(reader.sizes(0))
    async with open_log(tmp_path, 10) as log:
        assert log.inbox.end == 10
        (kept,) = await log.inbox.append([an_entry()])
        assert kept.seq == 11


async def test_places_that_were_never_used_are_no_gap(tmp_path: Path) -> None:
    async with open_log(tmp_path) as log:
        await log.append(4)
        log.inbox._writer._next += 5_000
        await log.append(20)
        before = frames_of(tmp_path)
        await log.seal_all()
        assert sealed_up_to(tmp_path) > 5_000
        assert frames_of(tmp_path) == before
        assert list(Segments(tmp_path).damage(sealed_up_to(tmp_path))) == []


async def test_who_reads_while_frames_leave_the_inbox_misses_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_log, "DROPPED_FRAMES", 2)
    async with open_log(tmp_path) as log:
        await log.append(150)
        whole = [frame.first for frame in frames_of(tmp_path)]
        sealing = asyncio.create_task(log.seal_all())
        readings = 0
        while not sealing.done():
            after = readings * 70 % 1_500
            found = await asyncio.to_thread(frames_of, tmp_path, after)
            assert [frame.first for frame in found] == [n for n in whole if n + 9 > after]
            readings += 1
        await sealing
    assert readings > 5


class PowerCut(BaseException):
    pass


STEPS = ("segment written", "segment named", "segment dropped")


@pytest.mark.parametrize("step", STEPS)
async def test_what_a_crash_left_is_finished_by_the_next_start(tmp_path: Path, step: str) -> None:
    def die(done: str) -> None:
        if done == step:
            raise PowerCut

    async with open_log(tmp_path) as log:
        await log.append(33)
        before = frames_of(tmp_path)
        log.sealer._done = die
        with pytest.raises(PowerCut):
            await log.sealer.seal_once(log.inbox.end)
        assert frames_of(tmp_path) == before
    async with open_log(tmp_path) as log:
        assert frames_of(tmp_path) == before
        await log.seal_all()
        assert sealed_up_to(tmp_path) == 300
        assert len(files_of(tmp_path)) == 3
        assert frames_of(tmp_path) == before


async def test_a_segment_that_left_the_inbox_by_half_is_finished(tmp_path: Path) -> None:
    async with open_log(tmp_path) as log:
        await log.append(33)
        await seal_by_half(log)
        assert sealed_up_to(tmp_path) == 50
        before = frames_of(tmp_path)
        assert [f.first for f in before] == list(range(1, 330, 10))
        await log.seal_all()
        assert sealed_up_to(tmp_path) == 300
        assert frames_of(tmp_path) == before


async def test_a_damaged_segment_is_written_again_only_while_the_inbox_has_all_of_it(
    tmp_path: Path,
) -> None:
    async with open_log(tmp_path) as log:
        await log.append(33)
        await seal_by_half(log)
        assert sealed_up_to(tmp_path) == 50
        flip(tmp_path / "segments" / files_of(tmp_path)[0])
        with pytest.raises(SegmentDiffers):
            await log.sealer.seal_once(log.inbox.end)
        assert sealed_up_to(tmp_path) == 50


async def test_a_segment_that_differs_from_the_inbox_is_sealed_again(tmp_path: Path) -> None:
    async with open_log(tmp_path) as log:
        await log.append(33)
        before = frames_of(tmp_path)
        segments = Segments(tmp_path)
        segments.tidy()
        wrong = Segment(1, 100)
        segments.write(wrong, lambda: [replace(before[0], at_ms=1), *before[1:10]])
        segments.name(wrong)
        await log.seal_all()
        assert frames_of(tmp_path) == before
        assert sealed_up_to(tmp_path) == 300


async def test_a_frame_that_cannot_be_read_is_not_dropped(tmp_path: Path) -> None:
    async with open_log(tmp_path) as log:
        await log.append(33)
        with closing(connect(tmp_path / "inbox.db")) as other:
            other.execute("UPDATE frames SET body = x'' WHERE first = 141")
        assert await log.sealer.seal_once(log.inbox.end)
        with pytest.raises(LogUnreadable):
            await log.sealer.seal_once(log.inbox.end)
        assert sealed_up_to(tmp_path) == 100
        assert len(files_of(tmp_path)) == 1


async def test_a_damaged_record_is_sealed_as_it_is_and_stays_damaged(tmp_path: Path) -> None:
    async with open_log(tmp_path) as log:
        await log.append(33)
        with closing(connect(tmp_path / "inbox.db")) as other:
            (body,) = other.execute("SELECT body FROM frames WHERE first = 41").fetchone()
            body = body.replace(b"discord:45", b"discord:54")
            other.execute("UPDATE frames SET body = ? WHERE first = 41", (body,))
        await log.seal_all()
        found = await log.inbox.take(Seq(40), 10)
        assert [each.seq for each in found if not each.intact] == [45]


def flip(path: Path, at: float = 0.5) -> None:
    content = bytearray(path.read_bytes())
    content[int(len(content) * at)] ^= 0x10
    path.write_bytes(content)
