"""Is what was committed into a WAL still in it?

SQLite takes a damaged frame of its WAL for the end of it, and leaves out whatever was committed
behind that, without a word. A power cut, too, leaves frames that are not whole, but only of the
last commit: with `synchronous=FULL` no commit begins before the one before it is on the disk. So a
frame that continues a commit behind a damaged one proves that something is lost.

The format: https://www.sqlite.org/walformat.html
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

Check: TypeAlias = tuple[int, int]
Order: TypeAlias = Literal["<", ">"]

HEADER = struct.Struct(">4I8s2I")  # magic, version, page size, checkpoints, salts, check sum
FRAME = struct.Struct(">2I8s2I")  # page, size of the database after a commit or 0, salts, check sum
CHECKED_OF_HEADER = 24  # bytes
CHECKED_OF_FRAME = 8  # bytes, and the page behind it
MAGIC = 0x377F0682  # its last bit says in which order of bytes check sums are made


class _Header(NamedTuple):
    whole: bool
    order: Order
    page_bytes: int
    salts: bytes
    check: Check


class _Frame(NamedTuple):
    offset: int
    checked: bytes
    commits: bool
    salts: bytes
    check: Check


def damage(database: Path) -> str | None:
    """What is damaged in the WAL beside a database that nobody has open, and was not opened since;
    None where its end is one that a power cut may have left. Reads all of it."""
    wal = database.with_name(f"{database.name}-wal")
    content = wal.read_bytes() if wal.exists() else b""
    if len(content) <= HEADER.size:
        return None
    header = _header_of(content)
    # One sector holds it, and it is on the disk before the first frame is written.
    broken = _broken_at(header, content) if header.whole else 0
    if broken is None:
        return None
    return f"its WAL is damaged at byte {broken}, and what was committed behind that is lost"


def _broken_at(header: _Header, content: bytes) -> int | None:
    broken = None
    befores = {header.check}
    after_commit = False
    for frame in _frames_of(header, content):
        due = set[Check]()
        if frame.salts == header.salts:  # others are of older rounds
            due = {_check_of(frame.checked, before, header.order) for before in befores}
        befores = {frame.check}
        if frame.check not in due:
            if broken is None:
                broken = frame.offset
                befores |= due  # it may be the check sum itself that is damaged
        elif broken is not None and after_commit:
            return broken
        after_commit = frame.commits
    return None


def _header_of(content: bytes) -> _Header:
    magic, _, page_bytes, _, salts, *check = HEADER.unpack_from(content)
    order: Order = ">" if magic & 1 else "<"
    due = _check_of(content[:CHECKED_OF_HEADER], (0, 0), order)
    whole = magic | 1 == MAGIC | 1 and due == tuple(check)
    return _Header(whole, order, page_bytes, salts, due)


def _frames_of(header: _Header, content: bytes) -> Iterator[_Frame]:
    """Those of older rounds, too: behind the end they are still there."""
    size = FRAME.size + header.page_bytes
    for offset in range(HEADER.size, len(content) - size + 1, size):
        _, database_pages, salts, *check = FRAME.unpack_from(content, offset)
        page = content[offset + FRAME.size : offset + size]
        checked = content[offset : offset + CHECKED_OF_FRAME] + page
        yield _Frame(offset, checked, database_pages > 0, salts, (check[0], check[1]))


def _check_of(content: bytes, before: Check, order: Order) -> Check:
    one, other = before
    words = iter(struct.unpack(f"{order}{len(content) // 4}I", content))
    for even, odd in zip(words, words, strict=True):
        one = (one + even + other) & 0xFFFF_FFFF
        other = (other + odd + one) & 0xFFFF_FFFF
    return one, other
