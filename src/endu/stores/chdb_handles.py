"""Handles on ClickHouse inside this process: one that writes, a bounded pool that only asks.

Rows that a failing question had produced come back in front of the next result of the same
handle: one organization's rows in another's answer. So whatever raised is thrown away.
"""

import asyncio
import itertools
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import Empty, LifoQueue
from typing import Any, Generic, TypeAlias, TypeVar

import clickhouse_connect
from clickhouse_connect.driver.exceptions import Error
from msgspec import Struct

from endu.events.ledger import Answered, Bound, CannotAnswer, Table, TooDear

Client: TypeAlias = Any  # clickhouse-connect's, of either interface
Rows: TypeAlias = list[tuple[Any, ...]]
T = TypeVar("T")

# Of what a question groups beyond half of its memory, the rest is set aside on the disk: up to so
# many times its memory. The paths of ten million events fit into 512 MB that way, and not without.
TEMPORARY_TIMES = 8

KILL_AGAIN_SECONDS = 0.05  # a question may not be registered yet when it is first cancelled

# By ClickHouse's codes: time, too slow; memory, rows, bytes, result.
TOO_DEAR = {
    159: Bound.TIME,
    160: Bound.TIME,
    241: Bound.SIZE,
    158: Bound.SIZE,
    307: Bound.SIZE,
    396: Bound.SIZE,
}


class Limits(Struct, frozen=True, kw_only=True):
    """What one question may cost, how many run at once, and how many more may wait for that."""

    seconds: int = 30
    memory_bytes: int = 512 << 20
    at_once: int = 4
    waiting: int = 60
    result_bytes: int = 0  # 0: as many as there are


class _Question(Generic[T]):
    """`run` asks it of a client. `tag` names the handle it runs on: KILL QUERY finds it by that.
    Whatever runs on that handle is killed, so once it was stopped no other may have the handle."""

    def __init__(self, run: Callable[[Client], T]) -> None:
        self.run = run
        self.tag = ""
        self._over = self._stopped = False
        self._turn = threading.Lock()

    def ends(self) -> bool:
        """Whether its handle may go to another."""
        with self._turn:
            self._over = True
            return not self._stopped

    def stops(self) -> bool:
        """Whether there may be something to kill."""
        with self._turn:
            self._stopped = True
            return not self._over


class Asked(Struct, frozen=True):
    """Questions at this moment, and those that were refused since the start because there were
    too many."""

    handles: int
    running: int
    waiting: int
    refused: int

    def __add__(self, other: "Asked") -> "Asked":
        return Asked(
            self.handles + other.handles,
            self.running + other.running,
            self.waiting + other.waiting,
            self.refused + other.refused,
        )


class Readers:
    """Handles that may only read, each for one running question at a time; for any loop."""

    def __init__(self, open_client: Callable[[], Client], limits: Limits) -> None:
        self._open_client = open_client
        self._limits = limits
        self._idle: LifoQueue[tuple[str, Client]] = LifoQueue()
        self._tags = itertools.count(1)
        self._room = threading.Semaphore(limits.at_once + limits.waiting)
        self._threads = ThreadPoolExecutor(limits.at_once, "ask")
        self._killer = open_client()
        self._killing = threading.Lock()
        self._in_hand = self._refused = 0

    @property
    def asked(self) -> Asked:
        running = min(self._in_hand, self._limits.at_once)
        handles = self._idle.qsize() + running
        return Asked(handles, running, self._in_hand - running, self._refused)

    async def answer(self, sql: str, values: Mapping[str, Any]) -> Answered:
        """Raises TooDear, or the driver's error. Cancelling it ends the question."""
        return await self._ask(lambda client: _answered(client, sql, dict(values)))

    async def table(self, sql: str, values: Mapping[str, Any]) -> Table:
        """Raises TooDear or CannotAnswer. Cancelling it ends the question."""
        try:
            return await self._ask(lambda client: _table(client, sql, dict(values)))
        except Error as problem:
            raise CannotAnswer(problem.code or 0, str(problem)) from problem
        except (ValueError, OverflowError) as problem:  # a value that Python has no room for
            raise CannotAnswer(0, str(problem)) from problem

    async def _ask(self, run: Callable[[Client], T]) -> T:
        if not self._room.acquire(blocking=False):
            self._refused += 1
            raise TooDear(Bound.NUMBER, "As many questions are being asked as there is room for.")
        self._in_hand += 1
        question = _Question(run)
        asked = self._threads.submit(self._answer, question)
        try:
            return await asyncio.shield(asyncio.wrap_future(asked))
        except asyncio.CancelledError:
            await self._stop(question, asked)
            raise
        except Error as problem:
            if problem.code in TOO_DEAR:
                raise TooDear(TOO_DEAR[problem.code], str(problem)) from problem
            raise
        finally:
            self._in_hand -= 1
            self._room.release()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Entered once no question runs; those that come wait until it is left. For any thread
        but those that ask."""
        entered, left = threading.Barrier(self._limits.at_once + 1), threading.Event()

        def stand_by() -> None:
            entered.wait()
            left.wait()

        for _ in range(self._limits.at_once):
            self._threads.submit(stand_by)
        entered.wait()
        try:
            yield
        finally:
            left.set()

    def close(self) -> None:
        self._threads.shutdown()
        while not self._idle.empty():
            self._idle.get_nowait()[1].close()
        self._killer.close()

    def _answer(self, question: _Question[T]) -> T:
        """In a thread of the pool, which bounds how many run at once."""
        try:
            tag, client = self._idle.get_nowait()
        except Empty:
            tag, client = self._open()
        question.tag = tag
        try:
            found = question.run(client)
        except BaseException:
            question.ends()
            client.close()
            raise
        if question.ends():
            self._idle.put((tag, client))
        else:
            client.close()
        return found

    def _open(self) -> tuple[str, Client]:
        """Limits first: once it is read-only, nothing about it can be changed."""
        tag = f"reader {next(self._tags)}"
        client = self._open_client()
        client.command(
            f"SET max_execution_time = {self._limits.seconds}, "
            f"max_memory_usage = {self._limits.memory_bytes}, "
            f"max_bytes_before_external_group_by = {self._limits.memory_bytes // 2}, "
            "max_temporary_data_on_disk_size_for_query = "
            f"{self._limits.memory_bytes * TEMPORARY_TIMES}, "
            f"max_result_bytes = {self._limits.result_bytes}, "
            "session_timezone = 'UTC', "
            f"log_comment = '{tag}'"
        )
        client.command("SET readonly = 1")
        return tag, client

    async def _stop(self, question: _Question[T], asked: Future[T]) -> None:
        while not asked.cancel() and question.stops():
            if question.tag:  # without one, whatever has no tag would be killed
                await asyncio.to_thread(self._kill, question.tag)
            await asyncio.sleep(KILL_AGAIN_SECONDS)

    def _kill(self, tag: str) -> None:
        with self._killing:
            self._killer.command(
                "KILL QUERY WHERE Settings['log_comment'] = {tag:String} SYNC",
                parameters={"tag": tag},
            )


def _answered(client: Client, sql: str, values: dict[str, Any]) -> Answered:
    found = client.query(sql, parameters=values)
    rows: Rows = [tuple(row) for row in found.result_rows]
    return Answered(rows, *_cost(found))


def _table(client: Client, sql: str, values: dict[str, Any]) -> Table:
    found = client.query(sql, parameters=values, column_oriented=True, tz_mode="aware")
    if not found.column_names:  # without rows nothing comes at all
        described = client.query(f"DESCRIBE TABLE ({sql})", parameters=values).result_rows
        names, types = zip(*((row[0], row[1]) for row in described), strict=True)
        return Table(names, types, [[] for _ in names], *_cost(found))
    types = tuple(kind.name for kind in found.column_types)
    return Table(tuple(found.column_names), types, found.result_columns, *_cost(found))


def _cost(found: Any) -> tuple[int, float]:
    """Rows read, and milliseconds."""
    return int(found.summary["read_rows"]), int(found.summary["elapsed_ns"]) / 1e6


def client_of(path: str, config: str) -> Client:
    """A handle on the engine in this process; the first one starts it."""
    client: Client = clickhouse_connect.get_client(
        interface="chdb", path=path, chdb_options={"config-file": config}
    )
    # clickhouse-connect takes the rows of the result for those that were read; chDB knows both.
    client._backend._summary = _spent
    return client


def _spent(result: Any) -> dict[str, str]:
    """What a server says in X-ClickHouse-Summary."""
    nanoseconds = int(result.elapsed() * 1_000_000_000)
    return {"read_rows": str(result.storage_rows_read()), "elapsed_ns": str(nanoseconds)}


class NoForking:
    """A process that forks with an open engine hangs: while this stands, it is refused."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._standing = True
        sys.addaudithook(self._audit)  # the one place where a fork can be refused

    def lift(self) -> None:
        self._standing = False

    def _audit(self, event: str, _: tuple[Any, ...]) -> None:
        if event in ("os.fork", "os.forkpty") and self._standing:
            raise RuntimeError("The ledger is open: start a new process instead of forking.")
