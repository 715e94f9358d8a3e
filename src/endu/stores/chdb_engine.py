"""The engine of ClickHouse inside this process: one, which the first handle starts."""

import os
import sys
from typing import Any, TypeAlias

import clickhouse_connect

Client: TypeAlias = Any  # clickhouse-connect's, of either interface


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
