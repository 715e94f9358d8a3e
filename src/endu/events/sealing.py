"""The sealer at work for as long as the server runs: in the background, and never in a hurry."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from endu.events.event import Seq

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0  # how often it looks whether there is enough to seal
RESTS = 0.5  # after each segment, times as long as that took: it has to keep up with recording
LONGEST_PAUSE_SECONDS = 60.0


class Sealer(Protocol):
    async def seal_once(self, settled: Seq) -> bool:
        """One segment, where enough of what is up to `settled` is old; says whether there was.
        Once it returns, the frames are in the segment and no more in the inbox; whenever it ends
        before that, they are in either or in both. Raises what storage raises."""


@asynccontextmanager
async def sealing(sealer: Sealer, settled: Callable[[], Seq]) -> AsyncIterator[None]:
    """Seals what is settled and old until the block is left; a segment that is begun is finished
    first, in a second or so."""
    stopping = asyncio.Event()
    work = asyncio.create_task(_seal(sealer, settled, stopping), name="sealing")
    try:
        yield
    finally:
        stopping.set()
        await work


async def _seal(sealer: Sealer, settled: Callable[[], Seq], stopping: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    trouble_seconds = LOOK_SECONDS
    while not stopping.is_set():
        began = loop.time()
        try:
            sealed = await sealer.seal_once(settled())
        except Exception:  # the outermost loop of this task: the log is kept without it, too
            logger.exception("The log cannot be sealed; again in %.0f s", trouble_seconds)
            pause = trouble_seconds
            trouble_seconds = min(2 * trouble_seconds, LONGEST_PAUSE_SECONDS)
        else:
            pause = RESTS * (loop.time() - began) if sealed else LOOK_SECONDS
            trouble_seconds = LOOK_SECONDS
        await _rest(stopping, pause)


async def _rest(stopping: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        pass
