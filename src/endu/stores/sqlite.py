"""The one SQLite that Endu uses, and how a file of it is opened.

CPython and Debian bundle 3.40.1, which is in the range of the WAL-reset corruption bug (3.7.0 to
3.51.2); `pysqlite3` brings its own. Two copies of SQLite must never open one file, so nothing
in Endu imports the standard library's `sqlite3`.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from pysqlite3 import dbapi2 as sqlite

T = TypeVar("T")
Connection: TypeAlias = Any  # pysqlite3 is not typed; this is its Connection
Error: type[Exception] = sqlite.Error

OLDEST_SAFE = (3, 51, 3)

BUSY_MS = 10_000  # how long one waits for another's lock

# FULL: 300 power cuts lost nothing of 390,424 commits; NORMAL lost rows in 50 of 60.
PRAGMAS = f"""
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA busy_timeout = {BUSY_MS};
PRAGMA cache_size = -4096;
"""


# What is deleted is gone from the file, too: people can be erased.
# Half of what a batch touches is found in memory, and a checkpoint comes every few batches instead
# of in each.
FOR_BATCHES = """
PRAGMA secure_delete = 1;
PRAGMA cache_size = -65536;
PRAGMA wal_autocheckpoint = 8000;
"""


def connect(path: Path) -> Connection:
    """A connection in autocommit mode, for whichever single thread uses it: BEGIN is explicit."""
    if sqlite.sqlite_version_info < OLDEST_SAFE:
        raise RuntimeError(f"SQLite {sqlite.sqlite_version} can corrupt a WAL; 3.51.3 is needed.")
    connection = sqlite.connect(str(path), isolation_level=None, check_same_thread=False)
    connection.executescript(PRAGMAS)
    return connection


def perhaps_written(problem: Exception) -> bool:
    """Whether a commit that failed so may be found to have happened after the next start: what
    was written is out of SQLite's hands once writing or syncing it has failed."""
    code: int = getattr(problem, "sqlite_errorcode", 0)
    primary = code & 0xFF
    return primary == int(sqlite.SQLITE_IOERR)


def connect_for_batches(path: Path) -> Connection:
    """The same, for the one connection that writes a batch at a time."""
    connection = connect(path)
    connection.executescript(FOR_BATCHES)
    return connection


def connect_to_read(path: Path) -> Connection:
    """The same, for what is committed; whatever tries to write raises."""
    connection = connect(path)
    connection.execute("PRAGMA query_only = 1")
    return connection


def connect_to_scan(path: Path) -> Connection:
    """The same, for whoever reads each page once: few of them stay in memory."""
    connection = connect_to_read(path)
    connection.execute("PRAGMA cache_size = -1024")
    return connection


def connect_to_inspect(path: Path) -> Connection:
    """For a file that may be damaged, and that nobody else has open: unlike with others, what is in
    its WAL stays there when it is closed."""
    connection = sqlite.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None
    )
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    return connection


class Reader:
    """A connection that only reads, in a thread of its own: for callers on an event loop."""

    def __init__(self, path: Path) -> None:
        self._thread = ThreadPoolExecutor(1, f"read-{path.stem}")
        self._connection = connect_to_read(path)

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, work, self._connection
        )

    def close(self) -> None:
        """After this nothing may be read; what is under way ends first."""
        self._thread.shutdown()
        self._connection.close()
