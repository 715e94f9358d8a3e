"""Where connections come in, and from where they leave: answered, tired of, or handed over."""

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from endu.door.connection import PATIENCE, Connection, Patience, Respond
from endu.door.heads import Heads, Request
from endu.door.recording import Recording
from endu.web.crowd import NO_ROOM, Reception, make_room
from endu.web.sips import SIP_BYTES, InSips

BACKLOG = 2048
LOOK_ROUND_SECONDS = 1.0
ANSWERED_WITHIN_SECONDS = 3.0  # where the storage still answers, that takes milliseconds


class Others(Protocol):
    """Who does what the door does not."""

    def ask(self, request: Request, peer: str, respond: Respond) -> None:
        """As Behind.ask."""

    def give(self, descriptor: int, read: bytes) -> None:
        """Takes a copy of a connection's descriptor, and what was read of it."""


class TurnedAway(asyncio.Protocol):
    """Nobody can be let go for this one."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(NO_ROOM)  # type: ignore[attr-defined]
        transport.close()


class Entrance:
    def __init__(
        self,
        listening: socket.socket,
        recording: Recording,
        others: Others,
        turned_away: Callable[[], None],
        patience: Patience = PATIENCE,
    ) -> None:
        self.heads = Heads()
        self.ask = others.ask
        self.record = recording.record
        self._listening = listening
        self._others = others
        self._turned_away = turned_away
        self._patience = patience
        self._connections: set[Connection] = set()
        self._buffer = bytearray(SIP_BYTES)
        self._most = 0
        self._empty = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._looking_round: asyncio.Task[None] | None = None

    async def open(self, reception: Reception) -> None:
        self._most = reception.connections
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._let_in, sock=self._listening, backlog=BACKLOG)
        self._looking_round = asyncio.create_task(self._look_round())

    async def close(self) -> None:
        """Nobody new; returns when everyone here is answered, and gone. Who does not read its
        answers is not waited for."""
        if self._server is None or self._looking_round is None:
            return
        self._looking_round.cancel()
        self._server.close()
        for connection in list(self._connections):
            connection.close_when_answered()
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWERED_WITHIN_SECONDS):
                while self._connections:
                    self._empty.clear()
                    await self._empty.wait()
        for connection in list(self._connections):
            connection.leave()

    def hand_over(self, transport: asyncio.Transport, read: bytes) -> None:
        self._others.give(os.dup(transport.get_extra_info("socket").fileno()), read)
        transport.abort()  # closes this process's descriptor; the copy keeps the connection

    def left(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._empty.set()

    def _let_in(self) -> asyncio.BaseProtocol:
        if len(self._connections) >= self._most and not make_room(self._connections):
            self._turned_away()
            return TurnedAway()
        connection = Connection(self, asyncio.get_running_loop().time)
        self._connections.add(connection)
        return InSips(connection, self._buffer)

    async def _look_round(self) -> None:
        while True:
            await asyncio.sleep(LOOK_ROUND_SECONDS)
            for connection in list(self._connections):
                connection.lose_patience(self._patience)
