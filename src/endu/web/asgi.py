"""The few words of ASGI that Endu speaks itself, and the shape of every answer.

Every JSON answer is the envelope of seed 002: success, data, error, error_text.
"""

from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Any, TypeAlias

import msgspec

from endu.refusals import Reason, Refusal

AsgiScope: TypeAlias = Any
Receive: TypeAlias = Callable[[], Awaitable[Any]]
Send: TypeAlias = Callable[[Any], Awaitable[None]]
Door: TypeAlias = Callable[[AsgiScope, Receive, Send], Awaitable[None]]
Header: TypeAlias = tuple[bytes, bytes]

JSON: Header = (b"content-type", b"application/json")
CLOSE: Header = (b"connection", b"close")

# Where a refusal does not say when to come again: long enough not to hammer, short enough to heal.
RETRY_AFTER_SECONDS = 1


async def reply(send: Send, status: int, body: bytes, headers: Iterable[Header] = ()) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [length, *headers]})
    await send({"type": "http.response.body", "body": body})


def accepted_body(data: Any) -> bytes:
    return msgspec.json.encode({"success": True, "data": data, "error": "", "error_text": ""})


def refusal_body(refusal: Refusal) -> bytes:
    data = dict(refusal.data)
    if refusal.problems:
        data["problems"] = refusal.problems
    return msgspec.json.encode(
        {
            "success": False,
            "data": data,
            "error": refusal.reason.name,
            "error_text": str(refusal),
        }
    )


def refusal_headers(refusal: Refusal) -> list[Header]:
    """What HTTP itself wants said beside the envelope."""
    headers = [JSON]
    if refusal.reason.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if refusal.reason.status in (429, 503):
        seconds = refusal.retry_after_seconds or RETRY_AFTER_SECONDS
        headers.append((b"retry-after", b"%d" % seconds))
    return headers


def too_large(field: str, size: int | None, limit: int) -> Refusal:
    """`size` is None where reading stopped before the end: nobody knows how large it is."""
    told = "more" if size is None else f"{size:,} bytes"
    return Refusal(
        Reason.TOO_LARGE,
        f"{field} has {told}; the limit is {limit:,} bytes.",
        data={"field": field, "size": size, "limit": limit},
    )


async def response_of(
    door: Door, path: str, peer: str, headers: list[Header], body: bytes
) -> bytes:
    """What `door` answers to one POST from `peer`, as bytes of HTTP/1.1."""
    said: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "client": (peer, 0),
        "headers": headers,
    }
    await door(scope, receive, send)
    start, *parts = said
    return _response(start["status"], start["headers"], b"".join([part["body"] for part in parts]))


def refusal_response(refusal: Refusal, *more: Header) -> bytes:
    """A refusal as bytes of HTTP/1.1, where there is no `send` to say it."""
    body = refusal_body(refusal)
    length = (b"content-length", b"%d" % len(body))
    return _response(refusal.reason.status, [length, *refusal_headers(refusal), *more], body)


def _response(code: int, headers: Iterable[Header], body: bytes) -> bytes:
    status = HTTPStatus(code)
    first = f"HTTP/1.1 {status.value} {status.phrase}".encode()
    return b"\r\n".join([first, *(b": ".join(header) for header in headers), b"", body])
