"""The log as a SQLite file: who writes it. Nothing here knows of event loops.

One row for each commit keeps the interpreter out of SQLite's way. Frames are settled, then old,
and then sealed: segment files beside the inbox have them, and they leave it. Which ones did, its
`meta` says, in the same transaction.
"""

import logging
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from endu.announcements import CannotRun
from endu.events.event import Seq
from endu.events.frame import Frame, write_frame
from endu.events.inbox import Entry, Kept, MessageKey
from endu.events.keeping import Leaves, erased_in
from endu.events.places import (
    Message,
    Places,
    check_of,
    give_places,
    give_places_to_new,
    keys_of,
)
from endu.stores.log_note import EndNote, noted_end
from endu.stores.log_reader import LAST_PLACE, SIZES_BEHIND
from endu.stores.sqlite import BUSY_MS, Error, connect

logger = logging.getLogger(__name__)

VERSION = 3
UNCHECKED = 2  # message ids had no check sum
WITHOUT_SEGMENTS = 1  # the version that knew none: otherwise the same
# Places are reserved so many at a time: a crash that loses the tail of the log cannot make
# Endu use a place twice, and one more small commit in a million costs nothing.
RESERVED = 1_000_000
NAMES_AT_ONCE = 500  # placeholders in one statement
# What leaves the inbox in one commit: a few milliseconds, in which others wait.
DROPPED_FRAMES, DROPPED_BYTES = 250, 256 << 10
ERASED_FRAMES, ERASED_BYTES = 100, 256 << 10
SCRUBBED_PAGES = 64  # likewise
# How long washing waits for those who read an old state of the file; commits wait as long.
WASHING_MS = 50

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
    received_at_ms INTEGER NOT NULL,
    crc            INTEGER  -- NULL where an older version wrote it
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lost (first INTEGER PRIMARY KEY, last INTEGER NOT NULL);
"""

ADD_LOST = "INSERT OR IGNORE INTO lost (first, last) VALUES (?, ?)"
SET_META = "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)"
ADD_FRAME = "INSERT INTO frames (first, last, at_ms, crc, body) VALUES (?, ?, ?, ?, ?)"
ADD_MESSAGE = """
INSERT INTO message_ids (message, body, seq, received_at_ms, crc) VALUES (?, ?, ?, ?, ?)
"""
ADD_CRC = "ALTER TABLE message_ids ADD COLUMN crc INTEGER"
FIND_MESSAGES = "SELECT message, body, seq, received_at_ms FROM message_ids WHERE message IN (%s)"

FRAME_WITH = """
SELECT first, last, at_ms, crc, body FROM frames WHERE first <= ? ORDER BY first DESC LIMIT 1
"""


class LogWriter:
    """Alone writes and checkpoints; made in any thread, then used by one."""

    def __init__(self, path: Path, randomness: bytes, source: int, floor: int) -> None:
        self._connection = connect(path)
        self._connection.executescript(TABLES)
        # What is dropped or erased is overwritten wherever its page is written in any case. Pages
        # that become free are not: sealing would write everything once more. See `scrub`.
        self._connection.execute("PRAGMA secure_delete = FAST")
        self._page_bytes: int = self._connection.execute("PRAGMA page_size").fetchone()[0]
        meta = self._meta_of_first_open(randomness, source)
        if meta["version"] not in (WITHOUT_SEGMENTS, UNCHECKED, VERSION):
            raise CannotRun(f"{path} is of version {meta['version']}; this Endu reads {VERSION}.")
        if meta["version"] != VERSION:
            with self._transaction():
                self._connection.execute(ADD_CRC)
                self._connection.execute(SET_META, ("version", VERSION))
        self.secret = int.from_bytes(meta["secret"], "big")
        self.source: int = meta["source"]
        row = self._connection.execute(LAST_PLACE).fetchone()
        self.end: int = row[0] if row else meta["sealed"]
        self._reserved: int = meta["reserved"]
        self._next = max(self.end, self._reserved, floor) + 1
        known = max(floor, noted_end(path))
        if known > self.end:
            self._connection.execute(ADD_LOST, (self.end + 1, known))
            logger.error(
                "The log ends at %d, but %d was acknowledged: records are missing. "
                "Run `endu verify`; the log goes on at %d.", self.end, known, self._next
            )  # fmt: skip
        self._note = EndNote(path, self.end)

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
            self._note.say(self.end)
        return places.kept

    def drop(self, until: int) -> bool:
        """One commit: takes the oldest frames out, a bounded number of those up to `until`. Says
        whether there are more of them."""
        sizes = self._connection.execute(f"{SIZES_BEHIND} LIMIT {DROPPED_FRAMES}", (0,))
        last, size = 0, 0
        for _, its_last, its_size in sizes.fetchall():
            if its_last > until or size > DROPPED_BYTES:
                break
            last, size = its_last, size + its_size
        if last:
            with self._transaction():
                self._connection.execute("DELETE FROM frames WHERE first <= ?", (last,))
                self._connection.execute(SET_META, ("sealed", last))
        return 0 < last < until

    def erase(self, places: Sequence[Seq], leaves: Leaves) -> int:
        """One commit: the records at the first of these places, ascending, say no more than is left
        of them where they are in the inbox. Says at how many places that is done. What they said
        may still be in free pages and in the WAL; see `scrub` and `wash`."""
        frames: list[Frame] = []
        size = done = 0
        for _ in range(ERASED_FRAMES):
            if done == len(places) or size >= ERASED_BYTES:
                break
            row = self._connection.execute(FRAME_WITH, (places[done],)).fetchone()
            done += 1
            if row is not None and places[done - 1] <= row[1]:
                frames.append(Frame(*row))
                size += len(frames[-1].body)
                done = bisect_right(places, row[1])
        erased = frozenset(places[:done])
        with self._transaction():
            for frame in frames:
                new = erased_in(frame, erased, leaves)
                self._connection.execute(
                    "UPDATE frames SET crc = ?, body = ? WHERE first = ?",
                    (new.check, new.body, new.first),
                )
        return done

    def scrub(self) -> bool:
        """One commit: writes zeros over some of the free pages. False where there are more."""
        free: int = self._connection.execute("PRAGMA freelist_count").fetchone()[0]
        if not free:
            self._connection.execute("DROP TABLE IF EXISTS scrubbed")  # they are free again
            return True
        with self._transaction():
            self._connection.execute("CREATE TABLE IF NOT EXISTS scrubbed (zeros BLOB)")
            zeros = min(free, SCRUBBED_PAGES) * self._page_bytes
            self._connection.execute("INSERT INTO scrubbed VALUES (zeroblob(?))", (zeros,))
        return False

    def wash(self) -> bool:
        """Empties the WAL. False where somebody still reads what is in it: to be tried again."""
        self._connection.execute(f"PRAGMA busy_timeout = {WASHING_MS}")
        try:
            busy, *_ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            self._connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        return not busy

    def close(self) -> None:
        # Closed in order, nothing was lost: the next start goes on right behind the end.
        with suppress(Error):
            self._reserve(self._next - 1)
        self._connection.close()
        self._note.close()

    def _meta_of_first_open(self, randomness: bytes, source: int) -> Mapping[str, Any]:
        given = {
            "version": VERSION,
            "secret": randomness,
            "source": source,
            "reserved": 0,
            "sealed": 0,
        }
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
        uses = [
            (name, m.body, m.seq, m.received_at_ms, check_of(name, m))
            for name, m in messages.items()
        ]
        with self._transaction():
            self._connection.execute(ADD_FRAME, row)
            self._connection.executemany(ADD_MESSAGE, uses)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(Error):  # some errors have rolled back already
                self._connection.execute("ROLLBACK")
            raise
