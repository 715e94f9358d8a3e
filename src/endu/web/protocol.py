"""HTTP/1.1 as uvicorn reads it, with bounds on the size of a head and on patience.

Without the bounds a head of 200 MB and two million headers were taken, and 800 of 800 connections
that never said a word were held for ever.
"""

import asyncio
from enum import Enum, auto
from typing import Any

from msgspec import Struct
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from endu.refusals import Reason, Refusal
from endu.web.asgi import refusal_body

HEADERS_AT_MOST = 100
HEAD_BYTES_AT_MOST = 32 * 1024

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
    nothing. `read` is what was read of the connection before it came here."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        patience: Patience = PATIENCE,
        read: bytes = b"",
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._patience = patience
        self._read_before = read
        self._stage = Stage.FIRST
        self._watched = Stage.BETWEEN
        self._timer: asyncio.TimerHandle | None = None
        self._read = 0  # bytes of this head in pieces before the one that is being read
        self._piece = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()
        if self._read_before:
            read, self._read_before = self._read_before, b""
            self.data_received(read)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_watching()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._piece = len(data)
        super().data_received(data)
        if self._stage is Stage.HEAD:
            self._read += self._piece
            if self._read > HEAD_BYTES_AT_MOST + self._piece and not self.transport.is_closing():
                self.send_400_response("")
        if self._stage is not self._watched:
            self._watch()

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

    def on_message_complete(self) -> None:
        self._stage = Stage.BETWEEN
        super().on_message_complete()

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
