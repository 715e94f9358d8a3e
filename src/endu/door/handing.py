"""Connections that change hands: from one process to the other, as they are.

A descriptor goes on a socket of its own, as a datagram with a number; what was read of the
connection goes on the channel, under the same number.
"""

import asyncio
import os
import socket
from collections import deque
from collections.abc import Callable

Taken = Callable[[socket.socket, bytes], None]

NUMBER_BYTES = 8
AT_ONCE = 64  # datagrams read in one turn


class Giving:
    """The end from which they go."""

    def __init__(self, way: socket.socket) -> None:
        way.setblocking(False)
        self._way = way
        self._waiting: deque[tuple[int, int]] = deque()

    def give(self, number: int, descriptor: int) -> None:
        """The descriptor is a copy that is closed here once it is gone."""
        self._waiting.append((number, descriptor))
        if len(self._waiting) == 1:
            self._go_on()

    def _go_on(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            number, descriptor = self._waiting[0]
            try:
                socket.send_fds(self._way, [number.to_bytes(NUMBER_BYTES)], [descriptor])
            except BlockingIOError:  # the other end has not taken the ones before yet
                loop.add_writer(self._way, self._go_on)
                return
            self._waiting.popleft()
            os.close(descriptor)
        loop.remove_writer(self._way)


class Taking:
    """The end at which they arrive. `taken` is called with each and with what was read of it."""

    def __init__(self, way: socket.socket, taken: Taken) -> None:
        way.setblocking(False)
        self._way = way
        self._taken = taken
        self._read: dict[int, bytes] = {}
        self._arrived: dict[int, socket.socket] = {}
        asyncio.get_running_loop().add_reader(way, self._receive)

    def was_read(self, number: int, read: bytes) -> None:
        self._read[number] = read
        self._match(number)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._way)
        for connection in self._arrived.values():
            connection.close()

    def _receive(self) -> None:
        for _ in range(AT_ONCE):
            try:
                sent, (descriptor, *_), _, _ = socket.recv_fds(self._way, NUMBER_BYTES, 1)
            except BlockingIOError:
                return
            number = int.from_bytes(sent)
            self._arrived[number] = socket.socket(fileno=descriptor)
            self._match(number)

    def _match(self, number: int) -> None:
        if number in self._read and number in self._arrived:
            self._taken(self._arrived.pop(number), self._read.pop(number))
