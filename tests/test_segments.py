"""A segment's file: any zstd opens it, one damaged byte is always seen and costs one block."""

import random
from pathlib import Path

import pytest
from backports import zstd

from endu.events.frame import Frame, read_frame, write_frame
from endu.stores import segment_file
from endu.stores.segment_file import damage_of, frames_of, write_segment
from endu.stores.segments import Segment, Segments

FRAMES = [
    write_frame(first, 1_000 + first, [b"record %d" % (first + n) for n in range(10)], [False] * 10)
    for first in [*range(1, 200, 10), *range(1_001, 1_100, 10)]
]
FIRST, LAST = 1, 1_100


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eight blocks of up to five frames; between the fourth and the fifth 800 unused places."""
    monkeypatch.setattr(segment_file, "BLOCK_BYTES", 5 * len(FRAMES[0].body) + 60)
    path = tmp_path / "segment"
    write_segment(path, FRAMES)
    return path


def read(path: Path, after: int = 0) -> list[Frame]:
    return list(frames_of(path, FIRST, LAST, after))


def test_what_is_written_is_read_from_any_place(path: Path) -> None:
    assert read(path) == FRAMES
    for after in range(0, LAST + 1):
        assert read(path, after) == [frame for frame in FRAMES if frame.last > after]
    assert list(damage_of(path, FIRST, LAST)) == []


def test_any_zstd_opens_it(path: Path) -> None:
    text = zstd.decompress(path.read_bytes())
    assert all(b"record %d" % place in text for place in (1, 55, 200, 1_001, 1_100))


def test_every_flipped_byte_is_seen_and_the_other_blocks_are_read(path: Path) -> None:
    whole = path.read_bytes()
    for at in {*range(0, len(whole), 7), *range(60), *range(len(whole) - 60, len(whole))}:
        flipped = bytearray(whole)
        flipped[at] ^= 1 << at % 8
        path.write_bytes(bytes(flipped))
        assert list(damage_of(path, FIRST, LAST)), at
        found = read(path)
        sound = [frame for frame in found if frame.intact]
        assert len(sound) >= len(FRAMES) - 5
        assert set(sound) <= set(FRAMES)


def test_what_is_damaged_is_told_by_its_places(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    second = whole.index(segment_file._HEAD_BEGINS, 10)
    whole[second + 100] ^= 1
    path.write_bytes(whole)
    assert next(damage_of(path, FIRST, LAST)) == "places 51 to 100 cannot be read"
    lost = [found.seq for frame in read(path) for found in read_frame(frame) if not found.intact]
    assert lost == list(range(51, 101))


@pytest.mark.parametrize("kept", [0, 3, 60, 400, -1])
def test_a_file_that_was_cut_is_never_taken_for_whole(path: Path, kept: int) -> None:
    path.write_bytes(path.read_bytes()[:kept])
    assert list(damage_of(path, FIRST, LAST))
    found = read(path)
    assert {place for f in FRAMES for place in range(f.first, f.last + 1)} <= {
        place for f in found for place in range(f.first, f.last + 1)
    }


def test_noise_is_no_segment(path: Path) -> None:
    chance = random.Random(1)
    for size in (1, 100, 5_000):
        path.write_bytes(chance.randbytes(size) + segment_file._HEAD_BEGINS + b"\0" * 20)
        assert not any(frame.intact for frame in read(path))


def sealed(root: Path, *segments: Segment) -> Segments:
    made = Segments(root)
    made.tidy()
    for segment in segments:
        frames = [f for f in FRAMES if segment.first <= f.first and f.last <= segment.last]
        made.write(segment, lambda frames=frames: frames)  # type: ignore[misc]
        made.name(segment)
    return made


def test_files_follow_each_other(tmp_path: Path) -> None:
    made = sealed(tmp_path, Segment(1, 100), Segment(101, 200), Segment(201, 1_100))
    assert list(made.frames(0, LAST)) == FRAMES
    assert list(made.frames(95, 150)) == [f for f in FRAMES if f.last > 95 and f.last <= 150]
    assert list(made.damage(LAST)) == []


def test_a_missing_file_is_named_by_the_places_it_had(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = sealed(tmp_path, Segment(1, 100), Segment(101, 200), Segment(201, 1_100))
    made.remove(Segment(101, 200))
    assert list(made.damage(1_500)) == [
        ("segments", "no file holds the places 101 to 200"),
        ("segments", "no file holds the places 1101 to 1500"),
    ]
    assert list(made.frames(0, LAST)) == [f for f in FRAMES if f.last <= 100 or f.first > 200]
    assert "No segment holds the places 101 to 200" in caplog.text


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    made = sealed(tmp_path, Segment(1, 100), Segment(101, 200))
    path = made.directory / Segment(101, 200).name
    content = bytearray(path.read_bytes())
    content[70] ^= 1
    path.write_bytes(content)
    name = "segments/0000000000000101-0000000000000200.1.zst"
    assert list(made.damage(200)) == [
        (name, "places 101 to 200 cannot be read"),
        (name, "its bytes are not those that were written"),
    ]


def test_of_two_generations_the_newer_counts_and_the_older_goes(tmp_path: Path) -> None:
    made = sealed(tmp_path, Segment(1, 100))
    again = [write_frame(f.first, f.at_ms, [b""] * 10, [False] * 10) for f in FRAMES[:10]]
    made.write(Segment(1, 100, 2), lambda: again)
    assert list(made.frames(0, 100)) == FRAMES[:10]
    made.name(Segment(1, 100, 2))
    assert list(made.frames(0, 100)) == again
    made.write(Segment(101, 200), lambda: FRAMES[10:20])  # never named
    made.tidy()
    assert [p.name for p in made.directory.iterdir()] == [Segment(1, 100, 2).name]


def test_a_reader_goes_on_in_the_new_generation(tmp_path: Path) -> None:
    made = sealed(tmp_path, Segment(1, 100), Segment(101, 200))
    reading = made.frames(0, 200)
    assert next(reading) == FRAMES[0]
    again = [write_frame(f.first, f.at_ms, [b""] * 10, [False] * 10) for f in FRAMES[10:20]]
    made.write(Segment(101, 200, 2), lambda: again)
    made.name(Segment(101, 200, 2))
    made.remove(Segment(101, 200))
    assert list(reading) == [*FRAMES[1:10], *again]
