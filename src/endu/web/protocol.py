"""HTTP/1.1 as uvicorn reads it, with bounds on the size of a head and on patience, and with a
short road for recording.

Without the bounds a head of 200 MB and two million headers were taken, and 800 of 800 connections
that never said a word were held for ever.
"""

import asyncio
import logging
from enum import Enum, auto
from functools import partial
from typing import Any

from msgspec import Struct
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

from endu.refusals import Reason, Refusal
from endu.web.asgi import Door, refusal_body
from endu.web.short_road import BODY_BYTES_AT_MOST, ShortRoad

logger = logging.getLogger("endu.web")

HEADERS_AT_MOST = 100
HEAD_BYTES_AT_MOST = 32 * 1024

END = b"\r\n"
CLOSING_END = b"connection: close\r\n\r\n"

NOT_HTTP = Refusal(
    Reason.INVALID_REQUEST,
    f"That is not HTTP/1.1, or its head has more than {HEADERS_AT_MOST} headers or "
    f"{HEAD_BYTES_AT_MOST:,} bytes.",
)


class Patience(Struct, frozen=True):
    """How long a connection may take over each part of a request before it is closed."""

    head_seconds: float = 10
    body_seconds: float = 15


PATIENCE = Patience()


class Stage(Enum):
    FIRST = auto()  # nothing was read yet
    BETWEEN = auto()  # requests; uvicorn's own keep-alive time holds
    HEAD = auto()
    BODY = auto()


class HeadTooLarge(Exception):
    """Raised inside the parser, which ends the connection with a 400."""


class BoundedProtocol(HttpToolsProtocol):
    """Watches only what does not come in one piece, so that a usual request pays next to
    nothing."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        patience: Patience = PATIENCE,
        short_road: ShortRoad | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._patience = patience
        self._short_road = short_road
        self._on_short_road: RequestResponseCycle | None = None  # until its body is whole
        self._stage = Stage.FIRST
        self._watched = Stage.BETWEEN
        self._timer: asyncio.TimerHandle | None = None
        self._idle_since: float | None = None
        self._read = 0  # bytes of this head in pieces before the one that is being read
        self._piece = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_watching()
        super()._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        at_start = self._stage is not Stage.HEAD and self._stage is not Stage.BODY
        road = self._short_road
        if road is None or not at_start or not (self.cycle is None or self.cycle.response_complete):
            self._parse(data)
        elif not self._take_known(road, data):
            self._parse(data)
            if self._stage is Stage.BETWEEN and road.is_open_to(self.cycle):
                road.heads.learn(data, self.cycle)
        if self._stage is not self._watched:
            self._watch()

    def _parse(self, data: bytes) -> None:
        self._piece = len(data)
        super().data_received(data)
        if self._stage is Stage.HEAD:
            self._read += self._piece
            if self._read > HEAD_BYTES_AT_MOST + self._piece and not self.transport.is_closing():
                self.send_400_response("")

    def _take_known(self, road: ShortRoad, data: bytes) -> bool:
        """What the parser would do with a whole request, if its head was parsed before."""
        request = None if self.flow.write_paused else road.heads.request_in(data)
        if request is None:
            return False
        self._unset_keepalive_if_required()
        self._stage = Stage.BETWEEN
        request.scope.update(client=self.client, server=self.server, state=self.app_state.copy())
        self.cycle = cycle = RequestResponseCycle(
            request.scope,
            self.transport,
            self.flow,
            self.logger,
            self.access_logger,
            self.access_log,
            self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=True,
            on_response=self.on_response_complete,
        )
        cycle.body += request.body
        cycle.more_body = False
        cycle.message_event.set()
        self._take_short_road(cycle)
        return True

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._stage = Stage.HEAD
        self._read = 0

    def on_headers_complete(self) -> None:
        if len(self.headers) > HEADERS_AT_MOST or (
            self._read + self._piece > HEAD_BYTES_AT_MOST and self._head_size() > HEAD_BYTES_AT_MOST
        ):
            raise HeadTooLarge
        self._stage = Stage.BODY
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        cycle = self._on_short_road
        if cycle is not None and len(cycle.body) > BODY_BYTES_AT_MOST:
            self._take_ordinary_road(cycle)

    def on_message_complete(self) -> None:
        self._stage = Stage.BETWEEN
        super().on_message_complete()
        cycle = self._on_short_road
        if cycle is not None and not cycle.more_body:
            self._take_short_road(cycle)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Door) -> None:
        """Uvicorn's place to begin a request: now, or once the one before it is answered."""
        if (
            self._short_road is None
            or self.flow.write_paused  # the ordinary road waits for who does not read
            or not self._short_road.is_open_to(cycle)
        ):
            super()._start_asgi_task(cycle, app)
        elif cycle.more_body:
            self._on_short_road = cycle
        else:
            self._take_short_road(cycle)

    def _take_short_road(self, cycle: RequestResponseCycle) -> None:
        assert self._short_road is not None
        self._on_short_road = None
        try:
            taken = self._short_road.take(cycle, partial(self._answer, cycle))
        except Exception:  # our own mistake: it happens again where it is answered
            logger.exception("The short road failed; the request takes the ordinary one")
            taken = False
        if not taken:
            self._take_ordinary_road(cycle)

    def _take_ordinary_road(self, cycle: RequestResponseCycle) -> None:
        self._on_short_road = None
        super()._start_asgi_task(cycle, self.app)

    def _answer(self, cycle: RequestResponseCycle, head: bytes | None) -> None:
        """What a cycle's `send` does, in one piece. Who hung up is not answered."""
        if cycle.disconnected:
            return
        if head is None:
            self._take_ordinary_road(cycle)
            return
        cycle.response_started = cycle.response_complete = True
        self.transport.write(head + (END if cycle.keep_alive else CLOSING_END))
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()

    def on_response_complete(self) -> None:
        """As uvicorn's own, but that a timer rings on: one that is cancelled and set again with
        each request costs as much as reading the event."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        else:
            self._idle_since = self.loop.time()
            if self.timeout_keep_alive_task is None:
                self._ring_in(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = None
        if self._idle_since is None:
            return  # a request is under way
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._ring_in(left)
        else:
            super().timeout_keep_alive_handler()

    def _unset_keepalive_if_required(self) -> None:
        self._idle_since = None

    def _ring_in(self, seconds: float) -> None:
        ring = self.timeout_keep_alive_handler
        self.timeout_keep_alive_task = self.loop.call_later(seconds, ring)

    def send_400_response(self, msg: str) -> None:
        """In the envelope, as every other refusal."""
        body = refusal_body(NOT_HTTP)
        head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
        self.transport.write(b"".join((STATUS_LINE[400], head % len(body), body)))
        self.transport.close()

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _watch(self) -> None:
        self._stop_watching()
        self._watched = self._stage
        if self._stage is not Stage.BETWEEN:
            patience = self._patience
            at_body = self._stage is Stage.BODY
            seconds = patience.body_seconds if at_body else patience.head_seconds
            self._timer = self.loop.call_later(seconds, self.transport.close)

    def _stop_watching(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
