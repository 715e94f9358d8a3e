"""Who keeps the log: what is old leaves the inbox for segments, and what is erased goes from both.

A segment counts once its file has its name; only then do its frames leave the inbox. Whatever
ends it between the two, both have them, and next time it goes on from there.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import ParamSpec, TypeVar

from endu.events.event import Seq
from endu.events.frame import Frame
from endu.events.inbox import LogUnreadable
from endu.events.keeping import InboxKeeper, Leaves
from endu.stores.log_reader import LogReader
from endu.stores.segments import Segment, SegmentDiffers, Segments

P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger(__name__)

SEGMENT_BYTES = (
    64 << 20
)  # of records as they lie in the inbox: where they are large, it is full sooner
YOUNG = 10  # so many parts of a segment, settled or not, are the inbox's at any time


class Sealer:
    """Fits the ports `Sealer` and `LogEraser`. For one event loop; its own work is in threads, and
    never two things at once. `at_each_step` hears each step as it is done."""

    def __init__(
        self,
        inbox: Path,
        keeper: InboxKeeper,
        segment_records: int,
        at_each_step: Callable[[str], None],
    ) -> None:
        self._reader = LogReader(inbox)
        self._segments = Segments(inbox.parent)
        self._keeper = keeper
        self._segment_records = segment_records
        self._done = at_each_step
        self._alone = asyncio.Lock()
        self._finished = False  # of what was begun before: none is half sealed
        self._begin_counting(0)

    async def seal_once(self, settled: Seq) -> bool:
        async with self._alone:
            if not self._finished:
                await self._finish()
            if not await _in_thread(self._count, settled):
                return False
            self._finished = False
            segment = Segment(self._begin + 1, self._counted)
            await _in_thread(self._segments.write, segment, lambda: self._frames(segment))
            self._done("segment written")
            await _in_thread(self._segments.name, segment)
            self._done("segment named")
            await self._keeper.drop(Seq(segment.last))
            self._done("segment dropped")
            self._begin_counting(segment.last)
            self._finished = True
            return True

    async def erase(self, places: Sequence[Seq], leaves: Leaves = Leaves.NOTHING) -> None:
        """As LogEraser.erase; SegmentDiffers where the disk keeps something else than was
        written."""
        async with self._alone:
            if not self._finished:
                await self._finish()
            await _in_thread(self._segments.erase, sorted(places), leaves)
            self._done("segments erased")
            sealed = self._reader.sealed()
            await self._keeper.erase([place for place in places if place > sealed], leaves)
            self._done("inbox erased")

    def close(self) -> None:
        self._reader.close()

    async def _finish(self) -> None:
        """What a crash or an error left half done."""
        if until := await _in_thread(self._sealed_and_not_dropped):
            await self._keeper.drop(until)
        self._begin_counting(self._reader.sealed())
        self._finished = True

    def _begin_counting(self, sealed: int) -> None:
        self._begin = self._counted = sealed
        self._records = self._bytes = 0

    def _count(self, settled: int) -> bool:
        """Whether a segment is full of what is settled and old; `_counted` is its last place."""
        until = settled - self._segment_records // YOUNG
        if self._is_full():
            return True
        for first, last, size in self._reader.sizes(self._counted):
            if last > until:
                break
            self._counted = last
            self._records += last - first + 1
            self._bytes += size
            if self._is_full():
                return True
        return False

    def _is_full(self) -> bool:
        return self._records >= self._segment_records or self._bytes >= SEGMENT_BYTES

    def _frames(self, segment: Segment) -> Iterator[Frame]:
        """Of the inbox. Damaged ones go as they are, and stay damaged; but what cannot be read at
        all stays where somebody may yet save it."""
        for frame in self._reader.frames(max(segment.first - 1, self._reader.sealed())):
            if frame.last > segment.last:
                break
            if not frame.body:
                raise LogUnreadable(f"The frame at {frame.first} cannot be read, nor sealed.")
            yield frame

    def _sealed_and_not_dropped(self) -> Seq | None:
        self._segments.tidy()
        sealed = self._reader.sealed()
        for segment in self._segments.all():
            if segment.last > sealed:
                return self._may_be_dropped(segment, sealed)
        return None

    def _may_be_dropped(self, segment: Segment, sealed: int) -> Seq | None:
        try:
            self._segments.compare(segment, sealed, self._frames(segment))
        except SegmentDiffers:
            if sealed >= segment.first:
                raise  # some of it is nowhere else
            logger.exception("It is sealed again: the inbox still has all of it")
            self._segments.remove(segment)
            return None
        return Seq(segment.last)


async def _in_thread(work: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
    """To its end, even where nobody waits for it any more: a thread cannot be called back, and
    must not be at work beside the next one."""
    working = asyncio.ensure_future(asyncio.to_thread(work, *args, **more))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        raise
