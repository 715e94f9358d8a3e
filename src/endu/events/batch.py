"""Telling the events of a batch apart: a JSON array, or one event a line (NDJSON).

Where the array is not whole JSON, it is cut at the commas between its elements all the same, so
that one bad event harms no neighbour. Everything here is linear in the text.
"""

import re
from itertools import islice

import msgspec
from msgspec import Raw

from endu.refusals import Reason, Refusal

# Cutting is a courtesy to whole events beside a bad one: a third of a second of work and no more.
# A batch of 5 MiB of ordinary events has some 400,000 marks.
MARKS_AT_MOST = 500_000

_elements = msgspec.json.Decoder(list[Raw]).decode

# A string, a comment, or what opens, closes and parts; possessive, so nothing is read twice.
_STRUCTURE = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|//[^\r\n]*+|[\[\]{},]', re.DOTALL)
_SPACE_OR_COMMENTS = re.compile(rb"(?:[ \t\r\n]++|//[^\r\n]*+)*+")


def events_in(body: bytes) -> list[bytes]:
    """The text of each event, unread. Raises Refusal MALFORMED_JSON where they cannot be told
    apart."""
    if not body.lstrip(b" \t\r\n").startswith(b"["):
        return _lines(body)
    try:
        return [bytes(element) for element in _elements(body)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _cut(body)


def _lines(body: bytes) -> list[bytes]:
    lines = [line for line in body.splitlines() if _SPACE_OR_COMMENTS.fullmatch(line) is None]
    if not lines:
        raise Refusal(
            Reason.MALFORMED_JSON, "Line 1, column 1: expecting an array or lines of events."
        )
    return lines


def _cut(body: bytes) -> list[bytes]:
    pieces: list[bytes] = []
    depth, begin = 0, 0
    for found in islice(_STRUCTURE.finditer(body), MARKS_AT_MOST):
        mark = found[0]
        if mark in b"[{":
            depth += 1
            begin = found.end() if depth == 1 else begin
        elif mark == b"," and depth == 1:
            pieces.append(body[begin : found.start()])
            begin = found.end()
        elif mark in b"]}":
            depth -= 1
            if depth == 0:
                return _whole(body, pieces, body[begin : found.start()], found.end())
    raise _unfinished(body, len(body), "no end of the array was found")


def _whole(body: bytes, pieces: list[bytes], last: bytes, end: int) -> list[bytes]:
    behind = _SPACE_OR_COMMENTS.match(body, end)
    if behind is None or behind.end() != len(body):
        raise _unfinished(body, end, "there is more behind the end of the array")
    if _SPACE_OR_COMMENTS.fullmatch(last) is None:  # else: a trailing comma, or no element at all
        pieces.append(last)
    return pieces


def _unfinished(body: bytes, position: int, message: str) -> Refusal:
    line = body.count(b"\n", 0, position) + 1
    column = position - body.rfind(b"\n", 0, position)
    return Refusal(Reason.MALFORMED_JSON, f"Line {line}, column {column}: {message}.")
