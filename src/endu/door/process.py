"""The door: a process of its own that lets events in, and alone writes the log.

It does nothing that takes long. Working out who did what, answering questions, everything else
that is HTTP: that is the business of the process that started this one, and never makes an event
wait. What that one has to have kept, it asks for here.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from endu.announcements import CannotRun
from endu.door.channel import (
    Answer,
    Append,
    Appended,
    Arrived,
    Ask,
    CannotOpen,
    Channel,
    CloseLog,
    Done,
    Drop,
    Empty,
    Erase,
    HandedOver,
    LetNobodyIn,
    Listen,
    Listening,
    LogOpened,
    OpenLog,
    Spend,
    Spent,
)
from endu.door.connection import Respond
from endu.door.entrance import Entrance
from endu.door.handing import Giving
from endu.door.heads import Request
from endu.door.keeping import keep
from endu.door.numbers import SharedNumbers
from endu.door.recording import Recording
from endu.events.inbox import Kept, MaybeKept, NotDurable
from endu.stores.data_directory import DataDirectory
from endu.stores.sqlite_inbox import SqliteInbox, open_sqlite_inbox
from endu.web.buckets import Rates
from endu.web.proxies import Proxies

# The other process takes a fifth of a second's events at a time: it need not hear of each commit.
ARRIVED_SECONDS = 0.005


class Sockets(NamedTuple):
    """What the other process gave this one when it started it."""

    listening: socket.socket
    channel: socket.socket
    handing: socket.socket
    shared: int  # the descriptor of the numbers that both see


class Others:
    """The other process, for what the door does not do itself."""

    def __init__(self, channel: Channel, giving: Giving) -> None:
        self._channel = channel
        self._giving = giving
        self._numbers = count(1)
        self._asking: dict[int, Respond] = {}

    def ask(self, request: Request, peer: str, respond: Respond) -> None:
        number = next(self._numbers)
        self._asking[number] = respond
        self._channel.say(Ask(number, peer, list(request.head.headers.items()), request.body))

    def answered(self, answer: Answer) -> None:
        self._asking.pop(answer.number)(answer.response)

    def give(self, descriptor: int, read: bytes) -> None:
        number = next(self._numbers)
        self._channel.say(HandedOver(number, read))
        self._giving.give(number, descriptor)


class DoorProcess:
    """Does what is said on the channel. `serve` returns when it is all over."""

    def __init__(self, sockets: Sockets, now_ms: Callable[[], int]) -> None:
        self._sockets = sockets
        self._now_ms = now_ms
        self._shared = SharedNumbers(sockets.shared)
        self._rates = Rates(now_ms)
        self._told: asyncio.Queue[Any] = asyncio.Queue()
        self._channel = Channel(self._told.put_nowait, self._left_alone)
        self._working: asyncio.Task[None] | None = None
        self._telling = False  # of an arrival, soon
        self._keeping: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self._channel, sock=self._sockets.channel)
        self._working = asyncio.create_task(self._work())
        try:
            await self._working
        except asyncio.CancelledError:
            pass  # whoever started this process is gone, or the log is: so is the door
        finally:
            self._channel.close()

    def _left_alone(self) -> None:
        if self._working is not None:
            self._working.cancel()

    async def _work(self) -> None:
        asked: OpenLog = await self._told.get()
        data = DataDirectory(Path(asked.data))
        try:
            opening = open_sqlite_inbox(
                data.inbox, asked.randomness, asked.source, asked.floor, self._moved
            )
            async with opening as inbox:
                self._shared.log_end = inbox.end
                self._channel.say(LogOpened(inbox.scramble.secret.to_bytes(16), inbox.source))
                await self._work_on(inbox, data)
        except CannotRun as problem:
            self._channel.say(CannotOpen(str(problem)))

    async def _work_on(self, inbox: SqliteInbox, data: DataDirectory) -> None:
        others = Others(self._channel, Giving(self._sockets.handing))
        with closing(Recording(data, inbox, self._shared, self._rates, self._now_ms)) as recording:
            turned_away = self._shared.count_turned_away
            entrance = Entrance(self._sockets.listening, recording, others, turned_away)
            while not isinstance(message := await self._told.get(), CloseLog):
                if isinstance(message, Append):
                    self._append(inbox, message)
                elif isinstance(message, Drop | Erase):
                    keeping = asyncio.create_task(keep(inbox, message))
                    self._keeping.add(keeping)
                    keeping.add_done_callback(partial(self._kept, message.number))
                elif isinstance(message, Spend):
                    self._channel.say(Spent(self._rates.decide(message.asked)))
                elif isinstance(message, Answer):
                    others.answered(message)
                elif isinstance(message, Listen):
                    self._rates.proxies = Proxies(message.reception.proxies)
                    await entrance.open(message.reception)
                    self._channel.say(Listening())
                elif isinstance(message, LetNobodyIn):
                    closing_up = asyncio.create_task(entrance.close())
                    closing_up.add_done_callback(lambda _: self._channel.say(Empty()))

    def _append(self, inbox: SqliteInbox, asked: Append) -> None:
        try:
            inbox.post(asked.entries, self._appended)
        except NotDurable as fault:
            self._appended(fault)

    def _appended(self, kept: Sequence[Kept] | NotDurable) -> None:
        if isinstance(kept, NotDurable):
            self._channel.say(Appended(None, may=isinstance(kept, MaybeKept)))
        else:
            self._channel.say(Appended(kept))

    def _kept(self, number: int, keeping: asyncio.Task[None]) -> None:
        self._keeping.discard(keeping)
        well = not keeping.cancelled() and keeping.exception() is None
        self._channel.say(Done(number, well))

    def _moved(self, end: int, seconds: float) -> None:
        """Of each commit, before anyone is told of it."""
        self._shared.log_end = end
        self._shared.count_commit(seconds)
        if not self._telling:
            self._telling = True
            asyncio.get_running_loop().call_later(ARRIVED_SECONDS, self._tell_of_arrival)

    def _tell_of_arrival(self) -> None:
        self._telling = False
        self._channel.say(Arrived())
