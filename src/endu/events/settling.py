"""The settler at work for as long as the server runs: its pace, its patience, its end."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from endu.events.event import Seq
from endu.events.inbox import Inbox
from endu.events.mark import Mark
from endu.events.settler import BATCH, Counters, Settler

logger = logging.getLogger(__name__)

# Between two batches under load: fewer, larger inserts cost a row a third, and answers are still
# fresh within a second.
GATHER_SECONDS = 0.2
# A refresh of the dictionaries reads all of them: it may take a tenth of the time at most.
REFRESH_SHARE = 10
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 5.0
# Whoever stops Endu waits for a backlog no longer than this: it is in the log, and no hurry.
DRAIN_SECONDS = 3.0


class SettlerDied(Exception):
    """Nothing will settle until the process starts again."""


class Settling:
    """A settler at work, in turns with whatever else runs on the loop."""

    def __init__(self, settler: Settler, inbox: Inbox) -> None:
        self._settler = settler
        self._inbox = inbox
        self._visible = Mark()
        self._wanted = 0  # somebody waits for this place
        self._stopping = False
        self._drain_until = 0.0
        self._refresh_due = 0.0
        self._next_at = 0.0
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        return self._task is not None and not self._task.done()

    @property
    def counters(self) -> Counters:
        return self._settler.counters

    @property
    def waiting(self) -> int:
        """Places between the end of the log and what is settled."""
        return max(self._inbox.end - self._settler.watermark, 0)

    async def settled(self, seq: Seq, within_seconds: float | None) -> None:
        """Returns once every question sees everything up to `seq`, None: however long it takes.

        Raises TimeoutError, or SettlerDied where that will never be.
        """
        if self._visible.value >= seq:
            return
        self._wanted = max(self._wanted, seq)
        self._woken.set()
        async with asyncio.timeout(within_seconds):
            await self._visible.reaches(seq)

    async def ended(self) -> None:
        """Returns when the settler has ended in order; raises what it died of."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def stop(self, within_seconds: float = DRAIN_SECONDS) -> None:
        """At the edge of a batch; having settled what waits, as far as the time allows."""
        self._drain_until = asyncio.get_running_loop().time() + within_seconds
        self._stopping = True
        self._woken.set()
        if self._task is not None:
            await asyncio.wait([self._task])
        await self._settler.stop()

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="settler")

    async def _run(self) -> None:
        """However it ends, nobody is left waiting."""
        try:
            await self._work()
        except BaseException as problem:
            logger.exception("The settler died")
            self._settler.counters.last_error = str(problem)
            self._visible.fail(SettlerDied(str(problem)))
            raise
        self._visible.fail(SettlerDied("Endu is stopping."))

    async def _work(self) -> None:
        pause_seconds = FIRST_PAUSE_SECONDS
        started = False
        while True:
            try:
                if not started:
                    await self._settler.start()
                    started = True
                count = await self._turn()
            except Exception as problem:
                if not self._settler.of_storage(problem):
                    raise
                logger.exception("Storage failed; settling again in %.1f s", pause_seconds)
                self._settler.counters.last_error = str(problem)
                if self._stopping:
                    return  # whatever waits is in the log
                await self._rest(pause_seconds)
                pause_seconds = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)
            else:
                pause_seconds = FIRST_PAUSE_SECONDS
                if self._stopping and not (count and self._may_drain):
                    return
                await self._next_turn()

    async def _turn(self) -> int:
        """One batch, if one waits, and the dictionaries, if it is time."""
        loop = asyncio.get_running_loop()
        self._next_at = loop.time() + GATHER_SECONDS
        count = await self._settler.settle_once()
        settled = self._settler.watermark
        if self._settler.unseen and (self._hurried or loop.time() >= self._refresh_due):
            refreshed = loop.time()
            await self._settler.show()
            self._refresh_due = loop.time() + REFRESH_SHARE * (loop.time() - refreshed)
        if not self._settler.unseen:
            self._visible.move(settled)
        return count

    async def _next_turn(self) -> None:
        """Waits for something to do, then lets more of it gather, unless somebody waits."""
        loop = asyncio.get_running_loop()
        if not self._more:
            arrival = asyncio.ensure_future(self._inbox.arrival(self._settler.watermark))
            until = self._refresh_due if self._settler.unseen else None
            await self._first_of(arrival, until)
        while not (self._hurried or self._stopping or self._full) and loop.time() < self._next_at:
            await self._rest(self._next_at - loop.time())

    async def _first_of(self, arrival: asyncio.Future[None], until: float | None) -> None:
        """Returns on the arrival, a call to wake, or at the time `until`."""
        loop = asyncio.get_running_loop()
        arrival.add_done_callback(lambda _: self._woken.set())
        try:
            while not (arrival.done() or self._hurried or self._stopping):
                left = None if until is None else until - loop.time()
                if left is not None and left <= 0:
                    return
                await self._rest(left)
        finally:
            arrival.cancel()

    async def _rest(self, seconds: float | None) -> None:
        """Until woken, but no longer than that."""
        self._woken.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            pass

    @property
    def _may_drain(self) -> bool:
        return asyncio.get_running_loop().time() < self._drain_until

    @property
    def _more(self) -> bool:
        return self._inbox.end > self._settler.watermark

    @property
    def _full(self) -> bool:
        return self._inbox.end - self._settler.watermark >= BATCH

    @property
    def _hurried(self) -> bool:
        """Whether somebody waits for what is not visible yet, though it is in the log."""
        return self._visible.value < min(self._wanted, self._inbox.end)


@asynccontextmanager
async def settling(settler: Settler, inbox: Inbox) -> AsyncIterator[Settling]:
    """Settles until the block is left, and then what still waits, for a while."""
    work = Settling(settler, inbox)
    work.start()
    try:
        yield work
    finally:
        await work.stop()
