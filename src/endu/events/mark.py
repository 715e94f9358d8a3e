"""A number that only grows, and that others on the same event loop wait for."""

import asyncio
from typing import NamedTuple


class _Waiting(NamedTuple):
    value: int
    promise: asyncio.Future[None]


class Mark:
    """How far something has come: the end of the log, the last record that questions see."""

    def __init__(self, value: int = 0) -> None:
        self._value = value
        self._waiting: list[_Waiting] = []
        self._failure: Exception | None = None

    @property
    def value(self) -> int:
        return self._value

    def move(self, value: int) -> None:
        """Wakes whoever waits for this or less. Never goes back."""
        self._value = max(self._value, value)
        for waiting in self._waiting:
            if waiting.value <= self._value and not waiting.promise.done():
                waiting.promise.set_result(None)

    def fail(self, failure: Exception) -> None:
        """It will go no further: whoever waits, now or later, gets `failure`."""
        self._failure = failure
        for waiting in self._waiting:
            if not waiting.promise.done():
                waiting.promise.set_exception(failure)

    async def reaches(self, value: int) -> None:
        """Returns once the mark stands at `value` or beyond."""
        if self._value >= value:
            return
        if self._failure is not None:
            raise self._failure
        waiting = _Waiting(value, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        try:
            await waiting.promise
        finally:
            self._waiting.remove(waiting)
