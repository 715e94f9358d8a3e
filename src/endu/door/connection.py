"""Recording one event from the bytes of a request to the bytes of its answer, and nothing else.

Of what an event costs, the machinery of a whole HTTP face is the greater part, and the usual
event needs none of it: it is read, judged and posted where its bytes arrive, and answered where
its commit is told. An event that is not to be kept as it is, is for that face to answer. A
connection on which anything else comes is handed over, with what was read of it.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from endu.door.heads import PART, Head, Heads, Request
from endu.events.inbox import MaybeKept, NotDurable, refusal_of
from endu.events.recorded import Recorded
from endu.web.asgi import refusal_response
from endu.web.buckets import Left
from endu.web.crowd import Idle

STATUS = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nendu-record-id: "
END = b"\r\n\r\n"

LATE_BYTES_AT_MOST = 16 * 1024  # of further requests, read while one is not answered yet

# Who sends too much hears it this much later: so a flood that waits for its answers costs next to
# nothing, and Retry-After is a second at least.
TURNED_AWAY_SECONDS = 0.05

Told = Callable[[Recorded | NotDurable], None]
Respond = Callable[[bytes], None]


class Patience(Struct, frozen=True):
    """How long a connection may say nothing before it is closed, or leave an answer unread; or
    leave a request unfinished before it is handed over, to somebody with a patience of his own."""

    part_seconds: float = 2
    first_seconds: float = 10
    next_seconds: float = 75  # longer than common proxies', so that they close first
    answer_seconds: float = 60


PATIENCE = Patience()


class Behind(Protocol):
    """What a connection needs of those behind it."""

    heads: Heads

    def record(self, request: Request, peer: str, told: Told) -> bool | Left:
        """False where it is not the usual event: then nothing was done. Left where there is
        something to say of a rate; where that does not allow it, nothing was done either.
        Otherwise `told` is called in a later turn of the loop, with why not where it may not be
        said that the event is kept."""

    def ask(self, request: Request, peer: str, respond: Respond) -> None:
        """For any request to record. `respond` is called later, with bytes of HTTP."""

    def hand_over(self, transport: asyncio.Transport, read: bytes) -> None:
        """Takes the connection away; its own transport is to be closed."""

    def left(self, connection: "Connection") -> None:
        """The connection is gone, or somebody else's."""


class Connection(asyncio.Protocol):
    """One request at a time; those that come early wait."""

    def __init__(self, behind: Behind, now: Callable[[], float]) -> None:
        self._behind = behind
        self._now = now
        self._transport: asyncio.Transport | None = None
        self._peer = ""
        self._head: Head | None = None  # of the request before this one
        self._part = b""  # of a request that is not all here
        self._asked: Request | None = None  # what is not answered yet
        self._left = b""  # what to say of a rate with the next answer
        self._late = b""
        self._going = b""  # what goes with the connection, once everything written is sent
        self._last = False
        self._ever_asked = False
        self._idle_since = now()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        peer = transport.get_extra_info("peername")  # None where it hung up already
        self._peer = peer[0] if peer else ""

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._behind.left(self)

    def data_received(self, data: bytes) -> None:
        if self._asked or self._going:
            self._late += data
            if len(self._late) > LATE_BYTES_AT_MOST:
                self._transport.pause_reading()  # type: ignore[union-attr]
        else:
            self._read(self._part + data if self._part else data)

    def pause_writing(self) -> None:
        """It asks and does not read the answers: it is not read either."""
        if self._transport is not None and not self._going:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport is None:
            return
        if self._going:
            self._go()
        else:
            self._transport.resume_reading()

    def lose_patience(self, patience: Patience) -> None:
        """Called now and then."""
        waited = self._now() - self._idle_since
        if self._transport is None or self._asked:
            return
        if self._is_unread():
            if waited > patience.answer_seconds:
                self.leave()
        elif self._part:
            if waited > patience.part_seconds:
                self._hand_over(self._part)
        elif waited > (patience.next_seconds if self._ever_asked else patience.first_seconds):
            self._close()

    def idle(self) -> Idle | None:
        """As Guest.idle."""
        busy = self._asked or self._going
        return None if busy else Idle(self._ever_asked, self._idle_since)

    def leave(self) -> None:
        """As Guest.leave."""
        if self._transport is not None:
            self._transport.abort()

    def close_when_answered(self) -> None:
        self._last = True
        if self._part:
            self._hand_over(self._part)
        elif not (self._asked or self._going):
            self._close()

    def _read(self, data: bytes) -> None:
        request = self._behind.heads.request_in(data, self._head)
        if request is PART:
            self._idle_since = self._now() if not self._part else self._idle_since
            self._part = data
            return
        self._part, self._asked = b"", request
        if request is None:
            self._hand_over(data)
        else:
            self._head = request.head
            self._record(request)

    def _record(self, request: Request) -> None:
        taken = self._behind.record(request, self._peer, self._tell)
        if taken is False:
            self._behind.ask(request, self._peer, self._respond)
        elif taken is not True:
            self._mind(taken)

    def _mind(self, left: Left) -> None:
        if left.allowed:
            self._left = b"".join([b"\r\n" + b": ".join(header) for header in left.headers])
        else:
            response = refusal_response(left.refusal, *left.headers)
            asyncio.get_running_loop().call_later(TURNED_AWAY_SECONDS, self._respond, response)

    def _tell(self, recorded: Recorded | NotDurable) -> None:
        if isinstance(recorded, Recorded):
            left, self._left = self._left, b""
            self._respond(_response_to(recorded, left))
        elif isinstance(recorded, MaybeKept):  # recorded anew, it might be kept twice
            self._respond(refusal_response(refusal_of(recorded)))
        elif self._asked is not None:  # it is not kept: that is not for the door to explain
            self._behind.ask(self._asked, self._peer, self._respond)

    def _respond(self, response: bytes) -> None:
        if self._transport is None:
            return  # whoever hung up is not answered
        self._transport.write(response)
        self._asked = None
        self._ever_asked = True
        self._idle_since = self._now()
        if self._last:
            self._close()
        elif self._late:
            data, self._late = self._late, b""
            self._transport.resume_reading()
            self._read(data)

    def _hand_over(self, read: bytes) -> None:
        transport = self._transport
        assert transport is not None
        self._part, self._going = b"", read
        if transport.get_write_buffer_size():
            transport.set_write_buffer_limits(high=0)  # then it tells when all is sent
        else:
            self._go()

    def _go(self) -> None:
        transport, self._transport = self._transport, None
        assert transport is not None
        self._behind.hand_over(transport, self._going + self._late)
        self._behind.left(self)

    def _is_unread(self) -> bool:
        transport = self._transport
        return transport is not None and transport.get_write_buffer_size() > 0

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _response_to(recorded: Recorded, left: bytes) -> bytes:
    said = STATUS + recorded.record_id.encode() + left
    if recorded.warnings:
        said += b"\r\nendu-warning: " + ", ".join(recorded.warnings).encode()
    return said + END
