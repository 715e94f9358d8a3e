"""Senders who want to be read in two ways, to hold a place, or never to come to an end."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from endu.web.body import zstd
from tests.door_world import Line, Served, line_to, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

BOMB = b" " * 100_000_000
HALF_OPEN = [
    b"",
    b"POST /events/rec",
    b"POST /events/record HTTP/1.1\r\nHost: endu\r\n",
    b"GET /health/live HTTP/1.1\r\nHost: endu\r\nX: ",
    b"POST /events/record HTTP/1.1\r\nHost: endu\r\nContent-Length: 5\r\n\r\nhell",
    b"POST /events/record HTTP/1.1\r\nAuthorization: Bearer x\r\nContent-Length: 5\r\n\r\nhell",
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with serving(tmp_path_factory.mktemp("door")) as opened:
        yield opened


@pytest.mark.parametrize(
    "way",
    [
        b"Content-Length: %(outer)d\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: %(outer)d\r\n",
        b"Content-Length: %(inner)d\r\nContent-Length: %(outer)d\r\n",
        b"Content-Length: %(inner)d\r\ncontent-length: %(inner)d\r\n",
        b"Content-Length: %(inner)d, %(inner)d\r\n",
        b"Content-Length: +%(inner)d\r\n",
        b"Content-Length : %(inner)d\r\n",
        b"Content-Length:\r\n %(inner)d\r\n",
        b"X: y\r\n Content-Length: %(outer)d\r\nContent-Length: %(inner)d\r\n",
        b"X: y\nContent-Length: %(outer)d\r\nContent-Length: %(inner)d\r\n",
        b"X: y\rContent-Length: %(outer)d\r\nContent-Length: %(inner)d\r\n",
        b"Content-Length: %(inner)d\nX: y\r\n",
        b"Content-Length: %(inner)d\x00\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding: xchunked\r\n",
    ],
)
async def test_what_could_be_read_in_two_ways_keeps_nothing(served: Served, way: bytes) -> None:
    """A request stands in the body of another: whoever takes the other length reads it."""
    inbox, hidden = served.world.running.parts.inbox, served.request()
    body = served.request().partition(b"\r\n\r\n")[2]
    lengths = {b"inner": len(body), b"outer": len(body) + len(hidden)}
    async with line_to(served) as line:
        await line.ask(served.request())
        end = inbox.end
        await line.send(served.head(way % lengths) + body + hidden)
        answer = await line.answer()
        assert (answer.status, answer.headers["connection"]) == (400, "close")
        assert await line.is_closed()
        assert inbox.end == end


@pytest.mark.parametrize(
    ("encoding", "bomb"),
    [
        (b"gzip", gzip.compress(BOMB, 9)),
        (b"deflate", zlib.compress(BOMB, 9)),
        (b"zstd", zstd.compress(BOMB, 19)),
    ],
    ids=["gzip", "deflate", "zstd"],
)
@pytest.mark.parametrize("path", [b"/events/record", b"/events/record/batch"])
async def test_a_bomb_is_too_large(
    served: Served, encoding: bytes, bomb: bytes, path: bytes
) -> None:
    bomb = bomb[:30_000]  # where it is cut nobody sees: it was too large long before
    request = served.with_body(bomb, b"Content-Encoding: " + encoding + b"\r\n")
    async with line_to(served) as line:
        answer = await line.ask(request.replace(b"/events/record", path, 1))
    assert (answer.status, b'"error":"TOO_LARGE"' in answer.body) == (413, True)


async def test_a_length_that_nobody_can_send_is_refused_before_it_is_sent(served: Served) -> None:
    async with line_to(served) as line:
        answer = await line.ask(served.head(b"Content-Length: 9999999999999\r\n") + b"x" * 200_000)
    assert (answer.status, b'"error":"TOO_LARGE"' in answer.body) == (413, True)


async def test_half_open_connections_are_let_go_and_keep_nobody_waiting(served: Served) -> None:
    async with AsyncExitStack() as stack:
        lines = []
        for begin in HALF_OPEN * 50:
            lines.append(await stack.enter_async_context(line_to(served)))
            await lines[-1].send(begin)
        gone = asyncio.gather(*(closed_within(20, half_open) for half_open in lines))
        async with line_to(served) as other:
            while not gone.done():
                assert (await other.ask(served.request())).status == 200
                await asyncio.sleep(0.1)
        assert await gone == [True] * len(lines)


async def closed_within(seconds: float, half_open: Line) -> bool:
    async with asyncio.timeout(seconds):
        return await half_open.is_let_go()


async def test_who_goes_on_sending_hears_why_it_is_let_go(served: Served) -> None:
    """Closed at once, the connection would be reset by what comes next, and the answer lost."""
    async with line_to(served) as line:
        await line.send(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 102)
        for _ in range(50):
            await line.send(b"X: y\r\n", b"")
        assert (await line.answer()).status == 431
