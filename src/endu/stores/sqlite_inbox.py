"""The inbox over the log's SQLite file: many waiting callers, one fsync.

One group at a time is written; whoever comes while it is on its way to the disk shares the next.
On a disk that is quick the loop writes it where it stands: handing it to a thread and hearing of it
again costs more than the wait, because each waits for the interpreter. On any other disk,
and while that thread is at other work on the log, the thread does.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeAlias, TypeVar

from msgspec import Struct

from endu.events.event import Seq
from endu.events.frame import read_frame
from endu.events.inbox import Entry, Found, Kept, MaybeKept, NotDurable, Told, posted
from endu.events.keeping import Leaves
from endu.events.mark import Mark
from endu.ids import Scramble
from endu.stores.log_reader import LogReader
from endu.stores.sqlite import perhaps_written
from endu.stores.sqlite_log import LogWriter
from endu.stores.waiting_room import WaitingRoom

T = TypeVar("T")

logger = logging.getLogger(__name__)

GROUP = 4 << 20  # bytes after which a group is full: some 20 ms of writing

# A usual commit that takes less than this is made by the loop: it is what a thread would cost it.
QUICK_SECONDS = 0.001
USUAL_OF = 8  # commits, of which the last ones weigh most

TURN = 1_000  # records read between two turns of everybody else: about half a millisecond

# Other work of the writing thread than commits, which come in between: after each piece that leaves
# the inbox a rest, so many times as long as it took.
DROP_RESTS = 1
WASH_AGAIN_SECONDS = 0.2

CLOSING = "Endu is stopping; send it again."
FAILED = "The log could not be written; send it again."


class _Waiting(Struct, frozen=True, gc=False):
    entries: Sequence[Entry]
    size: int
    told: Told


class _Work(NamedTuple):
    """What the thread does between two commits."""

    do: Callable[[LogWriter], Any]
    done: Future[Any]


_Group: TypeAlias = list[_Waiting]


class _Written(NamedTuple):
    """What became of a group, where the log ends now, and how long that took."""

    kept: list[Kept] | NotDurable
    end: int
    seconds: float


Moved: TypeAlias = Callable[[int, float], None]


class SqliteInbox:
    """For the loop that opened it. It or its thread writes, never both at a time."""

    def __init__(self, writer: LogWriter, reader: LogReader, moved: Moved) -> None:
        self._writer = writer
        self._reader = reader
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[_Group | _Work | None] = SimpleQueue()  # one group at most
        self._waiting: deque[_Waiting] = deque()
        self._busy = False  # a group is being written, or about to be
        self._working = 0  # how often the thread was asked for other work, and has not done it
        self._usual_seconds = 0.0  # of a commit
        self._room = WaitingRoom()
        self._closed = False
        self._end = Mark(writer.end)
        self._moved = moved
        self._thread = threading.Thread(target=self._run, name="inbox")

    async def append(self, entries: Sequence[Entry]) -> list[Kept]:
        return await posted(self, entries)

    def post(self, entries: Sequence[Entry], told: Told) -> None:
        if self._closed:
            raise NotDurable(CLOSING)
        self._waiting.append(_Waiting(entries, self._room.enter(entries), told))
        if not self._busy:
            # Not at once: all that arrive in this turn of the loop share a commit.
            self._busy = True
            self._loop.call_soon(self._next)

    async def take(self, after: Seq, limit: int) -> list[Found]:
        return await take(self._reader, after, limit)

    async def arrival(self, after: Seq) -> None:
        await self._end.reaches(after + 1)

    async def drop(self, until: Seq) -> None:
        """As InboxKeeper.drop."""
        began = self._loop.time()
        while await self._between_commits(lambda writer: writer.drop(until)):
            await asyncio.sleep(DROP_RESTS * (self._loop.time() - began))
            began = self._loop.time()

    async def erase(self, places: Sequence[Seq], leaves: Leaves = Leaves.NOTHING) -> None:
        """As InboxKeeper.erase."""
        left = sorted(places)
        while left:
            erase = partial(LogWriter.erase, places=left, leaves=leaves)
            left = left[await self._between_commits(erase) :]
        while not await self._between_commits(LogWriter.scrub):
            pass
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
            self._next()
        await asyncio.to_thread(self._thread.join)

    async def _between_commits(self, do: Callable[[LogWriter], T]) -> T:
        """What `do` answers or raises. Raises NotDurable where the thread ends before it."""
        if self._closed:
            raise NotDurable(CLOSING)
        done: Future[T] = Future()
        self._working += 1  # until it is done, even where nobody waits for it any more
        done.add_done_callback(lambda _: self._loop.call_soon_threadsafe(self._worked))
        self._queue.put(_Work(do, done))
        return await asyncio.wrap_future(done)

    def _worked(self) -> None:
        self._working -= 1

    def _next(self) -> None:
        """Whoever waits, up to a full group, is written down; or else it is over, if it is time."""
        group: _Group = []
        size = 0
        while self._waiting and size < GROUP:
            group.append(self._waiting.popleft())
            size += group[-1].size
        self._busy = bool(group)
        if not group:
            if self._closed:
                self._queue.put(None)
        elif self._working or self._usual_seconds > QUICK_SECONDS:
            self._queue.put(group)
        else:
            self._committed(group, self._write(group))

    def _run(self) -> None:
        """The thread, until it is told to end. However it ends, nobody is left waiting."""
        next_: _Group | _Work | None = None
        try:
            while (next_ := self._queue.get()) is not None:
                if isinstance(next_, _Work):
                    self._work(next_)
                else:
                    written = self._write(next_)
                    self._loop.call_soon_threadsafe(self._committed, next_, written)
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

    def _write(self, group: _Group) -> _Written:
        entries = [entry for waiting in group for entry in waiting.entries]
        kept: list[Kept] | NotDurable
        began = time.monotonic()
        try:
            kept = self._writer.write(entries) if entries else []
        except Exception as problem:  # whatever it is: the next group may succeed
            logger.exception("A commit of %d records failed; their callers were told", len(entries))
            kept = MaybeKept(FAILED) if perhaps_written(problem) else NotDurable(FAILED)
        return _Written(kept, self._writer.end, time.monotonic() - began)

    def _committed(self, group: _Group, written: _Written) -> None:
        self._usual_seconds += (written.seconds - self._usual_seconds) / USUAL_OF
        self._end.move(written.end)  # before anyone is told: they may ask for it at once
        self._moved(written.end, written.seconds)
        self._loop.call_soon(self._next)
        self._tell(group, written.kept)

    def _tell(self, group: _Group, kept: list[Kept] | NotDurable) -> None:
        self._room.leave(sum([waiting.size for waiting in group]))
        place = 0
        for waiting in group:
            end = place + len(waiting.entries)
            try:
                waiting.told(kept if isinstance(kept, NotDurable) else kept[place:end])
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
                self._tell(each, MaybeKept(CLOSING))
        late = list(self._waiting)
        self._waiting.clear()
        self._tell(late, NotDurable(CLOSING))


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


@asynccontextmanager
async def open_sqlite_inbox(
    path: Path,
    randomness: bytes,
    source: int = 0,
    floor: int = 0,
    moved: Moved = lambda end, seconds: None,
) -> AsyncIterator[SqliteInbox]:
    """`randomness` (16 bytes) and `source` (0 to 4095) are kept at the first open and then not
    looked at. `floor` is the last place that was settled: no new one comes before it. `moved`
    hears the end of the log, and how long it took, after each commit, before anyone is told."""
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
