"""The log, for the process that does not write it: it asks the door to, and reads the file."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from endu.door.channel import Append, Channel
from endu.door.keeping import DoorsKeeper
from endu.door.numbers import SharedNumbers
from endu.events.event import Seq
from endu.events.inbox import Entry, Found, Kept, MaybeKept, NoSpace, NotDurable, Told, posted
from endu.events.keeping import Leaves
from endu.events.mark import Mark
from endu.ids import Scramble
from endu.stores.log_reader import LogReader
from endu.stores.sqlite_inbox import take
from endu.stores.waiting_room import WaitingRoom

GONE = "The door has closed; send it again."


class _Asked(NamedTuple):
    size: int
    told: Told


class DoorsInbox:
    """For the loop that the channel is on."""

    def __init__(
        self,
        channel: Channel,
        reader: LogReader,
        shared: SharedNumbers,
        scramble: Scramble,
        source: int,
    ) -> None:
        self._channel = channel
        self._reader = reader
        self._shared = shared
        self._asked: deque[_Asked] = deque()
        self._room = WaitingRoom()
        self._arrived = Mark(shared.log_end)
        self.keeper = DoorsKeeper(channel)
        self.scramble = scramble  # record ids and subjects are mixed with the log's secret
        self.source = source
        self.alive = True

    async def append(self, entries: Sequence[Entry]) -> list[Kept]:
        return await posted(self, entries)

    def post(self, entries: Sequence[Entry], told: Told) -> None:
        if not self.alive:
            raise NotDurable(GONE)
        if self._shared.closed:
            raise NoSpace
        self._asked.append(_Asked(self._room.enter(entries), told))
        self._channel.say(Append(entries))

    async def take(self, after: Seq, limit: int) -> list[Found]:
        return await take(self._reader, after, limit)

    async def arrival(self, after: Seq) -> None:
        await self._arrived.reaches(after + 1)

    async def drop(self, until: Seq) -> None:
        await self.keeper.drop(until)

    async def erase(self, places: Sequence[Seq], leaves: Leaves = Leaves.NOTHING) -> None:
        await self.keeper.erase(places, leaves)

    @property
    def end(self) -> Seq:
        return Seq(self._shared.log_end)

    def appended(self, kept: Sequence[Kept] | NotDurable) -> None:
        """What the door answers to the oldest append that it has not answered."""
        size, told = self._asked.popleft()
        self._room.leave(size)
        self._arrived.move(self._shared.log_end)
        told(kept)

    def arrived(self) -> None:
        self._arrived.move(self._shared.log_end)

    def door_closed(self) -> None:
        """Whoever waits is told: it may have kept that, and had no time to say so."""
        self.alive = False
        while self._asked:
            self.appended(MaybeKept(GONE))
        self.keeper.door_closed()
