"""A record that was erased says nothing any more, wherever the log had it, and nothing else
changes."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from endu.events.event import Erased, Event, Seq, decode_record
from endu.events.frame import Frame, read_frame
from endu.events.inbox import Found
from endu.stores.segments import Segments
from tests.log_world import ACME, NOON
from tests.sealing_world import files_of, frames_of, open_log, places, sealed_up_to


def records_of(root: Path) -> Iterator[Found]:
    for frame in frames_of(root):
        assert frame.intact
        yield from read_frame(frame)


def named(place: int) -> bytes:
    return b"discord:%d\x02" % place  # whatever comes behind an identifier in these records


@pytest.mark.parametrize("chosen", [[5], [95, 101, 250], [300, 301], [395], [7, 8, 9, 333, 395]])
async def test_only_what_was_asked_for_is_erased(tmp_path: Path, chosen: list[int]) -> None:
    async with open_log(tmp_path) as log:
        await log.append(40)
        await log.seal_all()
        assert sealed_up_to(tmp_path) == 300
        before = list(records_of(tmp_path))
        await log.sealer.erase(places(chosen))
        after = list(records_of(tmp_path))
    assert [found.seq for found in after] == list(range(1, 401))
    for old, new in zip(before, after, strict=True):
        if new.seq in chosen:
            left = Erased(organization_id=ACME, received_at_ms=NOON)
            assert decode_record(new.record) == left
        else:
            assert new == old and isinstance(decode_record(new.record), Event)


async def test_nothing_of_it_is_left_in_any_file(tmp_path: Path) -> None:
    chosen = [17, 150, 288, 320, 399]
    async with open_log(tmp_path) as log:
        await log.append(40)
        await log.seal_all()
        await log.sealer.erase(places(chosen))
        inbox = b"".join((tmp_path / f"inbox.db{more}").read_bytes() for more in ("", "-wal"))
        assert not any(named(place) in inbox for place in range(1, 301))  # sealed, so gone
        assert all((named(place) in inbox) == (place not in chosen) for place in range(301, 401))
        sealed = b"".join(frame.body for frame in Segments(tmp_path).frames(0, 300))
        assert all((named(place) in sealed) == (place not in chosen) for place in range(1, 301))


async def test_it_may_be_asked_again_and_then_nothing_is_written(tmp_path: Path) -> None:
    async with open_log(tmp_path) as log:
        await log.append(40)
        await log.seal_all()
        await log.sealer.erase(places([150, 320]))
        files, frames = files_of(tmp_path), frames_of(tmp_path)
        assert [name for name in files if ".2." in name] == [files[1]]
        await log.sealer.erase(places([150, 320]))
        assert (files_of(tmp_path), frames_of(tmp_path)) == (files, frames)


async def test_places_that_were_never_used_are_no_error(tmp_path: Path) -> None:
    async with open_log(tmp_path) as log:
        await log.append(1)
        before = frames_of(tmp_path)
        await log.sealer.erase(places([11, 4_000]))
        assert frames_of(tmp_path) == before


async def test_what_is_erased_before_it_is_sealed_is_sealed_so(tmp_path: Path) -> None:
    async with open_log(tmp_path) as log:
        await log.append(40)
        await log.sealer.erase(places([15]))
        before = frames_of(tmp_path)
        await log.seal_all()
        assert frames_of(tmp_path) == before
        (found,) = (f for f in records_of(tmp_path) if f.seq == 15)
        assert isinstance(decode_record(found.record), Erased)


async def test_a_damaged_neighbour_stays_damaged(tmp_path: Path) -> None:
    async with open_log(tmp_path) as log:
        await log.append(2)
        first: Frame = frames_of(tmp_path)[0]
        log.inbox._writer._connection.execute(
            "UPDATE frames SET body = ? WHERE first = 1",
            (first.body.replace(named(3), b"discord:4\x02"),),
        )
        await log.sealer.erase(places([2]))
        found = await log.inbox.take(Seq(0), 5)
    assert [each.seq for each in found if not each.intact] == [3]


async def test_an_erasure_that_is_given_up_has_ended_when_the_next_begins(tmp_path: Path) -> None:
    async with open_log(tmp_path) as log:
        await log.append(40)
        await log.seal_all()
        for place in (50, 150, 250):
            given_up = asyncio.create_task(log.sealer.erase(places([place])))
            await asyncio.sleep(0)
            given_up.cancel()
        await log.sealer.erase(places([50, 150, 250]))
        assert not [name for name in files_of(tmp_path) if ".unfinished" in name]
        assert len(files_of(tmp_path)) == 3
    erased = [f.seq for f in records_of(tmp_path) if isinstance(decode_record(f.record), Erased)]
    assert erased == [50, 150, 250]


async def test_an_erasure_that_was_killed_is_done_by_asking_again(tmp_path: Path) -> None:
    class PowerCut(BaseException):
        pass

    def die(step: str) -> None:
        raise PowerCut

    async with open_log(tmp_path) as log:
        await log.append(40)
        await log.seal_all()
        log.sealer._done = die
        with pytest.raises(PowerCut):
            await log.sealer.erase(places([150, 320]))
    async with open_log(tmp_path) as log:
        await log.sealer.erase(places([150, 320]))
    erased = [f.seq for f in records_of(tmp_path) if isinstance(decode_record(f.record), Erased)]
    assert erased == [150, 320]
