"""Raw sockets with heads that are not all there: of all connections together."""

import asyncio

from endu.web.terms import PATIENCE
from tests.raw_http import REQUEST, UNFINISHED_AT_MOST, connected


async def test_of_heads_that_do_not_end_many_connections_hold_no_more_than_a_few_would() -> None:
    half = b"GET / HTTP/1.1\r\nX: " + b"y" * 15_000
    async with connected(PATIENCE) as (reader, writer):
        port = writer.get_extra_info("peername")[1]
        first = [await asyncio.open_connection("127.0.0.1", port) for _ in range(4)]
        for _, other in first:
            other.write(half)
        answer = await _first_answer(*(there for there, _ in first))
        assert answer.startswith(b"HTTP/1.1 429")
        writer.write(REQUEST)  # a head in one piece is not one of them
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        for _, other in first:
            other.close()


async def test_a_head_that_ends_makes_room_for_the_next() -> None:
    long = b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 20_000 + b"\r\n\r\n"
    async with connected(PATIENCE) as (reader, writer):
        for _ in range(UNFINISHED_AT_MOST // 10_000):
            writer.write(long)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")


async def _first_answer(*readers: asyncio.StreamReader) -> bytes:
    asked = [asyncio.create_task(reader.read()) for reader in readers]
    done, waiting = await asyncio.wait(asked, timeout=5, return_when=asyncio.FIRST_COMPLETED)
    for each in waiting:
        each.cancel()
    return done.pop().result()
