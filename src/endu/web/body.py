"""Reading a request's body: never more than its limit, packed or not.

A packed body is limited while it is unpacked, so that a bomb costs no more than the limit.
"""

import asyncio
import sys
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from endu.refusals import Reason, Refusal
from endu.web.asgi import Receive, too_large

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# What RFC 9659 asks of zstd over HTTP: a decoder need not keep more than 8 MiB.
ZSTD_WINDOW_LOG_MAX = 23

# Unpacking this much takes about a millisecond: more of it must not hold up the loop.
UNPACKED_ON_THE_LOOP = 64 * 1024


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], limit: int) -> bytes:
    """The whole body, unpacked: at most `limit` bytes. Raises Refusal."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body") or message["type"] != "http.request":
        body = await _read_on(receive, message, headers, limit)
    if len(body) > limit:
        raise too_large("body", len(body), limit)
    encoding = headers.get(b"content-encoding")
    return body if encoding is None else await _unpacked(body, encoding, limit)


async def _read_on(
    receive: Receive, message: Mapping[str, Any], headers: Mapping[bytes, bytes], limit: int
) -> bytes:
    pieces: list[bytes] = [message.get("body", b"")]
    size = len(pieces[0])
    while message.get("more_body") and size <= limit:
        message = await receive()
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
    if message["type"] != "http.request":
        raise Refusal(Reason.INVALID_REQUEST, "The connection ended before the body did.")
    if size > limit:
        raise too_large("body", _told_length(headers), limit)
    return b"".join(pieces)


def _told_length(headers: Mapping[bytes, bytes]) -> int | None:
    told = headers.get(b"content-length", b"")
    return int(told) if told.isdigit() and len(told) < 20 else None


async def _unpacked(body: bytes, encoding: bytes, limit: int) -> bytes:
    name = encoding.strip().lower()
    if name in (b"", b"identity"):
        return body
    unpack = _UNPACKERS.get(name)
    if unpack is None:
        raise Refusal(Reason.UNSUPPORTED_ENCODING)
    try:
        if limit > UNPACKED_ON_THE_LOOP < len(body):
            return await asyncio.to_thread(unpack, body, limit)
        return unpack(body, limit)
    except (zlib.error, zstd.ZstdError, EOFError) as fault:
        raise _broken(name) from fault


def _unzip(body: bytes, limit: int, wbits: int) -> bytes:
    unpacker = zlib.decompressobj(wbits)
    unpacked = unpacker.decompress(body, limit + 1)
    if len(unpacked) > limit:
        raise too_large("body", None, limit)
    if not unpacker.eof or unpacker.unused_data:
        raise EOFError
    return unpacked


def _ungzip(body: bytes, limit: int) -> bytes:
    return _unzip(body, limit, zlib.MAX_WBITS | 16)


def _inflate(body: bytes, limit: int) -> bytes:
    """Deflate is zlib's format by the letter of HTTP, and without its head in many clients."""
    try:
        return _unzip(body, limit, zlib.MAX_WBITS)
    except zlib.error:
        return _unzip(body, limit, -zlib.MAX_WBITS)


def _unzstd(body: bytes, limit: int) -> bytes:
    unpacker = zstd.ZstdDecompressor(
        options={zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG_MAX}
    )
    unpacked = unpacker.decompress(body, limit + 1)
    if len(unpacked) > limit:
        raise too_large("body", None, limit)
    if not unpacker.eof or unpacker.unused_data:
        raise EOFError
    return unpacked


_UNPACKERS: dict[bytes, Callable[[bytes, int], bytes]] = {
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
