"""The history of a run: what was sent, what was answered, what was done to the server.

One JSON object a line, in the order in which things happened, outside of the disk that is cut. A
request stands there, durably, before its first byte is sent. docs/torture.md has the format.
"""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from endu.torture.crowd import Kind
from endu.torture.plan import Fault, Plan

Verdict = Literal["ok", "refused", "unknown"]


class Began(Struct, frozen=True, tag="began", tag_field="what"):
    """The first line."""

    version: str
    plan: Plan


class Faulted(Struct, frozen=True, tag="fault", tag_field="what"):
    """What was done; `came` tells how it went where that was not fixed before."""

    fault: Fault
    came: str = ""


class Recovering(Struct, frozen=True, tag="recovering", tag_field="what"):
    """The last fault is over, and a server is started that stays."""


class Sent(Struct, frozen=True, tag="sent", tag_field="what"):
    """About to be sent. Copies of a request are requests of their own."""

    request: int
    sender: int
    kind: Kind
    events: tuple[dict[str, Any], ...]
    body: dict[str, Any]


class Outcome(Struct, frozen=True, omit_defaults=True):
    """What became of one event, or of a request without events. `id` is the record, the failed
    event or the rule that the answer named; `reason` is why it was refused."""

    verdict: Verdict
    id: str = ""
    reason: str = ""


class Answered(Struct, frozen=True, tag="answered", tag_field="what"):
    """One outcome for each event, or a single one. `status` 0: there was no answer."""

    request: int
    status: int
    outcomes: tuple[Outcome, ...]


Line: TypeAlias = Began | Faulted | Recovering | Sent | Answered

_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Line)


class History:
    """For one event loop. `say` writes a line; `durably` returns once it is on the disk, and
    raises OSError where it cannot be."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._waiting: list[bytes] = []
        self._syncing: asyncio.Task[None] | None = None
        self._next: asyncio.Future[None] | None = None

    def say(self, line: Line) -> None:
        self._waiting.append(_encode(line) + b"\n")

    async def durably(self, line: Line) -> None:
        self.say(line)
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        waited = self._next
        if self._syncing is None or self._syncing.done():
            self._syncing = asyncio.create_task(self._sync())
        await asyncio.shield(waited)

    async def close(self) -> None:
        """Everything said is on the disk then."""
        if self._syncing is not None:
            await self._syncing
        await self._write()
        self._file.close()

    async def _sync(self) -> None:
        """Until nobody waits; whoever comes during one write shares the next."""
        while self._next is not None:
            promise, self._next = self._next, None
            try:
                await self._write()
            except OSError as problem:
                promise.set_exception(problem)
            else:
                promise.set_result(None)

    async def _write(self) -> None:
        lines, self._waiting = self._waiting, []
        await asyncio.to_thread(_append, self._file, b"".join(lines))


def read_history(path: Path) -> Iterator[Line]:
    """In order. Raises msgspec.DecodeError where a line is none of them."""
    with path.open("rb") as file:
        for line in file:
            yield _decoder.decode(line)


def _append(file: Any, text: bytes) -> None:
    file.write(text)
    file.flush()
    os.fsync(file.fileno())
