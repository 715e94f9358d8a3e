"""Reading a request's body: never more than its limit, packed or not.

A packed body is unpacked twice where it is large: only to see how large first, so that nothing is
kept of a bomb. One large body is unpacked at a time, and of large bodies, packed or not, who sends
many at once gets no more room than others.
"""

import asyncio
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

from endu.refusals import Reason, Refusal
from endu.web.asgi import Receive, too_large

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# What RFC 9659 asks of zstd over HTTP: a decoder need not keep more than 8 MiB.
ZSTD_WINDOW_LOG_MAX = 23

# Unpacking this much takes less than a millisecond: more of it must not hold up the loop.
UNPACKED_ON_THE_LOOP = 64 * 1024

# Small enough to be nothing beside a limit; each costs the thread a wait for the interpreter.
PIECE_BYTES = 128 * 1024

# Of bodies that are read or wait for their turn. Whoever comes then is sent away before it costs
# more. One that is not packed is read and done with, so many more can be on their way.
PACKED_BYTES_AT_MOST = 2 * 1024 * 1024
PLAIN_BYTES_AT_MOST = 128 * 1024 * 1024

# Returns None where it comes to more than the limit.
Unpack: TypeAlias = Callable[[bytes, int], bytes | None]
Take: TypeAlias = Callable[[int], None]


class Bodies:
    """For one loop. Large packed bodies are unpacked one after the other, in a thread."""

    def __init__(
        self,
        packed_bytes_at_most: int = PACKED_BYTES_AT_MOST,
        plain_bytes_at_most: int = PLAIN_BYTES_AT_MOST,
    ) -> None:
        self._packed = _Room(packed_bytes_at_most)
        self._plain = _Room(plain_bytes_at_most)
        self._turn = asyncio.Lock()

    async def read(
        self, receive: Receive, headers: Mapping[bytes, bytes], limit: int, whose: str = ""
    ) -> bytes:
        """The whole body, unpacked: at most `limit` bytes. `whose` it is, shares the room for
        large ones with others. Raises Refusal."""
        told = _told_length(headers)
        if told is not None and told > limit:
            raise too_large("body", told, limit)
        name = headers.get(b"content-encoding", b"").strip().lower()
        if name in (b"", b"identity"):
            with self._plain.for_one(whose) as take:
                return await _read_all(receive, limit, take)
        unpack = _UNPACKERS.get(name)
        if unpack is None:
            raise Refusal(Reason.UNSUPPORTED_ENCODING)
        with self._packed.for_one(whose) as take:
            body = await _read_all(receive, limit, take)
            try:
                unpacked = await self._unpacked(unpack, body, limit)
            except (zlib.error, zstd.ZstdError, EOFError) as fault:
                raise _broken(name) from fault
        if unpacked is None:
            raise too_large("body", None, limit)
        return unpacked

    async def _unpacked(self, unpack: Unpack, body: bytes, limit: int) -> bytes | None:
        at_once = min(limit, UNPACKED_ON_THE_LOOP)
        unpacked = unpack(body, at_once) if len(body) <= at_once else None
        if unpacked is None and limit > at_once:
            async with self._turn:
                unpacked = await asyncio.to_thread(unpack, body, limit)
        return unpacked


class _Room:
    """For bodies, from their first byte until they are read, and unpacked. Everybody can have one
    there; of those who have more, nobody takes more than half of it."""

    def __init__(self, bytes_at_most: int) -> None:
        self._bytes_at_most = bytes_at_most
        self._taken: Counter[str] = Counter()

    @contextmanager
    def for_one(self, whose: str) -> Iterator[Take]:
        """What is yielded is told of further bytes, and raises Refusal."""
        mine = 0

        def take(size: int) -> None:
            nonlocal mine
            mine += size
            self._taken[whose] += size
            theirs = self._taken[whose]
            if theirs > mine and (
                2 * theirs > self._bytes_at_most or self._taken.total() > self._bytes_at_most
            ):
                raise Refusal(Reason.RATE_LIMITED, "Too many large bodies come in; send it again.")

        try:
            yield take
        finally:
            self._taken[whose] -= mine
            if not self._taken[whose]:
                del self._taken[whose]


async def _read_all(receive: Receive, limit: int, take: Take) -> bytes:
    pieces: list[bytes] = []
    size, more = 0, True
    while more and size <= limit:
        message = await receive()
        if message["type"] != "http.request":
            raise Refusal(Reason.INVALID_REQUEST, "The connection ended before the body did.")
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        take(len(pieces[-1]))
        more = message.get("more_body", False)
    if size > limit:
        raise too_large("body", None if more else size, limit)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _told_length(headers: Mapping[bytes, bytes]) -> int | None:
    told = headers.get(b"content-length", b"")
    return int(told) if told.isdigit() and len(told) < 20 else None


def _ungzip(body: bytes, limit: int) -> bytes | None:
    return _whole(lambda: _unzipped(body, limit, zlib.MAX_WBITS | 16), limit)


def _inflate(body: bytes, limit: int) -> bytes | None:
    """Deflate is zlib's format by the letter of HTTP, and without its head in many clients."""
    try:
        return _whole(lambda: _unzipped(body, limit, zlib.MAX_WBITS), limit)
    except zlib.error:
        return _whole(lambda: _unzipped(body, limit, -zlib.MAX_WBITS), limit)


def _unzstd(body: bytes, limit: int) -> bytes | None:
    return _whole(lambda: _of_zstd(body, limit), limit)


def _whole(unpacked: Callable[[], Iterator[bytes]], limit: int) -> bytes | None:
    size, last = 0, b""
    for last in unpacked():
        size += len(last)
        if size > limit:
            return None
    return last if len(last) == size else b"".join(unpacked())


def _unzipped(body: bytes, limit: int, wbits: int) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(wbits)
    most = min(PIECE_BYTES, limit + 1)
    piece = unpacker.decompress(body, most)
    while not unpacker.eof:
        if not (piece or unpacker.unconsumed_tail):
            raise EOFError
        yield piece
        piece = unpacker.decompress(unpacker.unconsumed_tail, most)
    yield piece
    if unpacker.unused_data:
        raise EOFError


def _of_zstd(body: bytes, limit: int) -> Iterator[bytes]:
    unpacker = zstd.ZstdDecompressor(
        options={zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG_MAX}
    )
    most = min(PIECE_BYTES, limit + 1)
    piece = unpacker.decompress(body, most)
    while not unpacker.eof:
        yield piece
        if unpacker.needs_input:
            raise EOFError
        piece = unpacker.decompress(b"", most)
    yield piece
    if unpacker.unused_data:
        raise EOFError


_UNPACKERS: dict[bytes, Unpack] = {
    b"gzip": _ungzip,
    b"x-gzip": _ungzip,
    b"deflate": _inflate,
    b"zstd": _unzstd,
}


def _broken(name: bytes) -> Refusal:
    return Refusal(
        Reason.INVALID_REQUEST,
        f"The body is not whole {name.decode('latin-1')}, which its Content-Encoding says it is.",
    )
