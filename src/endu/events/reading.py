"""Batches of the log, each read while the one before it is worked on."""

import asyncio

from msgspec import Struct

from endu.events.erasing import until_erasure
from endu.events.event import Seq
from endu.events.inbox import Inbox
from endu.events.portion import Batch, read_batch
from endu.turns import in_turns

PIECE = 500  # records between two turns of everybody else: about half a millisecond


class _Ahead(Struct, frozen=True):
    after: Seq
    limit: int
    batch: "asyncio.Task[Batch]"


class Reading:
    """Used by one task. Working out who somebody is waits for the casebook again and again: that
    is time enough to read what comes next."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._ahead: _Ahead | None = None

    async def batch_behind(self, after: Seq, limit: int) -> Batch:
        """Raises LogUnreadable."""
        ahead = self._ahead
        if ahead is None or (ahead.after, ahead.limit) != (after, limit):
            await self.stop()
            batch = await self._read(after, limit)
        else:
            self._ahead = None
            batch = await ahead.batch
        if batch.count and self._inbox.end - batch.last >= limit:
            reading = asyncio.create_task(self._read(batch.last, limit), name="settler, reading")
            self._ahead = _Ahead(batch.last, limit, reading)
        return batch

    async def stop(self) -> None:
        """Lets go of what was read ahead."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.batch.cancel()
            await asyncio.gather(ahead.batch, return_exceptions=True)  # whatever it came to

    async def _read(self, after: Seq, limit: int) -> Batch:
        found = await self._inbox.take(after, limit)
        batch = Batch(found[-1].seq if found else after, len(found), [], [])
        async for piece in in_turns(found, PIECE):
            read_batch(piece, batch)
        return until_erasure(batch)
