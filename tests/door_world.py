"""A door in front of a whole Endu in this process, and lines to it that speak bytes."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path
from typing import Any

from msgspec import Struct

from endu.assembly import opened
from endu.door.starting import Door, open_door
from endu.settings import Settings
from endu.stores.data_directory import hold
from endu.web.api import http_face
from endu.web.crowd import Reception
from endu.web.server import Server, listen
from tests.web_world import World, world_of

RECEPTION = Reception()
ORDINARY = b"content-encoding: identity\r\n"  # the door does not answer that itself


NEW_EACH_TIME = {"endu-record-id", "endu-request-id"}


class Counted:
    """The HTTP face; `asked` counts what the door left to it."""

    def __init__(self, world: World) -> None:
        self._front = http_face(world.running.parts)
        self.asked = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        await self._front(scope, receive, send)


class Served(Struct):
    world: World
    door: Door
    server: Server
    face: Counted
    log: Path
    port: int

    def request(self, more: bytes = b"", **event: Any) -> bytes:
        return self.with_body(json.dumps(self.world.event(**event)).encode(), more)

    def with_body(self, body: bytes, more: bytes = b"") -> bytes:
        return self.head(more + b"Content-Length: %d\r\n" % len(body)) + body

    def head(self, more: bytes) -> bytes:
        return head(self.world.secret, more)


def head(key: str, more: bytes) -> bytes:
    start = b"POST /events/record HTTP/1.1\r\nHost: endu\r\nAuthorization: Bearer "
    return start + key.encode() + b"\r\n" + more + b"\r\n"


class Answer(Struct):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def shape(self) -> Any:
        """All that is not new in every answer."""
        said = json.loads(self.body or b"{}")
        if said:
            said["data"].pop("failed_event_id", None)
        headers = {name: value for name, value in self.headers.items() if name not in NEW_EACH_TIME}
        return self.status, headers, list(self.headers), said


class Line:
    """A connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self._writer.write(piece)
            await self._writer.drain()
            await asyncio.sleep(0.005 if len(pieces) > 1 else 0)  # pieces arrive one by one

    async def answer(self) -> Answer:
        head = (await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), 5)).decode()
        first, *lines = head.rstrip().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        body = await self._reader.readexactly(int(headers["content-length"]))
        return Answer(int(first.split()[1]), headers, body)

    async def answers(self) -> int:
        """How many whole heads of good ones come next."""
        read = await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), 5)
        return read.count(b"HTTP/1.1 200 OK\r\n")

    async def ask(self, *pieces: bytes) -> Answer:
        await self.send(*pieces)
        return await self.answer()

    async def is_closed(self) -> bool:
        return await asyncio.wait_for(self._reader.read(1), 5) == b""

    async def is_let_go(self) -> bool:
        """Whatever it is told before that."""
        while await self._reader.read(1000):
            pass
        return True

    def end(self) -> None:
        self._writer.write_eof()


@asynccontextmanager
async def serving(data: Path, reception: Reception = RECEPTION) -> AsyncIterator[Served]:
    settings = Settings(data=data)
    with hold(data) as held, closing(listen("127.0.0.1", 0)) as bound:
        async with (
            open_door(held, bound) as door,
            opened(held, settings, door) as running,
            world_of(running, settings) as world,
        ):
            face = Counted(world)
            server = Server(face, door, reception)  # type: ignore[arg-type]
            task = asyncio.create_task(server.serve())
            await server.listening.wait()
            try:
                yield Served(world, door, server, face, held.inbox, bound.getsockname()[1])
            finally:
                server.stop()
                await task


def line_to(served: Served) -> AbstractAsyncContextManager[Line]:
    return line(served.port)


@asynccontextmanager
async def line(port: int) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()


async def is_let_in(port: int) -> bool:
    try:
        async with line(port):
            return True
    except ConnectionRefusedError:
        return False
