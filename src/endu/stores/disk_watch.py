"""A watch over the disk: below the reserve the log is closed and the ledger writes nothing of its
own accord, before the disk is full; once there is space again, both go on by themselves."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from endu.stores.ballast import FILES, Ballast, ballast_for
from endu.stores.disk import MORE_TO_OPEN, Reserve, Space, reserve_of

logger = logging.getLogger(__name__)

# A fast disk takes half a gigabyte in a second, of a reserve of two.
LOOK_SECONDS = 0.25
TEND_SECONDS = 60.0  # parts grow slowly, and asking for the largest is a question
AGAIN_SECONDS = 2.0

NOTHING = Space(0, 0, 0, 0)


class Writing(Protocol):
    """The ledger, which writes of its own accord: merges, and what questions set aside."""

    async def largest(self) -> int:
        """Bytes of its largest part."""

    async def spare_disk(self) -> None:
        """None of that until `use_disk`; what is under way is given up."""

    async def use_disk(self) -> None: ...


class DiskWatch:
    """`look` asks the file system; `tell` hears whether the log is closed, and is believed at
    once; `heal` repairs what trouble with the disk did to the ledger. Used by one loop."""

    def __init__(
        self,
        look: Callable[[], Space],
        reserve_bytes: int,
        ballast: Ballast,
        ledger: Writing,
        heal: Callable[[], Awaitable[None]],
        tell: Callable[[bool], None],
    ) -> None:
        self._look = look
        self._reserve_bytes = reserve_bytes
        self._ballast = ballast
        self._ledger = ledger
        self._heal = heal
        self._tell = tell
        self._largest_part = 0
        self._turned = asyncio.Event()
        self.space = NOTHING
        self.reserve = Reserve(0, 0)
        self.lacks = ""  # why the log is closed

    def gauges(self) -> Iterator[tuple[str, str, float]]:
        """Name, what it is, how much."""
        yield "endu_disk_free_bytes", "Free for the data directory.", self.space.bytes_free
        yield "endu_disk_free_inodes", "Likewise, inodes.", self.space.files_free
        yield "endu_disk_reserve_bytes", "With less, nothing is recorded.", self.reserve.bytes
        yield "endu_disk_reserve_inodes", "Likewise, inodes.", self.reserve.files
        yield "endu_disk_ballast_bytes", "Given back on a full disk.", self._ballast.bytes

    def look_once(self) -> None:
        """Closes or opens the log as there is space, and has the ballast there or not."""
        try:
            self.space = self._look()
        except OSError as problem:
            self._turn(f"The disk of the data directory cannot be asked: {problem.strerror}.")
            return
        self.reserve = reserve_of(self.space, self._reserve_bytes, self._largest_part)
        self._turn(self.reserve.lacks(self.space, MORE_TO_OPEN if self.lacks else 1))
        self._weigh()

    async def watch(self) -> None:
        """For ever."""
        while True:
            self.look_once()
            await asyncio.sleep(LOOK_SECONDS)

    async def tend(self) -> None:
        """For ever. The disk is spared while the log is closed, until everything is healed."""
        was_closed = True  # what the last process left behind is not known
        while True:
            try:
                was_closed = await self._tend(was_closed)
                pause = TEND_SECONDS
            except Exception:  # the outermost loop of this task: the ledger may be in trouble
                logger.exception("The ledger could not be tended; again in %.0f s", AGAIN_SECONDS)
                pause = AGAIN_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._turned.wait()

    async def _tend(self, was_closed: bool) -> bool:
        self._turned.clear()
        if self.lacks:
            await self._ledger.spare_disk()
            return True
        if was_closed:
            await self._heal()
            await self._ledger.use_disk()
        self._largest_part = await self._ledger.largest()
        return False

    def _turn(self, lacks: str) -> None:
        was, self.lacks = self.lacks, lacks
        if bool(was) != bool(lacks):
            self._tell(bool(lacks))
            self._turned.set()
            if lacks:
                logger.error("Nothing more is recorded: %s", lacks)
            else:
                logger.warning("There is space again: recording goes on")

    def _weigh(self) -> None:
        """Back where the disk is filling up in spite of everything; there again where it leaves
        more than the reserve."""
        size = ballast_for(self.reserve.bytes)
        short_of_files = self.space.files_free < FILES and self.space.files_total
        if self.space.bytes_free < size or short_of_files:
            if freed := self._ballast.bytes:
                self._ballast.give_back()
                logger.error("The disk is full: %d bytes of ballast were given back", freed)
        elif not self.lacks and self._ballast.bytes < size and self._has_room_for(size):
            with suppress(OSError):  # the next look tries again
                self._ballast.take(size)

    def _has_room_for(self, size: int) -> bool:
        return self.space.bytes_free - size > self.reserve.bytes * MORE_TO_OPEN


@asynccontextmanager
async def watching(watch: DiskWatch) -> AsyncIterator[DiskWatch]:
    """The first look is done when this is entered."""
    watch.look_once()
    tasks = [
        asyncio.create_task(watch.watch(), name="disk"),
        asyncio.create_task(watch.tend(), name="disk, ledger"),
    ]
    try:
        yield watch
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
