"""Reading from a connection a little at a time, so that it can be stopped after a little.

The loop reads 256,000 bytes at once where it may: of a request that is not wanted yet, or of ten
thousand small ones. With many connections that is what fills the memory.
"""

import asyncio
from collections.abc import Callable

from uvicorn.protocols.http.flow_control import FlowControl

SIP_BYTES = 4 * 1024


class InSips(asyncio.BufferedProtocol):
    """Hands `protocol` what is read, in pieces of `len(buffer)` at most. The buffer holds nothing
    between two calls: all connections of one loop may share it."""

    def __init__(self, protocol: asyncio.Protocol, buffer: bytearray) -> None:
        self._protocol = protocol
        self._buffer = memoryview(buffer)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._protocol.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._protocol.connection_lost(exc)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._protocol.data_received(self._buffer[:nbytes].tobytes())

    def eof_received(self) -> bool | None:
        return self._protocol.eof_received()

    def pause_writing(self) -> None:
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._protocol.resume_writing()


class Reluctant(FlowControl):
    """Reads on only where `wanted`: uvicorn's own takes in more requests with each answer than
    it answers, as long as there are more."""

    def __init__(self, transport: asyncio.Transport, wanted: Callable[[], bool]) -> None:
        super().__init__(transport)
        self._wanted = wanted

    def resume_reading(self) -> None:
        if self._wanted():
            super().resume_reading()
