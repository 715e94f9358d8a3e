"""HTTP/1.1 as uvicorn reads it, with bounds on what one connection may take: bytes and time.

Without the bounds a head of 200 MB and two million headers were taken, 800 of 800 connections
that never said a word were held for ever, and so was an answer that nobody reads.
"""

import asyncio
from enum import Enum, auto
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from endu.refusals import Reason, Refusal
from endu.web.asgi import CLOSE, refusal_response
from endu.web.crowd import Idle
from endu.web.sips import SIP_BYTES, Reluctant
from endu.web.terms import CROWDED, Terms

HEADERS_AT_MOST = 100
HEAD_BYTES_AT_MOST = 32 * 1024

# What stands around chunks (lengths, extensions, trailers) for each byte in them: a client that
# sends byte after byte needs five.
FRAMING_FOR_EACH_BYTE = 8

# A body that goes on behind its answer is read to here, so that its sender can hear the answer
# before the connection is closed on it.
UNWANTED_BYTES_AT_MOST = 8 * 1024 * 1024

# Who still sends when it is told why it is let go, has so long to hear it, and so much is read of
# it: closed at once, its connection would be reset, and the answer lost with it.
LINGER_SECONDS, LINGER_BYTES = 1.0, 64 * 1024

# Requests that wait for the answers to those before them, of one sip: as small as ones that record
# an event can be.
PIPELINED_AT_MOST = 128
LATE_BYTES_AT_MOST = 4 * 1024  # read behind them without a look, to notice whoever leaves

NOT_HTTP = Refusal(Reason.INVALID_REQUEST, "That is not HTTP/1.1, or can be read in two ways.")
TOO_LARGE = Refusal(
    Reason.HEAD_TOO_LARGE,
    f"The head has more than {HEADERS_AT_MOST} headers or {HEAD_BYTES_AT_MOST:,} bytes.",
)


class Stage(Enum):
    FIRST = auto()  # nothing was read yet
    BETWEEN = auto()  # requests; uvicorn's own keep-alive time holds
    HEAD = auto()
    BODY = auto()


class TooMuch(Exception):
    """Raised inside the parser, which ends the connection."""


class BoundedProtocol(HttpToolsProtocol):
    """Watches only what does not come in one piece, so that a usual request pays next to
    nothing. `read` is what was read of the connection before it came here; `go_on`
    reads it."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        terms: Terms | None = None,
        read: bytes = b"",
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._terms = terms or Terms()
        self._read_before = read
        self._stage = Stage.FIRST
        self._watched: Stage | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._since = self.loop.time()
        self._read = 0  # bytes of this head in pieces before the one that is being read
        self._held = 0  # of those, what is counted as unfinished
        self._piece = 0
        self._framing = 0  # bytes of this body that stand around its chunks, less what is due
        self._unwanted = 0
        self._late = b""  # behind requests that wait for their turn
        self._too_large = False
        self._told = False  # why it is let go: nothing more is read
        self._running: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = Reluctant(transport, lambda: len(self._late) < LATE_BYTES_AT_MOST)
        self._watch()

    def go_on(self) -> None:
        """For once the transport reads: one that is stopped before it has begun, begins."""
        if self._read_before:
            self.data_received(b"")

    def connection_lost(self, exc: Exception | None) -> None:
        self._read_before = self._late = b""
        self._hold(0)
        self._stop_watching()
        self._stop_waiting_for_reader()
        super().connection_lost(exc)
        if self._running is not None:  # uvicorn tells only the last of several requests
            self._running.disconnected = True
            self._running.message_event.set()

    def data_received(self, data: bytes) -> None:
        if self._read_before:
            data, self._read_before = self._read_before + data, b""
        if self._told:
            self._read_unwanted(data, LINGER_BYTES)
        while data and not self._is_over():
            if self.pipeline:
                self._read_later(data)
                return
            self._read_now(data[:SIP_BYTES])
            data = data[SIP_BYTES:]

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if len(self.pipeline) >= PIPELINED_AT_MOST:
            raise TooMuch
        if self._stage is not Stage.FIRST:
            self._watched = None  # its time begins now
        self._stage = Stage.HEAD
        self._read = self._unwanted = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._stage is not Stage.HEAD:
            return  # a trailer: nobody here wants any
        super().on_header(name, value)
        if len(self.headers) > HEADERS_AT_MOST:
            self._too_large = True
            raise TooMuch

    def on_headers_complete(self) -> None:
        whole = self._read + self._piece
        if whole > HEAD_BYTES_AT_MOST and self._head_size() > HEAD_BYTES_AT_MOST:
            self._too_large = True
            raise TooMuch
        self._stage = Stage.BODY
        self._framing = -self._piece  # that one is the head's
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._framing -= (1 + FRAMING_FOR_EACH_BYTE) * len(body)
        if self.cycle.response_complete:
            self._read_unwanted(body, UNWANTED_BYTES_AT_MOST)

    def on_message_complete(self) -> None:
        self._stage = Stage.BETWEEN
        super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._let_go()
        elif self._late and not self.pipeline:
            late, self._late = self._late, b""
            self.flow.resume_reading()
            self.data_received(late)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._wait_for_reader()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.transport.is_closing():
            self._stop_waiting_for_reader()

    def timeout_keep_alive_handler(self) -> None:
        self._let_go()

    def shutdown(self) -> None:
        super().shutdown()
        if self.transport.is_closing():
            self._let_go()

    def send_400_response(self, msg: str) -> None:
        """In the envelope, as every other refusal."""
        self._end_with(TOO_LARGE if self._too_large else NOT_HTTP)

    def idle(self) -> Idle | None:
        """As Guest.idle."""
        return None if self._is_due() else Idle(self.cycle is not None, self._since)

    def leave(self) -> None:
        """As Guest.leave."""
        self.transport.abort()

    def _read_later(self, data: bytes) -> None:
        self._late += data
        if len(self._late) >= LATE_BYTES_AT_MOST:
            self.flow.pause_reading()

    def _read_now(self, data: bytes) -> None:
        self._piece = len(data)
        if self._stage is Stage.BETWEEN:
            self._stage, self._read = Stage.HEAD, 0  # where it is no more than an empty line, too
        super().data_received(data)
        if self._is_over():
            return
        if self._stage is Stage.HEAD:
            self._read += self._piece
            self._too_large = self._read > HEAD_BYTES_AT_MOST + self._piece
        elif self._stage is Stage.BODY:
            self._framing += self._piece
            self._too_large = self._framing > HEAD_BYTES_AT_MOST + self._piece
        self._hold(self._read if self._stage is Stage.HEAD else 0)
        if self._too_large:
            self._end_with(TOO_LARGE)
        elif self._held and self._terms.unfinished.too_many:
            self._end_with(CROWDED)
        elif self._stage is not self._watched:
            self._watch()

    def _hold(self, size: int) -> None:
        self._terms.unfinished.size += size - self._held
        self._held = size

    def _read_unwanted(self, data: bytes, at_most: int) -> None:
        self._unwanted += len(data)
        if self._unwanted > at_most:
            self._let_go()

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _is_due(self) -> bool:
        """An answer, to whatever was asked."""
        return self.cycle is not None and not self.cycle.response_complete

    def _watch(self) -> None:
        before, self._watched = self._watched, self._stage
        if before is Stage.FIRST and self._stage is Stage.HEAD:
            return  # its time has begun
        self._stop_watching()
        self._since = self.loop.time()
        if self._stage is not Stage.BETWEEN:
            at_body = self._stage is Stage.BODY
            patience = self._terms.patience
            seconds = patience.body_seconds if at_body else patience.head_seconds
            self._timer = self.loop.call_later(seconds, self._lose_patience)

    def _stop_watching(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _lose_patience(self) -> None:
        at_body, due = self._stage is Stage.BODY, self._is_due()
        if self.flow.read_paused or (due and not at_body):
            self._watch()  # it is not read for now, or waits for an answer itself
        elif self._stage is Stage.FIRST or (at_body and not self._can_be_refused()):
            self._let_go()
        else:
            self._end_with(Refusal(Reason.TOO_SLOW))

    def _can_be_refused(self) -> bool:
        return self._is_due() and not self.cycle.response_started

    def _is_over(self) -> bool:
        return self._told or self.transport.is_closing()

    def _end_with(self, refusal: Refusal) -> None:
        self._told, self._unwanted = True, 0
        self.transport.write(refusal_response(refusal, CLOSE))
        self._stop_watching()
        if self._is_due():  # its answer must not be written behind the end
            self._let_go()
        else:
            self.transport.write_eof()
            self._timer = self.loop.call_later(LINGER_SECONDS, self._let_go)

    def _let_go(self) -> None:
        """What was written is sent before it is closed, if it is read before patience ends."""
        self._stop_watching()
        self.transport.close()
        self._wait_for_reader()

    def _wait_for_reader(self) -> None:
        if self._unread is None:
            self._unread = self.loop.call_later(self._terms.patience.answer_seconds, self.leave)

    def _stop_waiting_for_reader(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
