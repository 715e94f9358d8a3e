"""The log as it lies there, for whoever settles it again and changes nothing of it."""

from collections.abc import Sequence
from pathlib import Path

from endu.events.event import Seq
from endu.events.inbox import Entry, Found, Kept, NotDurable, Told
from endu.events.mark import Mark
from endu.ids import Scramble
from endu.stores.log_reader import LogReader
from endu.stores.sqlite_inbox import take


class StandingLog:
    """Fits the port `Inbox`, and takes nothing in. Raises LogUnreadable."""

    def __init__(self, path: Path) -> None:
        self._reader = LogReader(path)
        self._mixed_with = self._reader.mixed_with()
        self._end = Mark(self._reader.end())

    async def append(self, entries: Sequence[Entry]) -> list[Kept]:
        raise NotDurable("The log is only read.")

    def post(self, entries: Sequence[Entry], told: Told) -> None:
        raise NotDurable("The log is only read.")

    async def take(self, after: Seq, limit: int) -> list[Found]:
        return await take(self._reader, after, limit)

    async def arrival(self, after: Seq) -> None:
        await self._end.reaches(after + 1)

    @property
    def end(self) -> Seq:
        return Seq(self._end.value)

    @property
    def source(self) -> int:
        return self._mixed_with.source

    @property
    def scramble(self) -> Scramble:
        return Scramble(self._mixed_with.secret)

    def close(self) -> None:
        self._reader.close()
