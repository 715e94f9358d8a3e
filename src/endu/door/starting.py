"""The door as the process sees it that starts it: opened first, closed last."""

import asyncio
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from typing import Any

from msgspec.structs import astuple

from endu.announcements import CannotRun
from endu.door.channel import (
    Answer,
    Appended,
    Arrived,
    Ask,
    CannotOpen,
    Channel,
    CloseLog,
    Done,
    HandedOver,
    LetNobodyIn,
    Listen,
    LogOpened,
    Message,
    OpenLog,
    Spent,
)
from endu.door.handing import Taken, Taking
from endu.door.inbox import DoorsInbox
from endu.door.numbers import SIZE, SharedNumbers
from endu.door.rates import DoorsRates
from endu.ids import Scramble
from endu.logs import Logs
from endu.stores.data_directory import DataDirectory
from endu.stores.log_reader import LogReader
from endu.web.crowd import Reception

ENDED_WITHIN_SECONDS = 10.0

GONE = "The door ended; see what Endu printed, then start it again."


LOGS = Logs("warning")

Answering = Callable[[str, list[tuple[bytes, bytes]], bytes], Awaitable[bytes]]


class Door:
    """For one loop. Asking a door that has ended raises CannotRun."""

    def __init__(self, data: DataDirectory, shared: SharedNumbers, handing: socket.socket) -> None:
        self.shared = shared
        self._data = data
        self._handing = handing
        self._answers: asyncio.Queue[Message | None] = asyncio.Queue()
        self._inbox: DoorsInbox | None = None
        self._taking: Taking | None = None
        self._answering: Answering | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()
        self.channel = Channel(self._hear, self._end)
        self.rates = DoorsRates(self.channel)

    @asynccontextmanager
    async def log(self, randomness: bytes, source: int, floor: int) -> AsyncIterator[DoorsInbox]:
        """Opens the log, as `open_sqlite_inbox` does, and after that closes the door. Raises
        CannotRun."""
        asked = OpenLog(str(self._data.root.resolve()), randomness, source, floor)
        opened = await self._ask(asked)
        if isinstance(opened, CannotOpen):
            raise CannotRun(opened.problem)
        assert isinstance(opened, LogOpened)
        with closing(LogReader(self._data.inbox)) as reader:
            scramble = Scramble(int.from_bytes(opened.secret))
            inbox = DoorsInbox(self.channel, reader, self.shared, scramble, opened.source)
            self._inbox = inbox
            try:
                yield inbox
            finally:
                self.channel.say(CloseLog())
                await self._ended.wait()

    async def listen(self, taken: Taken, answer: Answering, reception: Reception) -> None:
        """Lets people in. `taken` is called with each connection that is handed over, and with
        what was read of it; `answer` with the address, the headers and the body of each request
        to record that the door does not answer itself."""
        self._taking = Taking(self._handing, taken)
        self._answering = answer
        await self._ask(Listen(reception))

    async def let_nobody_in(self) -> None:
        """Returns when everybody at the door is answered and gone, or the door itself."""
        if not self._ended.is_set():
            with suppress(CannotRun):
                await self._ask(LetNobodyIn())
        if self._taking is not None:
            self._taking.close()

    def turned_away(self) -> None:
        """As Entrance.turned_away."""
        self.shared.count_turned_away_behind()

    def counts(self) -> Counter[str]:
        """What became of the events that the door recorded itself."""
        shared = self.shared
        return Counter(
            accepted=shared.accepted, duplicate=shared.duplicates, RATE_LIMITED=shared.limited
        )

    async def ended(self) -> None:
        """Returns when the process is gone, in whatever way."""
        await self._ended.wait()

    async def _ask(self, message: Message) -> Message:
        self.channel.say(message)
        answer = await self._answers.get()
        if answer is None:
            raise CannotRun(GONE)
        return answer

    def _hear(self, message: Message) -> None:
        if isinstance(message, Arrived) and self._inbox is not None:
            self._inbox.arrived()
        elif isinstance(message, Appended) and self._inbox is not None:
            self._inbox.appended(message.outcome)
        elif isinstance(message, Done) and self._inbox is not None:
            self._inbox.keeper.done(message.number, message.well)
        elif isinstance(message, Spent):
            self.rates.spent(message.left)
        elif isinstance(message, HandedOver) and self._taking is not None:
            self._taking.was_read(message.number, message.read)
        elif isinstance(message, Ask) and self._answering is not None:
            under_way = asyncio.create_task(self._answer(message, self._answering))
            self._under_way.add(under_way)
            under_way.add_done_callback(self._under_way.discard)
        else:
            self._answers.put_nowait(message)

    async def _answer(self, asked: Ask, answer: Answering) -> None:
        self.channel.say(Answer(asked.number, await answer(asked.peer, asked.headers, asked.body)))

    def _end(self) -> None:
        self._ended.set()
        self._answers.put_nowait(None)
        self.rates.door_closed()
        if self._inbox is not None:
            self._inbox.door_closed()


@asynccontextmanager
async def open_door(
    data: DataDirectory, listening: socket.socket, logs: Logs = LOGS
) -> AsyncIterator[Door]:
    """Starts the process. It ends when the log is closed, or when this process does."""
    channel, its_channel = socket.socketpair()
    handing, its_handing = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with tempfile.TemporaryFile(dir=data.root) as shared, handing, channel:
        # Written, and not only cut to that size: on a full disk the first use of a page would kill.
        shared.write(bytes(SIZE))
        shared.flush()
        with its_channel, its_handing:
            process = _start(data, [listening, its_channel, its_handing, shared], logs)
        door = Door(data, SharedNumbers(shared.fileno()), handing)
        with _ending(process):
            loop = asyncio.get_running_loop()
            await loop.create_connection(lambda: door.channel, sock=channel)
            try:
                yield door
            finally:
                door.channel.close()
                await asyncio.to_thread(_wait, process)


def _start(data: DataDirectory, files: list[Any], logs: Logs) -> "subprocess.Popen[bytes]":
    """It keeps the directory's lock as well: while it writes the log, nobody else may. It is no
    part of the terminal's group: Ctrl-C is for the process that started it to hear. But of its
    session, among which Linux shares out the processors first: else no nice value of a question's
    threads would make room for it."""
    descriptors = [file.fileno() for file in files]
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "endu.door", *astuple(logs), *map(str, descriptors)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=[*descriptors, data.lock],
        process_group=0,
    )


def _wait(process: "subprocess.Popen[bytes]") -> None:
    process.wait(ENDED_WITHIN_SECONDS)


@contextmanager
def _ending(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """By force, if it is still there at the end."""
    try:
        yield
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
