"""The whole HTTP face: uvicorn with httptools, on connections that others let in."""

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

import uvicorn

from endu.announcements import CannotRun
from endu.web.api import Front
from endu.web.asgi import Header, response_of
from endu.web.crowd import NO_ROOM, Reception, make_room
from endu.web.protocol import BoundedProtocol
from endu.web.recording import RECORD
from endu.web.sips import SIP_BYTES, InSips
from endu.web.terms import Terms

KEEP_ALIVE_SECONDS = 75  # longer than common proxies', so that they close first
# What was accepted behind the door is answered within this. With as much at the door before, and
# as much for settling after, the whole ends within the ten seconds that service managers wait.
SHUTDOWN_SECONDS = 3

Taken = Callable[[socket.socket, bytes], None]
Answering = Callable[[str, list[Header], bytes], Awaitable[bytes]]


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; raises CannotRun where the address cannot be had."""
    try:
        (family, kind, protocol, _, address), *_ = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as problem:
        raise CannotRun(
            f"{host}:{port} cannot be listened on ({problem.strerror}); "
            "choose another with --host or --port."
        ) from problem
    return bound


def address_of(bound: socket.socket) -> str:
    """As a caller on this machine writes it."""
    host, port = bound.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{host}:{port}"


class Entrance(Protocol):
    """Where connections come from."""

    async def listen(self, taken: Taken, answer: Answering, reception: Reception) -> None:
        """From now on `taken` is called with each, and with what was read of it; `answer` with
        the address, the headers and the body of a request to record that stays where it is."""

    async def let_nobody_in(self) -> None:
        """Returns when everybody who has not come yet is answered, and gone."""

    def turned_away(self) -> None:
        """Counts one that there was no room for."""

    async def ended(self) -> None:
        """Returns when nobody will ever come again."""


class Server(uvicorn.Server):
    """Ends on SIGINT and SIGTERM after it has answered what it accepted."""

    def __init__(self, front: Front, entrance: Entrance, reception: Reception) -> None:
        super().__init__(
            uvicorn.Config(
                front,
                http=BoundedProtocol,
                ws="none",
                lifespan="off",
                interface="asgi3",
                access_log=False,
                log_config=None,
                log_level="error",  # below that it has a line for whatever is no HTTP
                server_header=False,
                date_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            )
        )
        self._front = front
        self._entrance = entrance
        self._reception = reception
        self._buffer = bytearray(SIP_BYTES)
        self._terms = Terms()
        self._coming: set[asyncio.Task[None]] = set()
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup([])
        await self._entrance.listen(self._take, self._answer, self._reception)
        self.listening.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._entrance.let_nobody_in()
        await asyncio.gather(*self._coming)
        await super().shutdown([])

    def stop(self) -> None:
        self.should_exit = True

    def _take(self, connection: socket.socket, read: bytes) -> None:
        connection.setblocking(False)
        if not self._has_room():
            self._entrance.turned_away()
            with connection, suppress(OSError):
                connection.send(NO_ROOM)
            return
        coming = asyncio.create_task(self._come_in(connection, read))
        self._coming.add(coming)
        coming.add_done_callback(self._coming.discard)

    def _has_room(self) -> bool:
        """Those that are just coming do not count: nobody could be let go for them yet."""
        here: Any = self.server_state.connections
        return len(here) < self._reception.connections or make_room(here)

    async def _answer(self, peer: str, headers: list[Header], body: bytes) -> bytes:
        return await response_of(self._front, RECORD.path, peer, headers, body)

    async def _come_in(self, connection: socket.socket, read: bytes) -> None:
        state = self.lifespan.state
        bounded = BoundedProtocol(
            self.config, self.server_state, state, terms=self._terms, read=read
        )
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(lambda: InSips(bounded, self._buffer), connection)
            bounded.go_on()
        except OSError:  # it was closed on its way
            connection.close()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Uvicorn's own would raise the signal again at the end; here the end is orderly."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
