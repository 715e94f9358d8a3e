"""The inbox over the log's SQLite file: many waiting callers, one fsync.

One thread alone writes and checkpoints, one group at a time; whoever comes while a group is on
its way to the disk shares the next.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeAlias, TypeVar

from endu.events.event import Seq
from endu.events.frame import read_frame
from endu.events.inbox import Entry, Found, Kept, NotDurable, Told, posted
from endu.events.mark import Mark
from endu.ids import Scramble
from endu.stores.sqlite_log import LogReader, LogWriter

T = TypeVar("T")

logger = logging.getLogger(__name__)

ROOM = 64 << 20  # bytes that may wait for a commit; beyond it callers are told to come again
ENTRY_COSTS = 1_000  # bytes of objects around a waiting record
GROUP = 4 << 20  # bytes after which a group is full: some 20 ms of writing

TURN = 1_000  # records read between two turns of everybody else: about half a millisecond

# Other work of the writing thread than commits: so many places at once, and commits in between.
ERASED_AT_ONCE = 100
WASH_AGAIN_SECONDS = 0.2

CLOSING = "Endu is stopping; send it again."
NO_ROOM = "Too much is waiting for the disk; send it again."


class _Waiting(NamedTuple):
    entries: Sequence[Entry]
    size: int
    told: Told


class _Work(NamedTuple):
    """What the thread does between two commits."""

    do: Callable[[LogWriter], Any]
    done: Future[Any]


_Group: TypeAlias = list[_Waiting]
Moved: TypeAlias = Callable[[int], None]


class SqliteInbox:
    """For the loop that opened it; its thread alone writes."""

    def __init__(self, writer: LogWriter, reader: LogReader, moved: Moved) -> None:
        self._writer = writer
        self._reader = reader
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[_Group | _Work | None] = SimpleQueue()  # one group at most
        self._waiting: deque[_Waiting] = deque()
        self._busy = False  # a group is with the thread, or about to be
        self._waiting_bytes = 0
        self._closed = False
        self._end = Mark(writer.end)
        self._moved = moved
        self._thread = threading.Thread(target=self._run, name="inbox")

    async def append(self, entries: Sequence[Entry]) -> list[Kept]:
        return await posted(self, entries)

    def post(self, entries: Sequence[Entry], told: Told) -> None:
        if self._closed:
            raise NotDurable(CLOSING)
        size = size_of(entries)
        if self._waiting_bytes + size > ROOM:
            raise NotDurable(NO_ROOM)
        self._waiting_bytes += size
        self._waiting.append(_Waiting(entries, size, told))
        if not self._busy:
            # Not at once: all that arrive in this turn of the loop share a commit. Each handing
            # over costs both threads a wait for the interpreter; that was half of an event.
            self._busy = True
            self._loop.call_soon(self._hand_over)

    async def take(self, after: Seq, limit: int) -> list[Found]:
        return await take(self._reader, after, limit)

    async def arrival(self, after: Seq) -> None:
        await self._end.reaches(after + 1)

    async def drop(self, until: Seq) -> None:
        """As InboxKeeper.drop."""
        while await self._between_commits(lambda writer: writer.drop(until)):
            pass

    async def erase(self, places: Sequence[Seq]) -> None:
        """As InboxKeeper.erase."""
        for start in range(0, len(places), ERASED_AT_ONCE):
            piece = frozenset(places[start : start + ERASED_AT_ONCE])
            await self._between_commits(partial(LogWriter.erase, places=piece))
        while not await self._between_commits(LogWriter.wash):
            await asyncio.sleep(WASH_AGAIN_SECONDS)

    @property
    def end(self) -> Seq:
        return Seq(self._end.value)

    @property
    def source(self) -> int:
        return self._writer.source

    @property
    def scramble(self) -> Scramble:
        """With the secret of this log: record ids and subjects are mixed with it."""
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
        if not self._busy:
            self._hand_over()
        await asyncio.to_thread(self._thread.join)

    async def _between_commits(self, do: Callable[[LogWriter], T]) -> T:
        """What `do` answers or raises. Raises NotDurable where the thread ends before it."""
        if self._closed:
            raise NotDurable(CLOSING)
        done: Future[T] = Future()
        self._queue.put(_Work(do, done))
        return await asyncio.wrap_future(done)

    def _hand_over(self) -> None:
        """Whoever waits, up to a full group, to the thread; or else the end, if it has come."""
        group: _Group = []
        size = 0
        while self._waiting and size < GROUP:
            group.append(self._waiting.popleft())
            size += group[-1].size
        self._busy = bool(group)
        if group:
            self._queue.put(group)
        elif self._closed:
            self._queue.put(None)

    def _run(self) -> None:
        """The thread, until it is told to end. However it ends, nobody is left waiting."""
        next_: _Group | _Work | None = None
        try:
            while (next_ := self._queue.get()) is not None:
                if isinstance(next_, _Work):
                    self._work(next_)
                else:
                    self._write(next_)
        finally:
            self._loop.call_soon_threadsafe(self._give_up, next_)

    def _work(self, asked: _Work) -> None:
        if not asked.done.set_running_or_notify_cancel():
            return
        try:
            asked.done.set_result(asked.do(self._writer))
        except Exception as problem:  # the outermost loop of this thread, as below
            logger.exception("Work on the log failed; whoever asked for it was told")
            asked.done.set_exception(problem)

    def _write(self, group: _Group) -> None:
        entries = [entry for waiting in group for entry in waiting.entries]
        kept: list[Kept] | None = None
        try:
            kept = self._writer.write(entries) if entries else []
        except Exception:  # the outermost loop of this thread: the next group may succeed
            logger.exception("A commit of %d records failed; their callers were told", len(entries))
        self._loop.call_soon_threadsafe(self._committed, group, kept, self._writer.end)

    def _committed(self, group: _Group, kept: list[Kept] | None, end: int) -> None:
        self._end.move(end)  # before anyone is told: they may ask for it at once
        self._moved(end)
        self._hand_over()  # and this: the disk is at work while they are told
        self._tell(group, kept)

    def _tell(self, group: _Group, kept: list[Kept] | None) -> None:
        place = 0
        for entries, size, told in group:
            self._waiting_bytes -= size
            end = place + len(entries)
            try:
                told(None if kept is None else kept[place:end])
            except Exception:  # of one of them; the others are told all the same
                logger.exception("A commit could not be told to one who waits for it")
            place = end

    def _give_up(self, in_hand: _Group | _Work | None) -> None:
        """The thread has ended: whoever came too late, or was in its hands, is told."""
        self._closed = True
        left: list[_Group | _Work | None] = [in_hand]
        while not self._queue.empty():
            left.append(self._queue.get())
        for each in left:
            if isinstance(each, _Work) and not each.done.done():
                each.done.set_exception(NotDurable(CLOSING))
            elif isinstance(each, list):
                self._tell(each, None)
        late = list(self._waiting)
        self._waiting.clear()
        self._tell(late, None)


async def take(reader: LogReader, after: int, limit: int) -> list[Found]:
    """As Inbox.take, with everybody else's turn now and then."""
    found: list[Found] = []
    turn = 0
    for frame in reader.frames(after):
        records = read_frame(frame)
        found += records if frame.first > after else [r for r in records if r.seq > after]
        if len(found) >= limit:
            break
        if len(found) - turn >= TURN:
            turn = len(found)
            await asyncio.sleep(0)
    return found


def size_of(entries: Sequence[Entry]) -> int:
    """Bytes that they take while they wait."""
    return sum([len(entry.record) + ENTRY_COSTS for entry in entries])


@asynccontextmanager
async def open_sqlite_inbox(
    path: Path,
    randomness: bytes,
    source: int = 0,
    floor: int = 0,
    moved: Moved = lambda end: None,
) -> AsyncIterator[SqliteInbox]:
    """`randomness` (16 bytes) and `source` (0 to 4095) are kept at the first open and then not
    looked at. `floor` is the last place that was settled: no new one comes before it. `moved`
    hears the end of the log after each commit, before anyone is told of it."""
    writer = LogWriter(path, randomness, source, floor)
    try:
        reader = LogReader(path)
        try:
            inbox = SqliteInbox(writer, reader, moved)
            inbox.start()
            try:
                yield inbox
            finally:
                await inbox.close()
        finally:
            reader.close()
    finally:
        writer.close()
