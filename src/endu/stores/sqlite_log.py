"""The log as a SQLite file: who writes it, who reads it. Nothing here knows of event loops.

One row for each commit keeps the interpreter out of SQLite's way. Frames are settled, then old;
a sealer would take the old ones (wholly settled, behind the newest) out of `frames` into segment
files, and then `LogReader.frames` must read those first. There is none yet.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from endu.announcements import CannotRun
from endu.events.event import Seq
from endu.events.frame import Frame, write_frame
from endu.events.inbox import Entry, Kept, LogUnreadable, MessageKey
from endu.events.places import Message, Places, give_places, give_places_to_new, keys_of
from endu.stores.sqlite import Error, connect

logger = logging.getLogger(__name__)

VERSION = 1
# Places are reserved so many at a time: a crash that loses the tail of the log cannot make
# Endu use a place twice, and one more small commit in a million costs nothing.
RESERVED = 1_000_000
NAMES_AT_ONCE = 500  # placeholders in one statement

TABLES = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS frames (
    first INTEGER PRIMARY KEY,
    last  INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    crc   INTEGER NOT NULL,
    body  BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS message_ids (
    message        BLOB PRIMARY KEY,
    body           BLOB NOT NULL,
    seq            INTEGER NOT NULL,
    received_at_ms INTEGER NOT NULL
) WITHOUT ROWID;
"""

SET_META = "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)"
ADD_FRAME = "INSERT INTO frames (first, last, at_ms, crc, body) VALUES (?, ?, ?, ?, ?)"
ADD_MESSAGE = "INSERT INTO message_ids (message, body, seq, received_at_ms) VALUES (?, ?, ?, ?)"
FIND_MESSAGES = "SELECT message, body, seq, received_at_ms FROM message_ids WHERE message IN (%s)"

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


class LogWriter:
    """Alone writes and checkpoints; made in any thread, then used by one."""

    def __init__(self, path: Path, randomness: bytes, source: int, floor: int) -> None:
        self._connection = connect(path)
        self._connection.executescript(TABLES)
        meta = self._meta_of_first_open(randomness, source)
        if meta["version"] != VERSION:
            raise CannotRun(f"{path} is of version {meta['version']}; this Endu reads {VERSION}.")
        self.secret = int.from_bytes(meta["secret"], "big")
        self.source: int = meta["source"]
        row = self._connection.execute(LAST_PLACE).fetchone()
        self.end: int = row[0] if row else 0
        self._reserved: int = meta["reserved"]
        self._next = max(self.end, self._reserved, floor) + 1
        if floor > self.end:
            logger.error(
                "The log ends at %d, but %d was settled: records are missing. "
                "Run `endu verify`; the log goes on at %d.", self.end, floor, self._next
            )  # fmt: skip

    def write(self, entries: Sequence[Entry]) -> list[Kept]:
        """One commit. Where it raises, nothing of it is kept, and its places stay unused."""
        places = self._places(entries)
        if places.records:
            first, self._next = self._next, self._next + len(places.records)
            if self._next > self._reserved:
                self._reserve(self._next + RESERVED)
            at_ms = entries[-1].received_at_ms
            frame = write_frame(first, at_ms, places.records, places.reused)
            self._commit(frame, places.messages)
            self.end = frame.last
        return places.kept

    def close(self) -> None:
        # Closed in order, nothing was lost: the next start goes on right behind the end.
        with suppress(Error):
            self._reserve(self._next - 1)
        self._connection.close()

    def _meta_of_first_open(self, randomness: bytes, source: int) -> Mapping[str, Any]:
        given = {"version": VERSION, "secret": randomness, "source": source, "reserved": 0}
        self._connection.executemany(
            "INSERT OR IGNORE INTO meta (name, value) VALUES (?, ?)", given.items()
        )
        return dict(self._connection.execute("SELECT name, value FROM meta"))

    def _places(self, entries: Sequence[Entry]) -> Places:
        keys = keys_of(entries)
        if not keys:
            return give_places_to_new(self._next, entries)
        return give_places(self._next, entries, self._known(keys))

    def _known(self, keys: Sequence[MessageKey]) -> Mapping[bytes, Message]:
        known = {}
        for start in range(0, len(keys), NAMES_AT_ONCE):
            names = [key.message for key in keys[start : start + NAMES_AT_ONCE]]
            marks = ",".join("?" * len(names))
            for message, body, seq, at_ms in self._connection.execute(FIND_MESSAGES % marks, names):
                known[message] = Message(body, Seq(seq), at_ms)
        return known

    def _reserve(self, until: int) -> None:
        self._connection.execute(SET_META, ("reserved", until))
        # Into the main file: there it outlives a damaged WAL.
        self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        self._reserved = until

    def _commit(self, frame: Frame, messages: Mapping[bytes, Message]) -> None:
        row = (frame.first, frame.last, frame.at_ms, frame.check, frame.body)
        if not messages:
            self._connection.execute(ADD_FRAME, row)  # a transaction of its own
            return
        uses = [(name, m.body, m.seq, m.received_at_ms) for name, m in messages.items()]
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.execute(ADD_FRAME, row)
            self._connection.executemany(ADD_MESSAGE, uses)
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(Error):  # some errors have rolled back already
                self._connection.execute("ROLLBACK")
            raise


class LogReader:
    """A connection that only reads what is committed; one thread at a time uses it."""

    def __init__(self, path: Path) -> None:
        self._connection = connect(path)
        self._connection.execute("PRAGMA query_only = 1")

    def frames(self, after: int) -> Iterator[Frame]:
        """Those with records behind `after`, in order; an empty one, not intact, where SQLite
        cannot read it. Raises LogUnreadable where not even places can be told."""
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
                yield Frame(*self._connection.execute(FRAME_AT, (first,)).fetchone())
            except Error:
                yield Frame(first, last, 0, 0, b"")

    def end(self) -> int:
        """The last place of the last frame; 0 for an empty log. Raises LogUnreadable."""
        try:
            row = self._connection.execute(LAST_PLACE).fetchone()
        except Error as problem:
            raise LogUnreadable(f"The end of the log cannot be read: {problem}") from problem
        return row[0] if row else 0

    def close(self) -> None:
        self._connection.close()
