"""Handles on ClickHouse inside this process: one that writes, a bounded pool that only asks.

Rows that a failing question had produced come back in front of the next result of the same
handle: one organization's rows in another's answer. So whatever raised is thrown away.
"""

import asyncio
import itertools
import os
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, LifoQueue
from typing import Any, TypeAlias

import clickhouse_connect
from clickhouse_connect.driver.exceptions import Error
from msgspec import Struct

from endu.events.ledger import TooDear

Client: TypeAlias = Any  # clickhouse-connect's, of either interface
Rows: TypeAlias = list[tuple[Any, ...]]

WAITING_AT_MOST = 1_000  # questions that wait for a handle
KILL_AGAIN_SECONDS = 0.05  # a question may not be registered yet when it is first cancelled

# ClickHouse's codes: too slow, time, memory, rows or bytes, result.
TOO_DEAR = {159, 160, 241, 307, 158, 396}


class Limits(Struct, frozen=True, kw_only=True):
    """What one question may cost, and how many run at once."""

    seconds: int = 30
    memory_bytes: int = 512 << 20
    at_once: int = 4


class _Question:
    """`tag` names the handle it runs on: KILL QUERY finds it by that."""

    def __init__(self, sql: str, values: Mapping[str, Any]) -> None:
        self.sql = sql
        self.values = dict(values)
        self.tag = ""


class Readers:
    """Handles that may only read, each for one running question at a time; for any loop."""

    def __init__(self, open_client: Callable[[], Client], limits: Limits) -> None:
        self._open_client = open_client
        self._limits = limits
        self._idle: LifoQueue[tuple[str, Client]] = LifoQueue()
        self._tags = itertools.count(1)
        self._room = threading.Semaphore(WAITING_AT_MOST)
        self._threads = ThreadPoolExecutor(limits.at_once, "ask")
        self._killer = open_client()
        self._killing = threading.Lock()

    async def ask(self, sql: str, values: Mapping[str, Any]) -> Rows:
        """Raises TooDear, or the driver's error. Cancelling it ends the question."""
        if not self._room.acquire(blocking=False):
            raise TooDear("Too many questions are being asked at once; ask again.")
        question = _Question(sql, values)
        asked = self._threads.submit(self._answer, question)
        try:
            return await asyncio.shield(asyncio.wrap_future(asked))
        except asyncio.CancelledError:
            await self._stop(question, asked)
            raise
        except Error as problem:
            if problem.code in TOO_DEAR:
                raise TooDear(str(problem)) from problem
            raise
        finally:
            self._room.release()

    def close(self) -> None:
        self._threads.shutdown()
        while not self._idle.empty():
            self._idle.get_nowait()[1].close()
        self._killer.close()

    def _answer(self, question: _Question) -> Rows:
        """In a thread of the pool, which bounds how many run at once."""
        try:
            tag, client = self._idle.get_nowait()
        except Empty:
            tag, client = self._open()
        question.tag = tag
        try:
            rows: Rows = client.query(question.sql, parameters=question.values).result_rows
        except BaseException:
            client.close()
            raise
        self._idle.put((tag, client))
        return [tuple(row) for row in rows]

    def _open(self) -> tuple[str, Client]:
        """Limits first: once it is read-only, nothing about it can be changed."""
        tag = f"reader {next(self._tags)}"
        client = self._open_client()
        client.command(
            f"SET max_execution_time = {self._limits.seconds}, "
            f"max_memory_usage = {self._limits.memory_bytes}, "
            f"log_comment = '{tag}'"
        )
        client.command("SET readonly = 1")
        return tag, client

    async def _stop(self, question: _Question, asked: Future[Rows]) -> None:
        while not asked.cancel() and not asked.done():
            await asyncio.to_thread(self._kill, question.tag)
            await asyncio.sleep(KILL_AGAIN_SECONDS)

    def _kill(self, tag: str) -> None:
        with self._killing:
            self._killer.command(
                "KILL QUERY WHERE Settings['log_comment'] = {tag:String} SYNC",
                parameters={"tag": tag},
            )


def client_of(path: str, config: str) -> Client:
    """A handle on the engine in this process; the first one starts it."""
    return clickhouse_connect.get_client(
        interface="chdb", path=path, chdb_options={"config-file": config}
    )


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
