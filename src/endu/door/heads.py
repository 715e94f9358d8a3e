"""Heads of requests, read once: a client sends the same one with every event, but for the length.

What a parser makes of equal bytes is equal. So a request is looked up here by its head without
the length, and only a head that was never seen is parsed.
"""

import re
from collections.abc import Mapping
from enum import Enum, auto

import httptools
from msgspec import Struct

START = b"POST /events/record HTTP/1.1\r\n"
END = b"\r\n\r\n"
LENGTH_DIGITS = 5
LENGTH = re.compile(rb"\r\ncontent-length: ?([0-9]{1,%d})\r\n" % LENGTH_DIGITS, re.IGNORECASE)

# A client that puts something new into each head is never known, and must not cost much.
HEAD_BYTES_AT_MOST = 1024
HEADS_AT_MOST = 2_000  # past this, all are forgotten at once

# An event that is larger is unusual, and one that is read in many pieces needs somebody who can
# stop reading.
BODY_BYTES_AT_MOST = 32 * 1024

# Who sends any of these wants something done to the body or the connection, or something said,
# that only the whole HTTP face does.
UNUSUAL = frozenset(
    {
        b"content-encoding",
        b"transfer-encoding",
        b"origin",
        b"expect",
        b"upgrade",
    }
)

KEEP_ALIVE = b"keep-alive"  # what many clients say though it goes without saying

Headers = Mapping[bytes, bytes]


class Head(Struct, frozen=True, eq=False):
    """A usual one, as it was parsed: `before` and `behind` are all of it around its length."""

    before: bytes
    behind: bytes
    headers: Headers  # names in lower case


class Request(Struct, frozen=True, gc=False):
    head: Head
    body: bytes


class Part(Enum):
    """What is there may become a request to record: more of it has to come."""

    PART = auto()


PART = Part.PART


class Heads:
    def __init__(self) -> None:
        self._known: dict[bytes, Head | None] = {}

    def request_in(self, data: bytes, latest: Head | None = None) -> Request | Part | None:
        """None where the data is anything but one request to record, with a usual head. The one
        that came before it on the same connection, `latest`, is recognised soonest."""
        if latest is not None and data.startswith(latest.before):
            digits = len(latest.before)
            end = data.find(b"\r", digits, digits + LENGTH_DIGITS + 1)
            if data.startswith(latest.behind, end) and data[digits:end].isdigit():
                return _request(latest, data, end + len(latest.behind), int(data[digits:end]))
        end = data.find(END)
        if end < 0 or not data.startswith(START):
            begins = data.startswith(START) or START.startswith(data)
            return PART if begins and len(data) <= HEAD_BYTES_AT_MOST else None
        length = LENGTH.search(data, 0, end + 2)
        if length is None:
            return None
        start = end + len(END)
        head = self._head(data[: length.start(1)], data[length.end(1) : start], data[:start])
        return None if head is None else _request(head, data, start, int(length[1]))

    def _head(self, before: bytes, behind: bytes, whole: bytes) -> Head | None:
        try:
            return self._known[before + behind]
        except KeyError:
            return self._learn(before, behind, whole)

    def _learn(self, before: bytes, behind: bytes, whole: bytes) -> Head | None:
        if len(before) + len(behind) > HEAD_BYTES_AT_MOST:
            return None
        if len(self._known) >= HEADS_AT_MOST:
            self._known.clear()
        headers = _usual_headers(whole)
        head = None if headers is None else Head(before, behind, headers)
        self._known[before + behind] = head
        return head


def _request(head: Head, data: bytes, start: int, wanted: int) -> Request | Part | None:
    missing = start + wanted - len(data)
    if missing < 0 or wanted > BODY_BYTES_AT_MOST:
        return None
    return PART if missing else Request(head, data[start:])


class _Parsed:
    """What httptools calls as it reads a head."""

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))


def _usual_headers(head: bytes) -> Headers | None:
    parsed = _Parsed()
    try:
        httptools.HttpRequestParser(parsed).feed_data(head)
    except httptools.HttpParserError:
        return None
    headers = dict(parsed.headers)
    usual = (
        b"authorization" in headers
        and UNUSUAL.isdisjoint(headers)
        and headers.get(b"connection", KEEP_ALIVE).lower() == KEEP_ALIVE
    )
    return headers if usual and len(headers) == len(parsed.headers) else None
