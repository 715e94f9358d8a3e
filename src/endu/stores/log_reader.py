"""Reading the log: the segments and the inbox as one, from any place on."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from endu.announcements import Progress
from endu.events.frame import Frame
from endu.events.inbox import LogUnreadable
from endu.stores import wal
from endu.stores.inbox_soundness import unsound
from endu.stores.log_note import noted_end
from endu.stores.segments import Segments
from endu.stores.sqlite import Connection, Error, connect_to_scan

FRAMES_BEHIND = """
SELECT first, last, at_ms, crc, body
  FROM frames
 WHERE first >= coalesce((SELECT max(first) FROM frames WHERE first <= ?1 + 1), 0)
   AND last > ?1
 ORDER BY first
"""
PLACES_BEHIND = FRAMES_BEHIND.replace(", at_ms, crc, body", "")
LAST_PLACE = "SELECT last FROM frames ORDER BY first DESC LIMIT 1"
FRAME_AT = "SELECT first, last, at_ms, crc, body FROM frames WHERE first = ?"
SIZES_BEHIND = "SELECT first, last, length(body) FROM frames WHERE first > ? ORDER BY first"
LOST = "SELECT first, last FROM lost ORDER BY first"
MIXED_WITH = "SELECT value FROM meta WHERE name IN ('secret', 'source') ORDER BY name"
SEALED = "SELECT value FROM meta WHERE name = 'sealed'"


class MixedWith(NamedTuple):
    """What record ids and subjects are computed with."""

    secret: int
    source: int


class LogReader:
    """A connection that only reads what is committed, and the segments beside the file; one
    thread at a time uses it."""

    def __init__(self, path: Path, connect: Callable[[Path], Connection] = connect_to_scan) -> None:
        self._path = path
        self._connection = connect(path)
        self._segments = Segments(path.parent)

    def frames(self, after: int) -> Iterator[Frame]:
        """Those with records behind `after`, in order; an empty one, not intact, where it cannot
        be read. Raises LogUnreadable where not even places can be told."""
        while True:
            if (sealed := self.sealed()) > after:
                yield from self._segments.frames(after, sealed)
                after = sealed
            rows = self._in_inbox(after)
            first = next(rows, None)
            # Asked while `rows` is open, so of the same state of the file: nothing left the inbox
            # between the two.
            if self.sealed() <= after:
                break
        if first is not None:
            yield first
            yield from rows

    def end(self) -> int:
        """The last place of the last frame; 0 for an empty log. Raises LogUnreadable."""
        try:
            row = self._connection.execute(LAST_PLACE).fetchone()
        except Error as problem:
            raise LogUnreadable(f"The end of the log cannot be read: {problem}") from problem
        return row[0] if row else self.sealed()

    def sealed(self) -> int:
        """Up to here the segments have it, and the inbox no more. Raises LogUnreadable."""
        try:
            row = self._connection.execute(SEALED).fetchone()
        except Error as problem:
            raise LogUnreadable(f"The inbox cannot be read: {problem}") from problem
        return row[0] if row else 0

    def sizes(self, after: int) -> Iterator[tuple[int, int, int]]:
        """First and last place and bytes of each frame of the inbox behind `after`, in order."""
        yield from self._connection.execute(SIZES_BEHIND, (after,))

    def mixed_with(self) -> MixedWith:
        """Raises LogUnreadable."""
        try:
            (secret,), (source,) = self._connection.execute(MIXED_WITH).fetchall()
        except (Error, ValueError) as problem:
            raise LogUnreadable(f"The log's secret cannot be read: {problem}") from problem
        return MixedWith(int.from_bytes(secret, "big"), source)

    def damaged_files(self, progress: Progress) -> Iterator[tuple[str, str]]:
        """Reads every byte of the segments and of the inbox, but for its frames: which file is not
        as it was written, or missing, and what of it; and what the inbox has lost of its end.
        Raises LogUnreadable."""
        yield from self._segments.damage(self.sealed(), progress)
        if lost := wal.damage(self._path):
            yield self._path.name, lost
        for first, last in self._lost():
            yield self._path.name, f"the records {first} to {last} were acknowledged, and are gone"
        try:
            yield from ((self._path.name, what) for what in unsound(self._connection))
        except Error as problem:
            raise LogUnreadable(f"The inbox cannot be read: {problem}") from problem

    def close(self) -> None:
        self._connection.close()

    def _lost(self) -> Iterator[tuple[int, int]]:
        try:
            yield from self._connection.execute(LOST)
        except Error as problem:
            raise LogUnreadable(f"The inbox cannot be read: {problem}") from problem
        end, noted = self.end(), noted_end(self._path)
        if noted > end:
            yield end + 1, noted

    def _in_inbox(self, after: int) -> Iterator[Frame]:
        try:
            for row in self._connection.execute(FRAMES_BEHIND, (after,)):
                yield Frame(*row)
                after = max(after, row[1])
        except Error:
            yield from self._frames_one_by_one(after)

    def _frames_one_by_one(self, after: int) -> Iterator[Frame]:
        try:
            places = self._connection.execute(PLACES_BEHIND, (after,)).fetchall()
        except Error as problem:
            raise LogUnreadable(f"Nothing behind {after} can be read: {problem}") from problem
        for first, last in places:
            try:
                row = self._connection.execute(FRAME_AT, (first,)).fetchone()
            except Error:
                row = (first, last, 0, 0, b"")
            if row is None:  # sealed meanwhile
                yield from self.frames(first - 1)
                return
            yield Frame(*row)
