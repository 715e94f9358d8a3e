"""A server of our own, in a process that is loaded beforehand and then killed in every way."""

import asyncio
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import msgspec

from endu.announcements import Started
from endu.torture.mortal_words import READY, Order, Problem, Step, Up

STARTED_WITHIN_SECONDS = 120.0  # a first start on a busy machine takes a tenth of it
STOPPED_WITHIN_SECONDS = 60.0

_heard = msgspec.json.Decoder(Step | Up | Problem)


class DidNotStart(Exception):
    """It ended, or said nothing, where it should have answered. The text is what it said last."""


class Server:
    """One process. Whoever made it closes it."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path, steps: set[str]) -> None:
        self._process = process
        self._log = log
        self._steps = steps
        self._started: asyncio.Future[Started] = asyncio.get_running_loop().create_future()
        self._began_at = time.monotonic()
        self._loaded = asyncio.Event()
        self._problem = ""
        self.seconds_to_start = 0.0
        self._hearing = asyncio.create_task(self._hear())

    @property
    def pid(self) -> int:
        return self._process.pid

    async def begin(self, order: Order) -> None:
        """Once it is loaded. Its files are opened from now on."""
        await self.is_loaded()
        stdin = self._process.stdin
        assert stdin is not None
        self._began_at = time.monotonic()
        with suppress(ConnectionError):
            stdin.write(msgspec.json.encode(order) + b"\n")
            await stdin.drain()

    async def is_loaded(self) -> None:
        await asyncio.wait_for(self._loaded.wait(), STARTED_WITHIN_SECONDS)

    async def started(self) -> Started | None:
        """What it announces; None where it was killed before. Raises DidNotStart."""
        waiting: tuple[asyncio.Future[Any], ...] = (self._started, self._hearing)
        await asyncio.wait(
            waiting, timeout=STARTED_WITHIN_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        if self._started.done():
            self.seconds_to_start = time.monotonic() - self._began_at
            return self._started.result()
        if self._hearing.done() and await self._process.wait() == -signal.SIGKILL:
            return None
        raise DidNotStart(self.last_words())

    async def ended(self, within_seconds: float) -> bool:
        """Whether it has ended by then."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), within_seconds)
        return self._process.returncode is not None

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode

    def door(self) -> int | None:
        """The process that it started; None where it has none."""
        path = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        with suppress(OSError, ValueError, IndexError):
            return int(path.read_text().split()[0])
        return None

    def kill(self) -> None:
        tell(self._process, signal.SIGKILL)

    async def stop(self) -> bool:
        """As an operator would; whether it ended well."""
        tell(self._process, signal.SIGTERM)
        return await self.ended(STOPPED_WITHIN_SECONDS) and self._process.returncode == 0

    def last_words(self) -> str:
        if self._problem:
            return self._problem
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"it ended with {self._process.returncode}"

    async def close(self) -> None:
        self.kill()
        await self._process.wait()
        await self._hearing

    async def _hear(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        while line := await stdout.readline():
            if line.strip() == READY:
                self._loaded.set()
                continue
            what = _heard.decode(line)
            if isinstance(what, Step):
                self._steps.add(what.step)
            elif isinstance(what, Problem):
                self._problem = what.sentence
            else:
                self._started.set_result(what.started)
        self._loaded.set()


async def server_ready(log: Path, steps: set[str]) -> Server:
    """A process that loads itself now. `steps` takes in the names of all that it does."""
    with log.open("wb") as file:
        process = await _process_of(file)
    return Server(process, log, steps)


def tell(process: asyncio.subprocess.Process, what: signal.Signals) -> None:
    """Unless it has ended. The process's own methods would look whether it has, and take its exit
    code from whoever waits for it."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, what)


def kill_process(pid: int | None) -> None:
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


async def _process_of(log: IO[bytes]) -> asyncio.subprocess.Process:
    """No part of the terminal's group: Ctrl-C is for the torture to hear."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ENDU_")}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "endu.torture.mortal",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=log,
        env=clean,
        start_new_session=True,
    )  # fmt: skip
