"""Heads of requests that were parsed before, so that they need not be parsed again.

A client sends the same head with every event, but for the length of the body. What a parser makes
of equal bytes is equal: only what it has once read as one whole request is known here.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from endu.web.asgi import AsgiScope, Header

START = b"POST /events/record HTTP/1.1\r\n"
END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: ?([0-9]{1,5})\r\n", re.IGNORECASE)

# A client that puts something new into each head is never known, and must not cost much.
HEAD_BYTES_AT_MOST = 1024
HEADS_AT_MOST = 2_000  # past this, all are forgotten at once


class Request(NamedTuple):
    """`scope` lacks only what belongs to the connection."""

    scope: AsgiScope
    body: bytes


class _Pieces(NamedTuple):
    rest: bytes  # of the head, without the length
    length: bytes
    body: bytes


class _Head(NamedTuple):
    scope: AsgiScope
    before_length: Sequence[Header]
    after_length: Sequence[Header]


class KnownHeads:
    def __init__(self) -> None:
        self._heads: dict[bytes, _Head] = {}

    def request_in(self, data: bytes) -> Request | None:
        """None where the data is not one whole request with a known head."""
        pieces = _pieces_of(data)
        head = None if pieces is None else self._heads.get(pieces.rest)
        if pieces is None or head is None:
            return None
        length = (b"content-length", pieces.length)
        headers = [*head.before_length, length, *head.after_length]
        return Request({**head.scope, "headers": headers}, pieces.body)

    def learn(self, data: bytes, cycle: RequestResponseCycle) -> None:
        """`data` was parsed, from the start of a request on, and `cycle` is the last one in it."""
        scope = cycle.scope
        pieces = _pieces_of(data)
        if pieces is None or len(pieces.rest) > HEAD_BYTES_AT_MOST or not cycle.keep_alive:
            return
        if len(self._heads) >= HEADS_AT_MOST:
            self._heads.clear()
        headers = list(scope["headers"])
        at = [name for name, _ in headers].index(b"content-length")
        self._heads[pieces.rest] = _Head(dict(scope), headers[:at], headers[at + 1 :])


def _pieces_of(data: bytes) -> _Pieces | None:
    """None where it is not one whole request to record."""
    if not data.startswith(START):
        return None
    end = data.find(END)
    found = LENGTH.search(data, 0, end + 2)
    if found is None:
        return None
    start, length = end + len(END), found[1]
    if len(data) - start != int(length):
        return None
    return _Pieces(data[: found.start(1)] + data[found.end(1) : end], length, data[start:])
