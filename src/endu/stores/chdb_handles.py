"""Handles on ClickHouse inside this process: one that writes, a bounded pool that only asks.

Rows that a failing question had produced come back in front of the next result of the same
handle: one organization's rows in another's answer. So whatever raised is thrown away.
"""

import asyncio
import itertools
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from queue import Empty, LifoQueue
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from clickhouse_connect.driver.exceptions import Error
from msgspec import Struct

from endu.events.ledger import Answered, Bound, CannotAnswer, Table, TooDear
from endu.stores.chdb_engine import Client

Rows: TypeAlias = list[tuple[Any, ...]]
T = TypeVar("T")

# Of what a question groups beyond half of its memory, the rest is set aside on the disk: up to so
# many times its memory. The paths of ten million events fit into 512 MB that way, and not without.
TEMPORARY_TIMES = 8

KILL_AGAIN_SECONDS = 0.05  # a question may not be registered yet when it is first cancelled

# By ClickHouse's codes: no space; time, too slow; memory, rows, bytes, result.
TOO_DEAR = {
    243: Bound.DISK,
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
    nice: int = 0  # of the threads that answer, where the system lets them have one


# The nice value of what may be about all events, where the process may set one (CAP_SYS_NICE). More
# of those at once than there are cores take as long, and disturb recording more.
STEPS_BACK = 19
OF_LONG = {"at_once": min(4, max(2, os.cpu_count() or 1)), "nice": STEPS_BACK}

# Analysts' own SQL has handles of its own: it can neither hold up the other questions nor answer
# with more than fits into memory several times over.
OF_SQL = {"at_once": 2, "waiting": 20, "result_bytes": 32 << 20, "nice": STEPS_BACK}


class _Handle(NamedTuple):
    """KILL QUERY finds what runs on it by the tag."""

    tag: str
    client: Client
    sparing: bool  # sets nothing aside on the disk


class _Question(Generic[T]):
    """`run` asks it of a client. Whatever runs on its handle is killed, so once it was stopped no
    other may have the handle."""

    def __init__(self, run: Callable[[Client], T]) -> None:
        self.run = run
        self.handle: _Handle | None = None
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


class _Spared(Exception):
    """The disk was to be spared while a question ran."""


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
        self._idle: LifoQueue[_Handle] = LifoQueue()
        self._tags = itertools.count(1)
        self._room = threading.Semaphore(limits.at_once + limits.waiting)
        self._threads = ThreadPoolExecutor(limits.at_once, "ask")
        self._killer = open_client()
        self._killing = threading.Lock()
        self._asked: dict[_Question[Any], Future[Any]] = {}
        self._sparing = False
        self._times_spared = self._refused = 0

    @property
    def asked(self) -> Asked:
        running = min(len(self._asked), self._limits.at_once)
        handles = self._idle.qsize() + running
        return Asked(handles, running, len(self._asked) - running, self._refused)

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
        try:
            try:
                return await self._ask_once(run)
            except _Spared:  # most set nothing aside, and are answered with their memory alone
                return await self._ask_once(run)
        except _Spared as problem:
            raise TooDear(Bound.DISK, "The disk filled up twice while it was asked.") from problem
        finally:
            self._room.release()

    async def _ask_once(self, run: Callable[[Client], T]) -> T:
        question = _Question(run)
        asked = self._asked[question] = self._threads.submit(self._answer, question)
        try:
            return await asyncio.shield(asyncio.wrap_future(asked))
        except asyncio.CancelledError:
            await self._stop(question, asked)
            raise
        except Error as problem:
            if problem.code not in TOO_DEAR:
                raise
            bound = TOO_DEAR[problem.code]
            if bound is Bound.SIZE and question.handle is not None and question.handle.sparing:
                bound = Bound.DISK
            raise TooDear(bound, str(problem)) from problem
        finally:
            del self._asked[question]

    async def spare_disk(self) -> None:
        """Until `use_disk`, questions have no more than their memory. Those that run now are ended
        and asked again: ClickHouse goes on where what they set aside cannot be written."""
        self._sparing = True
        self._times_spared += 1
        running = [each for each in list(self._asked.items()) if each[0].handle is not None]
        await asyncio.gather(*(self._stop(question, asked) for question, asked in running))

    def use_disk(self) -> None:
        self._sparing = False

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
            self._idle.get_nowait().client.close()
        self._killer.close()

    def _answer(self, question: _Question[T]) -> T:
        """In a thread of the pool, which bounds how many run at once."""
        times_spared = self._times_spared
        handle = question.handle = self._handle()
        try:
            found = question.run(handle.client)
            if self._times_spared != times_spared:
                raise _Spared
        except BaseException as problem:
            question.ends()
            handle.client.close()
            if isinstance(problem, Error) and self._times_spared != times_spared:
                raise _Spared from problem
            raise
        if question.ends() and handle.sparing == self._sparing:
            self._idle.put(handle)
        else:
            handle.client.close()
        return found

    def _handle(self) -> _Handle:
        with suppress(Empty):
            while (handle := self._idle.get_nowait()).sparing != self._sparing:
                handle.client.close()
            return handle
        return self._open(self._sparing)

    def _open(self, sparing: bool) -> _Handle:
        """Limits first: once it is read-only, nothing about it can be changed."""
        tag = f"reader {next(self._tags)}"
        client = self._open_client()
        memory_bytes = self._limits.memory_bytes
        grouped_bytes = 0 if sparing else memory_bytes // 2  # 0: however many there are
        client.command(
            f"SET max_execution_time = {self._limits.seconds}, "
            f"max_memory_usage = {memory_bytes}, "
            f"max_bytes_before_external_group_by = {grouped_bytes}, "
            "max_temporary_data_on_disk_size_for_query = "
            f"{1 if sparing else memory_bytes * TEMPORARY_TIMES}, "
            f"max_result_bytes = {self._limits.result_bytes}, "
            f"os_threads_nice_value_query = {self._limits.nice}, "
            "session_timezone = 'UTC', "
            f"log_comment = '{tag}'"
        )
        client.command("SET readonly = 1")
        return _Handle(tag, client, sparing)

    async def _stop(self, question: _Question[T], asked: Future[T]) -> None:
        while not asked.cancel() and question.stops():
            if question.handle is not None:
                await asyncio.to_thread(self._kill, question.handle.tag)
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
