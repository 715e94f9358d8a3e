"""The inbox in memory: for tests, and for trying Endu out. Nothing survives its end."""

import asyncio
from collections.abc import Sequence

from endu.events.event import Seq
from endu.events.frame import read_frame, write_frame
from endu.events.inbox import Entry, Found, Kept, Told
from endu.events.mark import Mark
from endu.events.places import Message, give_places


class MemoryInbox:
    def __init__(self, source: int = 0) -> None:
        self._source = source
        self._found: list[Found] = []
        self._messages: dict[bytes, Message] = {}
        self._end = Mark()

    async def append(self, entries: Sequence[Entry]) -> list[Kept]:
        return self._append(entries)

    def post(self, entries: Sequence[Entry], told: Told) -> None:
        asyncio.get_running_loop().call_soon(told, self._append(entries))

    async def take(self, after: Seq, limit: int) -> list[Found]:
        return self._found[after : after + limit]

    async def arrival(self, after: Seq) -> None:
        await self._end.reaches(after + 1)

    @property
    def end(self) -> Seq:
        return Seq(self._end.value)

    @property
    def source(self) -> int:
        return self._source

    def _append(self, entries: Sequence[Entry]) -> list[Kept]:
        places = give_places(self.end + 1, entries, self._messages)
        if places.records:
            frame = write_frame(self.end + 1, 0, places.records, places.reused)
            self._found += read_frame(frame)
            self._messages |= places.messages
            self._end.move(frame.last)
        return places.kept
