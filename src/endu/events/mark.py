"""A number that only grows: set by one thread, awaited by the event loops of others."""

import asyncio
import threading
from contextlib import suppress
from typing import NamedTuple


class _Waiting(NamedTuple):
    value: int
    loop: asyncio.AbstractEventLoop
    promise: asyncio.Future[None]


class Mark:
    """How far something has come: the end of the log, the last record that questions see."""

    def __init__(self, value: int = 0) -> None:
        self._value = value
        self._waiting: list[_Waiting] = []
        self._failure: Exception | None = None
        self._lock = threading.Lock()

    @property
    def value(self) -> int:
        return self._value

    def move(self, value: int) -> None:
        """Wakes whoever waits for this or less; from any thread. Never goes back."""
        with self._lock:
            self._value = max(self._value, value)
            reached = [waiting for waiting in self._waiting if waiting.value <= self._value]
            if reached:
                self._waiting = [w for w in self._waiting if w.value > self._value]
        for waiting in reached:
            _wake(waiting, None)

    def fail(self, failure: Exception) -> None:
        """It will go no further: whoever waits, now or later, gets `failure`."""
        with self._lock:
            self._failure = failure
            waiting, self._waiting = self._waiting, []
        for each in waiting:
            _wake(each, failure)

    async def reaches(self, value: int) -> None:
        """Returns once the mark stands at `value` or beyond."""
        loop = asyncio.get_running_loop()
        with self._lock:
            if self._value >= value:
                return
            if self._failure is not None:
                raise self._failure
            waiting = _Waiting(value, loop, loop.create_future())
            self._waiting.append(waiting)
        try:
            await waiting.promise
        finally:
            with self._lock, suppress(ValueError):
                self._waiting.remove(waiting)


def _wake(waiting: _Waiting, failure: Exception | None) -> None:
    # A loop that was closed meanwhile has nobody left who waits.
    with suppress(RuntimeError):
        waiting.loop.call_soon_threadsafe(_answer, waiting.promise, failure)


def _answer(promise: asyncio.Future[None], failure: Exception | None) -> None:
    if promise.done():
        return
    if failure is None:
        promise.set_result(None)
    else:
        promise.set_exception(failure)
