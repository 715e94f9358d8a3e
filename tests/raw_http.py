"""A server for raw sockets, on which every connection is held as `endu up` holds them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import uvicorn

from endu.web.asgi import reply
from endu.web.body import Bodies
from endu.web.protocol import BoundedProtocol
from endu.web.terms import PATIENCE, Patience, Terms, Unfinished

POST = b"POST / HTTP/1.1\r\nHost: endu\r\n"
REQUEST = POST + b"Content-Length: 5\r\n\r\nhello"
UNFINISHED_AT_MOST = 50_000
IMPATIENT = Patience(head_seconds=0.2, body_seconds=0.2)


class Waiting:
    """An application that answers nobody: `left` is set when somebody it waits with has left."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.left = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.begun.set()
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left.set()


async def echo(scope: Any, receive: Any, send: Any) -> None:
    await reply(send, 200, await Bodies().read(receive, dict(scope["headers"]), 1_000_000))


class Listening(uvicorn.Server):
    def __init__(self, patience: Patience, keep_alive_seconds: int, app: Any) -> None:
        terms = Terms(patience, Unfinished(at_most=UNFINISHED_AT_MOST))
        protocol: Any = partial(BoundedProtocol, terms=terms)
        super().__init__(
            uvicorn.Config(
                app,
                http=protocol,
                ws="none",
                lifespan="off",
                port=0,
                log_config=None,
                timeout_keep_alive=keep_alive_seconds,
            )
        )
        self.listening = asyncio.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@asynccontextmanager
async def connected(
    patience: Patience = IMPATIENT,
    keep_alive_seconds: int = 5,
    app: Any = echo,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    server = Listening(patience, keep_alive_seconds, app)
    serving = asyncio.create_task(server._serve())
    await server.listening.wait()
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        server.should_exit = True
        await serving


async def answer_to(*pieces: bytes, patience: Patience = PATIENCE) -> bytes:
    """Everything that comes back until the server closes, or its first answer is whole."""
    async with connected(patience) as (reader, writer):
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            pass
        return await asyncio.wait_for(reader.read(100_000), 10)
