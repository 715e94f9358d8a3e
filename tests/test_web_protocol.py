"""Raw sockets against the server: heads without an end, slow senders, smuggled requests."""

import asyncio

import pytest

from endu.web.terms import PATIENCE, Patience
from tests.raw_http import IMPATIENT, POST, REQUEST, Waiting, answer_to, connected


async def test_requests_follow_each_other_on_one_connection() -> None:
    async with connected() as (reader, writer):
        for _ in range(3):
            writer.write(REQUEST)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            assert await reader.readexactly(5) == b"hello"


async def test_who_leaves_with_a_request_waiting_behind_another_is_waited_for_no_more() -> None:
    waiting = Waiting()
    async with connected(PATIENCE, app=waiting) as (_, writer):
        writer.write(REQUEST + REQUEST)
        await waiting.begun.wait()
        writer.transport.abort()
        await asyncio.wait_for(waiting.left.wait(), 5)


async def test_a_request_in_many_pieces_is_one_request() -> None:
    pieces = [REQUEST[at : at + 7] for at in range(0, len(REQUEST), 7)]
    assert (await answer_to(*pieces)).startswith(b"HTTP/1.1 200")


async def test_many_requests_at_once_are_as_many() -> None:
    padded = REQUEST.replace(b"Host", b"X-Pad: " + b"x" * 5_000 + b"\r\nHost")
    async with connected() as (reader, writer):
        writer.write(padded * 20)
        for _ in range(20):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            await reader.readexactly(5)


async def test_of_the_smallest_requests_no_thousands_are_taken_at_once() -> None:
    async with connected(PATIENCE, app=Waiting()) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\n\r\n" * 5_000)
        assert (await reader.read()).startswith(b"HTTP/1.1 400")


async def test_too_many_headers_are_refused_before_the_head_ends() -> None:
    head = b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200
    assert (await asyncio.wait_for(answer_to(head), 5)).startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize(
    "head",
    [
        b"".join(b"X-%d: y\r\n" % number for number in range(200)),
        b"X: " + b"y" * 40_000 + b"\r\n",
    ],
    ids=["headers", "one that is long"],
)
async def test_a_head_that_is_too_large_is_refused(head: bytes) -> None:
    answer = await answer_to(b"GET / HTTP/1.1\r\nHost: endu\r\n", head, b"\r\n")
    assert answer.startswith(b"HTTP/1.1 431")
    assert b'"error":"HEAD_TOO_LARGE"' in answer


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
        POST + b"Content-Length: -1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        POST + b"Content-Length: 5, 5\r\n\r\nhello",
        POST + b"Content-Length: +5\r\n\r\nhello",
        POST + b"Content-Length: 18446744073709551617\r\n\r\nhello",
        POST + b"Content-Length : 5\r\n\r\nhello",
        POST + b"X: a\r\n folded\r\n\r\n",
        POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello",
    ],
    ids=[
        *("nonsense", "both lengths", "two lengths", "bare LF", "NUL", "negative", "TLS"),
        *("a list of lengths", "a plus", "more than 64 bits", "a space before the colon"),
        *("a folded line", "chunked not last", "0x", "LF behind a chunk's length"),
        "a chunk of more than 64 bits",
    ],
)
async def test_what_could_be_read_in_two_ways_is_refused(request_: bytes) -> None:
    answer = await answer_to(request_)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"connection: close" in answer


@pytest.mark.parametrize(
    "begin",
    [b"POST / HT", REQUEST[:-1], b"POST / HTTP/1.1\r\nHost: endu\r\n"],
    ids=["half a line", "all but a byte", "half a head"],
)
async def test_who_takes_too_long_is_told_and_let_go(begin: bytes) -> None:
    answer = await answer_to(begin, patience=IMPATIENT)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"error":"TOO_SLOW"' in answer


@pytest.mark.parametrize("begin", [b"", b"\r\n"], ids=["nothing", "an empty line"])
async def test_who_asks_nothing_is_let_go(begin: bytes) -> None:
    assert await answer_to(begin, patience=IMPATIENT) == b""


async def test_who_sends_now_and_then_is_let_go_too() -> None:
    async with connected() as (reader, writer):
        gone = asyncio.create_task(reader.read())
        for byte in b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 50:
            if gone.done():
                break
            writer.write(bytes([byte]))
            await asyncio.wait((gone,), timeout=0.02)
        assert (await asyncio.wait_for(gone, 1)).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    "then",
    [b"\r\n", b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nhello"],
    ids=["an empty line", "another protocol"],
)
async def test_who_has_asked_and_goes_on_with_no_request_is_let_go(then: bytes) -> None:
    async with connected() as (reader, writer):
        writer.write(REQUEST)
        await reader.readuntil(b"hello")
        writer.write(then)
        await asyncio.sleep(0.05)  # it is read by itself
        writer.write(b"\r\n")
        await asyncio.wait_for(reader.read(), 5)


CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
ENDLESS = {
    "a head": b"GET / HTTP/1.1\r\nX: ",
    "a trailer": CHUNKED + b"0\r\nX: ",
    "what is said of a chunk": CHUNKED + b"5;x=",
}


@pytest.mark.parametrize("begin", ENDLESS.values(), ids=list(ENDLESS))
async def test_what_has_no_end_is_cut_off(begin: bytes) -> None:
    assert await taken_of(begin) < 20_000_000  # most of it waits in the buffers of the two sockets


async def test_many_trailers_are_cut_off() -> None:
    assert await taken_of(CHUNKED + b"0\r\n", b"X: y\r\n" * 10_000) < 20_000_000


async def test_a_body_in_the_smallest_chunks_is_read() -> None:
    begin = POST + b"Transfer-Encoding: chunked\r\n\r\n"
    pieces = [b"1\r\nx\r\n" * 10_000] * 10
    answer = await answer_to(begin, *pieces, b"0\r\nX-Trailer: y\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")


async def test_a_body_that_goes_on_behind_its_answer_is_cut_off() -> None:
    """The echo takes no more than 1 MB."""
    begin = POST + b"Content-Length: 500000000\r\n\r\n"
    assert await taken_of(begin, b"x" * 500_000, most=500_000_000) < 60_000_000


async def test_who_does_not_read_the_answers_is_let_go() -> None:
    patience = Patience(answer_seconds=0.2)
    async with connected(patience) as (reader, writer):
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        with pytest.raises(ConnectionError):
            async with asyncio.timeout(10):
                while True:
                    writer.write(POST + b"Content-Length: 900000\r\n\r\n" + b"x" * 900_000)
                    await writer.drain()


async def taken_of(begin: bytes, more: bytes = b"y" * 50_000, most: int = 50_000_000) -> int:
    """How many bytes can be sent before the connection is closed."""
    sent = 0
    async with connected() as (_, writer):
        writer.write(begin)
        with pytest.raises(ConnectionError):
            while sent < most:
                writer.write(more)
                await writer.drain()
                sent += len(more)
    return sent


async def test_between_requests_there_is_time() -> None:
    async with connected() as (reader, writer):
        writer.write(REQUEST)
        await reader.readuntil(b"hello")
        _, waiting = await asyncio.wait((asyncio.create_task(reader.read(1)),), timeout=0.5)
        writer.write(REQUEST)
        assert await asyncio.wait_for(waiting.pop(), 5) == b"H"


async def test_who_asks_nothing_more_is_let_go_in_time() -> None:
    async with connected(keep_alive_seconds=1) as (reader, writer):
        loop = asyncio.get_running_loop()
        writer.write(REQUEST)
        await reader.readuntil(b"hello")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.6)
        writer.write(REQUEST)
        await reader.readuntil(b"hello")
        idle_since = loop.time()
        assert await asyncio.wait_for(reader.read(1), 5) == b""
        assert 0.9 < loop.time() - idle_since < 2
