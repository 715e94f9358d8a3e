"""What the process that does not write the log asks of the one that does, beside appending."""

import asyncio
from collections.abc import Sequence
from itertools import count

from endu.door.channel import Channel, Drop, Erase
from endu.events.event import Seq
from endu.events.inbox import NotDurable
from endu.events.keeping import Leaves
from endu.stores.sqlite_inbox import SqliteInbox

GONE = "The door has closed."
FAILED = "The door could not do it; what Endu printed says why."


class DoorsKeeper:
    """Fits the port `InboxKeeper`, for the loop that the channel is on."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._numbers = count(1)
        self._asked: dict[int, asyncio.Future[None]] = {}
        self._open = True

    async def drop(self, until: Seq) -> None:
        await self._ask(Drop(next(self._numbers), until))

    async def erase(self, places: Sequence[Seq], leaves: Leaves = Leaves.NOTHING) -> None:
        await self._ask(Erase(next(self._numbers), places, leaves))

    def done(self, number: int, well: bool) -> None:
        """What the door says of what it was asked."""
        promise = self._asked.pop(number)
        if promise.done():  # nobody waits any more
            return
        if well:
            promise.set_result(None)
        else:
            promise.set_exception(NotDurable(FAILED))

    def door_closed(self) -> None:
        """Whoever waits is told."""
        self._open = False
        for number in list(self._asked):
            self.done(number, False)

    async def _ask(self, asked: Drop | Erase) -> None:
        if not self._open:
            raise NotDurable(GONE)
        promise: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asked[asked.number] = promise
        self._channel.say(asked)
        await promise


async def keep(inbox: SqliteInbox, asked: Drop | Erase) -> None:
    """The same, in the door: does what was asked. Raises what the log's storage raises."""
    if isinstance(asked, Drop):
        await inbox.drop(asked.until)
    else:
        await inbox.erase(asked.places, asked.leaves)
