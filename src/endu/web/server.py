"""The server in front of the doors: uvicorn with httptools, on a socket that is ours."""

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import uvicorn

from endu.announcements import CannotRun
from endu.web.api import Front
from endu.web.protocol import BoundedProtocol

BACKLOG = 2048
KEEP_ALIVE_SECONDS = 75  # longer than common proxies', so that they close first
SHUTDOWN_SECONDS = 10  # what was accepted is answered within this


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


class Server(uvicorn.Server):
    """Ends on SIGINT and SIGTERM after it has answered what it accepted."""

    def __init__(self, front: Front) -> None:
        super().__init__(
            uvicorn.Config(
                front,
                http=partial(BoundedProtocol, short_road=front.short_road),  # type: ignore[arg-type]
                ws="none",
                lifespan="off",
                interface="asgi3",
                access_log=False,
                log_config=None,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                backlog=BACKLOG,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            )
        )
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    def stop(self) -> None:
        self.should_exit = True

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
