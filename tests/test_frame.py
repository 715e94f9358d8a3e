from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from endu.events.frame import Frame, read_frame, write_frame

RECORDS = [b"first", b"", b"third record"]
FRAME = write_frame(5, 1_000, RECORDS, [False, True, False])

some_records = st.lists(st.tuples(st.binary(max_size=40), st.booleans()), min_size=1, max_size=30)


@given(some_records, st.integers(1, 1 << 60))
def test_what_is_written_is_read(records: list[tuple[bytes, bool]], first: int) -> None:
    texts, reused = [text for text, _ in records], [flag for _, flag in records]
    frame = write_frame(first, 0, texts, reused)
    found = read_frame(frame)
    assert frame.intact and frame.last == first + len(records) - 1
    assert [each.record for each in found] == texts
    assert [each.reused for each in found] == reused
    assert [each.seq for each in found] == list(range(first, frame.last + 1))
    assert all(each.intact and each.check == crc32(each.record) for each in found)


@pytest.mark.parametrize("at", range(len(FRAME.body)))
def test_one_flipped_byte_is_seen_and_no_place_is_lost(at: int) -> None:
    body = bytearray(FRAME.body)
    body[at] ^= 0x10
    damaged = replace(FRAME, body=bytes(body))
    found = read_frame(damaged)
    assert not damaged.intact
    assert [each.seq for each in found] == [5, 6, 7]
    assert not all(each.intact for each in found)
    assert all(each.record == RECORDS[each.seq - 5] for each in found if each.intact)


def test_a_damaged_record_does_not_harm_its_neighbours() -> None:
    damaged = replace(FRAME, body=FRAME.body.replace(b"first", b"fjrst"))
    assert [each.intact for each in read_frame(damaged)] == [False, True, True]


@pytest.mark.parametrize("cut", range(1, len(FRAME.body)))
def test_a_cut_frame_is_never_taken_for_whole(cut: int) -> None:
    damaged = replace(FRAME, body=FRAME.body[:-cut])
    assert [each.seq for each in read_frame(damaged)] == [5, 6, 7]
    assert not damaged.intact and not read_frame(damaged)[-1].intact


@pytest.mark.parametrize("last", [4, 6, 8, 1 << 40])
def test_a_damaged_number_makes_no_records_up(last: int) -> None:
    found = read_frame(replace(FRAME, last=last))
    assert found[0].seq == 5 and len(found) <= 4
    assert not any(each.intact for each in found)


def test_the_check_covers_every_field() -> None:
    changes: list[dict[str, int]] = [{"first": 6}, {"last": 8}, {"at_ms": 1_001}, {"check": 1}]
    assert FRAME.intact
    assert not any(replace(FRAME, **change).intact for change in changes)
    assert isinstance(FRAME, Frame)
