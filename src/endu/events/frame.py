"""The bytes of one frame of the log: the records that one commit made durable, each checked.

A frame is a head (what it is, its first place, how many records), three tables (lengths, check
sums, flags), the check sum of head and tables, and the records, end to end. Tables instead of a
header for each record: then packing a frame costs the interpreter next to nothing a record.
"""

import struct
from collections.abc import Sequence
from zlib import crc32

from msgspec import Struct

from endu.events.event import Seq
from endu.events.inbox import Found

RECORDS_AT_MOST = 1 << 16  # in one frame; more than that is a damaged number

_HEAD = struct.Struct("<4sQI")  # magic, first place, number of records
_CHECK = struct.Struct("<I")
_BOUNDS = struct.Struct("<QQQ")
_MAGIC = b"EnF1"
_REUSED = 1  # bit 0 of a record's flags


class Frame(Struct, frozen=True):
    """A frame as it lies in the log. `check` covers all the other fields."""

    first: int
    last: int
    at_ms: int
    check: int
    body: bytes

    @property
    def intact(self) -> bool:
        return self.check == _check_of(self.first, self.last, self.at_ms, self.body)


def write_frame(first: int, at_ms: int, records: Sequence[bytes], reused: Sequence[bool]) -> Frame:
    """`reused` says for each record whether its message_id came before with another body."""
    return _packed(first, at_ms, records, list(map(crc32, records)), reused)


def write_again(frame: Frame, found: Sequence[Found]) -> Frame:
    """The frame with these in place of its records; those that are not intact stay so."""
    return _packed(
        frame.first,
        frame.at_ms,
        [each.record for each in found],
        [each.check for each in found],
        [each.reused for each in found],
    )


def read_frame(frame: Frame) -> list[Found]:
    """Its records, in order; damaged ones are there too, not intact.

    Where the head or the tables are damaged, nothing tells one record from the next: then there
    is an empty one, not intact, for each place that the frame had.
    """
    body = frame.body
    count = frame.last - frame.first + 1
    start = _HEAD.size + 9 * count + _CHECK.size
    head = body[: start - _CHECK.size]
    if (
        not 0 < count <= RECORDS_AT_MOST
        or head[: _HEAD.size] != _HEAD.pack(_MAGIC, frame.first, count)
        or body[len(head) : start] != _CHECK.pack(crc32(head))
    ):
        return lost(frame.first, frame.last)
    numbers = struct.unpack_from(f"<{2 * count}I", head, _HEAD.size)
    flags = head[-count:]
    found = []
    for place in range(count):
        end = start + numbers[place]
        record, check = body[start:end], numbers[count + place]
        intact = crc32(record) == check
        reused = bool(flags[place] & _REUSED)
        found.append(Found(Seq(frame.first + place), record, check, reused, intact))
        start = end
    return found


def lost(first: int, last: int) -> list[Found]:
    """What stands for records of which nothing can be read."""
    last = last if first <= last < first + RECORDS_AT_MOST else first
    return [Found(Seq(seq), b"", 0, False, False) for seq in range(first, last + 1)]


def _packed(
    first: int,
    at_ms: int,
    records: Sequence[bytes],
    checks: Sequence[int],
    reused: Sequence[bool],
) -> Frame:
    count = len(records)
    tables = struct.pack(f"<{2 * count}I", *map(len, records), *checks)
    head = _HEAD.pack(_MAGIC, first, count) + tables + bytes(reused)
    body = b"".join((head, _CHECK.pack(crc32(head)), *records))
    last = first + count - 1
    return Frame(first, last, at_ms, _check_of(first, last, at_ms, body), body)


def _check_of(first: int, last: int, at_ms: int, body: bytes) -> int:
    return crc32(body, crc32(_BOUNDS.pack(first, last, at_ms)))
