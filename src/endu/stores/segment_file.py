"""One sealed segment of the log: a file that any zstd opens, written once and never changed.

It is a row of blocks, each some frames as MessagePack, compressed; before each stands a head that
says which places it holds, behind the last one the SHA-256 of everything. Heads and end are
skippable frames, which zstd passes over. docs/segments.md tells it to readers outside Endu.
"""

import os
import struct
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, NamedTuple
from zlib import crc32

import msgspec
from backports import zstd

from endu.events.frame import RECORDS_AT_MOST, Frame

# A damaged byte costs one block, and a record that is read alone costs one: so they are small.
BLOCK_BYTES = 256 << 10

_SKIPPABLE = struct.Struct("<II")  # zstd's magic of what it skips, and how many bytes follow
_HEAD_MAGIC, _END_MAGIC = 0x184D2A50, 0x184D2A51
_HEAD = struct.Struct("<4sIQQII")  # tag, number of the block, first, last, bytes, their CRC-32
_END = struct.Struct("<4sI")  # tag, number of blocks; then the SHA-256 of all before it
_DIGEST_BYTES = 32
_CHECK = struct.Struct("<I")
_HEAD_TAG, _END_TAG = b"EnS1", b"EnSE"
_HEAD_BYTES = _SKIPPABLE.size + _HEAD.size + _CHECK.size
_HEAD_BEGINS = _SKIPPABLE.pack(_HEAD_MAGIC, _HEAD.size + _CHECK.size) + _HEAD_TAG

_OPTIONS = {int(zstd.CompressionParameter.checksum_flag): 1}

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[tuple[int, int, int, int, bytes]]).decode


class Block(NamedTuple):
    """Places of a segment, and where its file has them; `at` is -1 where that cannot be told."""

    first: int
    last: int
    at: int = -1
    size: int = 0
    check: int = 0


def write_segment(path: Path, frames: Iterable[Frame]) -> None:
    """Returns once the file's bytes, though not its name, would survive a power cut."""
    digest, number = sha256(), 0
    with path.open("wb") as file:
        for number, block in enumerate(_in_blocks(frames), 1):
            rows = [(f.first, f.last, f.at_ms, f.check, f.body) for f in block]
            data = zstd.compress(_encode(rows), options=_OPTIONS)
            head = _HEAD_BEGINS[: _SKIPPABLE.size] + _HEAD.pack(
                _HEAD_TAG, number, block[0].first, block[-1].last, len(data), crc32(data)
            )
            for piece in (head, _CHECK.pack(crc32(head)), data):
                digest.update(piece)
                file.write(piece)
        end = _SKIPPABLE.pack(_END_MAGIC, _END.size + _DIGEST_BYTES) + _END.pack(_END_TAG, number)
        digest.update(end)
        file.write(end + digest.digest())
        file.flush()
        os.fsync(file.fileno())


def frames_of(path: Path, first: int, last: int, after: int) -> Iterator[Frame]:
    """The frames of the segment from `first` to `last` that have records behind `after`, in order;
    empty ones, not intact, for places that cannot be read."""
    with path.open("rb") as file:
        for block in _blocks(file, first, last):
            if block.last > after:
                frames = _read(file, block)
                yield from (f for f in frames or _lost(block) if f.last > after)


def damage_of(path: Path, first: int, last: int) -> Iterator[str]:
    """Reads every byte, and says what is not as it was written."""
    with path.open("rb") as file:
        for block in _blocks(file, first, last):
            if _read(file, block) is None:
                yield f"places {block.first} to {block.last} cannot be read"
        if not _is_whole(file):
            yield "its bytes are not those that were written"


def _in_blocks(frames: Iterable[Frame]) -> Iterator[list[Frame]]:
    """Whole frames, up to the size of a block; places follow each other without a gap, so that a
    head's first and last say just which ones are there."""
    block: list[Frame] = []
    size = 0
    for frame in frames:
        if block and (
            size + len(frame.body) > BLOCK_BYTES
            or frame.first != block[-1].last + 1
            or frame.last - block[0].first >= RECORDS_AT_MOST
        ):
            yield block
            block, size = [], 0
        block.append(frame)
        size += len(frame.body)
    if block:
        yield block


def _blocks(file: BinaryIO, first: int, last: int) -> Iterator[Block]:
    """In order. Where a head is damaged the next one is looked for, and what may have been
    between them is told as well."""
    end, at, number = os.fstat(file.fileno()).st_size, 0, 1
    while at < end:
        found, block = _block_at(file, at)
        if block is None:
            at = _next_head(file, at + 1, end)
            continue
        if found != number and first < block.first:
            yield Block(first, block.first - 1)
        yield block
        first, at, number = block.last + 1, block.at + block.size, found + 1
    if first <= last:
        yield Block(first, last)


def _block_at(file: BinaryIO, at: int) -> tuple[int, Block | None]:
    """The block whose head is there, and its number."""
    file.seek(at)
    head = file.read(_HEAD_BYTES)
    said = head[: -_CHECK.size]
    if not said.startswith(_HEAD_BEGINS) or head[len(said) :] != _CHECK.pack(crc32(said)):
        return 0, None
    _, number, first, last, size, check = _HEAD.unpack_from(said, _SKIPPABLE.size)
    return number, Block(first, last, at + _HEAD_BYTES, size, check)


def _next_head(file: BinaryIO, at: int, end: int) -> int:
    """Where the next one begins, if it does: its bytes may be there by chance."""
    file.seek(at)
    found = file.read().find(_HEAD_BEGINS)
    return end if found < 0 else at + found


def _read(file: BinaryIO, block: Block) -> list[Frame] | None:
    """None where the bytes are not those that were written."""
    if block.at < 0:
        return None
    file.seek(block.at)
    data = file.read(block.size)
    if len(data) != block.size or crc32(data) != block.check:
        return None
    try:
        return [Frame(*row) for row in _decode(zstd.decompress(data))]
    except (zstd.ZstdError, msgspec.MsgspecError):
        return None


def _lost(block: Block) -> Iterator[Frame]:
    for first in range(block.first, block.last + 1, RECORDS_AT_MOST):
        yield Frame(first, min(first + RECORDS_AT_MOST - 1, block.last), 0, 0, b"")


def _is_whole(file: BinaryIO) -> bool:
    file.seek(0)
    digest = sha256()
    left = os.fstat(file.fileno()).st_size - _DIGEST_BYTES
    while left > 0 and (piece := file.read(min(left, BLOCK_BYTES))):
        digest.update(piece)
        left -= len(piece)
    return file.read() == digest.digest()
