"""Rates, for the process that does not count them: it asks the door to."""

import asyncio
from collections import deque

from endu.door.channel import Channel, Spend
from endu.web.buckets import Left, OfKey, OfStranger


class DoorsRates:
    """For the loop that the channel is on."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._asked: deque[asyncio.Future[Left | None]] = deque()
        self._closed = False

    async def spend(self, asked: OfKey | OfStranger) -> Left | None:
        """As Counting.spend. Where the door has closed, nothing is kept in any case."""
        if self._closed:
            return None
        answer: asyncio.Future[Left | None] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        self._channel.say(Spend(asked))
        return await answer

    def spent(self, left: Left | None) -> None:
        """What the door answers to the oldest that it has not answered."""
        answer = self._asked.popleft()
        if not answer.done():  # else nobody waits any more
            answer.set_result(left)

    def door_closed(self) -> None:
        self._closed = True
        while self._asked:
            self.spent(None)
