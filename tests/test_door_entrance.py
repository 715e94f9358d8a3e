"""How long a connection at the door may keep it waiting, and what becomes of it then."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from endu.assembly import open_endu
from endu.door.connection import Patience, Respond
from endu.door.entrance import Entrance
from endu.door.heads import Request
from endu.door.numbers import SIZE, SharedNumbers
from endu.door.recording import Recording
from endu.settings import Settings
from endu.stores.data_directory import DataDirectory
from endu.stores.sqlite_inbox import open_sqlite_inbox
from endu.web.buckets import Rates
from endu.web.crowd import Reception
from endu.web.server import listen

IMPATIENT = Patience(part_seconds=0.1, first_seconds=0.1, next_seconds=0.1)
RECEPTION = Reception()
PATIENT = Patience(part_seconds=60, first_seconds=60, next_seconds=60)
START = b"POST /events/record HTTP/1.1\r\n"


class Collected:
    """The other process: takes what it is given, and refuses what it is asked."""

    def __init__(self) -> None:
        self.read: asyncio.Queue[bytes] = asyncio.Queue()

    def ask(self, request: Request, peer: str, respond: Respond) -> None:
        asyncio.get_running_loop().call_soon(respond, b"HTTP/1.1 422 \r\ncontent-length: 0\r\n\r\n")

    def give(self, descriptor: int, read: bytes) -> None:
        os.close(descriptor)
        self.read.put_nowait(read)


class AtTheDoor:
    def __init__(self, entrance: Entrance, others: Collected, port: int) -> None:
        self.entrance = entrance
        self.others = others
        self._port = port

    @asynccontextmanager
    async def line(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            yield reader, writer
        finally:
            writer.close()


@asynccontextmanager
async def entrance(
    data: Path, patience: Patience, reception: Reception = RECEPTION
) -> AsyncIterator[AtTheDoor]:
    async with open_endu(Settings(data=data)):
        pass  # makes the directory
    directory = DataDirectory(data)
    descriptor = os.memfd_create("numbers")
    os.truncate(descriptor, SIZE)
    async with open_sqlite_inbox(directory.inbox, bytes(16)) as inbox:
        shared = SharedNumbers(descriptor)
        recording = Recording(directory, inbox, shared, Rates(lambda: 1), lambda: 1)
        with closing(recording), closing(listen("127.0.0.1", 0)) as bound:
            others, port = Collected(), bound.getsockname()[1]
            opened = Entrance(bound.dup(), recording, others, shared.count_turned_away, patience)
            await opened.open(reception)
            yield AtTheDoor(opened, others, port)
            await opened.close()
    os.close(descriptor)


async def is_closed(reader: asyncio.StreamReader) -> bool:
    return await asyncio.wait_for(reader.read(), 10) == b""


async def test_who_says_nothing_is_let_go(tmp_path: Path) -> None:
    async with entrance(tmp_path, IMPATIENT) as door, door.line() as (reader, _):
        assert await is_closed(reader)


async def test_who_says_nothing_more_is_let_go(tmp_path: Path) -> None:
    async with entrance(tmp_path, IMPATIENT) as door, door.line() as (reader, writer):
        writer.write(START + b"Authorization: Bearer no\r\nContent-Length: 2\r\n\r\n{}")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 422")
        assert await is_closed(reader)


@pytest.mark.parametrize(
    "part",
    [
        b"PO",
        START[:-2],
        START + b"Host: endu\r\n",
        START + b"Authorization: Bearer x\r\nContent-Length: 20\r\n\r\n{",
    ],
)
async def test_who_does_not_finish_is_handed_over(tmp_path: Path, part: bytes) -> None:
    async with entrance(tmp_path, IMPATIENT) as door, door.line() as (_, writer):
        writer.write(part)
        assert await asyncio.wait_for(door.others.read.get(), 10) == part


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        START + b"A: " + b"x" * 2000,
        START + b"Content-Length: 2\r\n\r\n{}",
        START + b"Authorization: Bearer x\r\n\r\n",
        START + b"Authorization: x\r\nAuthorization: y\r\nContent-Length: 2\r\n\r\n{}",
        START + b"Authorization: Bearer x\r\nContent-Length: 99999\r\n\r\n{}",
        START + b"Authorization: Bearer x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        START + b"Authorization: Bearer x\r\nContent-Length: 2\r\n\r\n{}" + START,
        START + b"Authorization: Bearer x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
        START + b"Authorization: Bearer x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        START + b"Authorization : Bearer x\r\nContent-Length: 2\r\n\r\n{}",
        START + b"Authorization: Bearer x\r\n folded\r\nContent-Length: 2\r\n\r\n{}",
        START + b"Authorization: Bearer x\r\nContent-Length: 2\r\nBad\x00: y\r\n\r\n{}",
    ],
)
async def test_what_is_no_usual_request_is_handed_over_at_once(
    tmp_path: Path, request_: bytes
) -> None:
    async with entrance(tmp_path, PATIENT) as door, door.line() as (_, writer):
        writer.write(request_)
        assert await asyncio.wait_for(door.others.read.get(), 10) == request_


async def test_closing_waits_for_nobody_who_has_not_asked(tmp_path: Path) -> None:
    async with entrance(tmp_path, PATIENT) as door, door.line() as (reader, writer):
        writer.write(START + b"Authorization: Bearer no\r\nContent-Length: 2\r\n\r\n{}")
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.wait_for(door.entrance.close(), 10)
        assert await is_closed(reader)
