"""The inbox over the log's SQLite file: many waiting callers, one fsync.

One thread alone writes and checkpoints. Callers leave their entries in a queue; whoever comes
while one commit is on its way to the disk shares the next.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import NamedTuple

from endu.events.event import Seq
from endu.events.inbox import Entry, Found, Kept, NotDurable, Told
from endu.events.mark import Mark
from endu.ids import Scramble
from endu.stores.sqlite_log import LogReader, LogWriter

logger = logging.getLogger(__name__)

ROOM = 64 << 20  # bytes that may wait for a commit; beyond it callers are told to come again
ENTRY_COSTS = 1_000  # bytes of objects around a waiting record
GROUP = 4 << 20  # bytes after which a group is full: some 20 ms of writing

CLOSING = "Endu is stopping; send it again."
NO_ROOM = "Too much is waiting for the disk; send it again."
FAILED = "The log could not be written; send it again."


class _Waiting(NamedTuple):
    entries: Sequence[Entry]
    size: int
    told: Told


class SqliteInbox:
    """`append` and `post` are for the loop that opened it; `take` for the settler; `arrival` for
    any loop."""

    def __init__(self, writer: LogWriter, reader: LogReader) -> None:
        self._writer = writer
        self._reader = reader
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._waiting_bytes = 0
        self._closed = False
        self._end = Mark(writer.end)
        self._thread = threading.Thread(target=self._run, name="inbox")

    async def append(self, entries: Sequence[Entry]) -> list[Kept]:
        promise: asyncio.Future[list[Kept]] = self._loop.create_future()
        self.post(entries, partial(_keep_promise, promise))
        return await promise

    def post(self, entries: Sequence[Entry], told: Told) -> None:
        if self._closed:
            raise NotDurable(CLOSING)
        size = sum([len(entry.record) + ENTRY_COSTS for entry in entries])
        if self._waiting_bytes + size > ROOM:
            raise NotDurable(NO_ROOM)
        self._waiting_bytes += size
        self._queue.put(_Waiting(entries, size, told))

    async def take(self, after: Seq, limit: int) -> list[Found]:
        return self._reader.take(after, limit)

    async def arrival(self, after: Seq) -> None:
        await self._end.reaches(after + 1)

    @property
    def end(self) -> Seq:
        return Seq(self._end.value)

    @property
    def source(self) -> int:
        return self._writer.source

    @property
    def scramble(self) -> Scramble:
        """The secret of this log: record ids and subjects are mixed with it."""
        return Scramble(self._writer.secret)

    @property
    def alive(self) -> bool:
        """Whether it keeps anything: it is open and its thread runs."""
        return not self._closed

    def start(self) -> None:
        self._thread.start()

    async def close(self) -> None:
        """Everyone already waiting still gets an answer."""
        self._closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        """The thread: groups until it is told to end. However it ends, nobody is left waiting."""
        group: list[_Waiting] = []
        last = False
        try:
            while not last:
                group, last = self._next_group()
                self._write(group)
                group = []
        finally:
            self._loop.call_soon_threadsafe(self._give_up, group)

    def _next_group(self) -> tuple[list[_Waiting], bool]:
        """Whoever waits, up to a full group; and whether it is the last one."""
        group: list[_Waiting] = []
        size = 0
        waiting = self._queue.get()
        try:
            while waiting is not None:
                group.append(waiting)
                size += waiting.size
                if size >= GROUP:
                    return group, False
                waiting = self._queue.get_nowait()
        except Empty:
            return group, False
        return group, True

    def _write(self, group: list[_Waiting]) -> None:
        entries = [entry for waiting in group for entry in waiting.entries]
        kept: list[Kept] | None = None
        try:
            kept = self._writer.write(entries) if entries else []
        except Exception:  # the outermost loop of this thread: the next group may succeed
            logger.exception("A commit of %d records failed; their callers were told", len(entries))
        self._end.move(self._writer.end)  # before anyone is told: they may ask for it at once
        self._loop.call_soon_threadsafe(self._answer, group, kept)

    def _answer(self, group: list[_Waiting], kept: list[Kept] | None) -> None:
        """On the loop of those who wait: all of them in one pass."""
        place = 0
        for entries, size, told in group:
            self._waiting_bytes -= size
            end = place + len(entries)
            try:
                told(None if kept is None else kept[place:end])
            except Exception:  # of one of them; the others are told all the same
                logger.exception("A commit could not be told to one who waits for it")
            place = end

    def _give_up(self, group: list[_Waiting]) -> None:
        """The thread has ended: whoever came too late, or was in its hands, is told."""
        self._closed = True
        late = list(group)
        while not self._queue.empty():
            waiting = self._queue.get_nowait()
            if waiting is not None:
                late.append(waiting)
        self._answer(late, None)


def _keep_promise(promise: asyncio.Future[list[Kept]], kept: Sequence[Kept] | None) -> None:
    if promise.done():  # the caller hung up meanwhile
        return
    if kept is None:
        promise.set_exception(NotDurable(FAILED))
    else:
        promise.set_result(list(kept))


@asynccontextmanager
async def open_sqlite_inbox(
    path: Path, randomness: bytes, source: int = 0, floor: int = 0
) -> AsyncIterator[SqliteInbox]:
    """`randomness` (16 bytes) and `source` (0 to 4095) are kept at the first open and then not
    looked at. `floor` is the last place that was settled: no new one comes before it."""
    writer = LogWriter(path, randomness, source, floor)
    try:
        reader = LogReader(path)
        try:
            inbox = SqliteInbox(writer, reader)
            inbox.start()
            try:
                yield inbox
            finally:
                await inbox.close()
        finally:
            reader.close()
    finally:
        writer.close()
