"""Which errors say that storage fails, now and for whatever is tried, and not the one record."""

from clickhouse_connect.driver.exceptions import Error as ClickHouseError
from pysqlite3 import dbapi2 as sqlite

from endu.events.inbox import LogUnreadable, NotDurable
from endu.events.ledger import LedgerDamaged, TooDear

_STORAGE = (
    OSError,
    MemoryError,
    NotDurable,
    LogUnreadable,
    LedgerDamaged,
    TooDear,
    ClickHouseError,
    sqlite.OperationalError,
    sqlite.InternalError,
)


# SQLite's codes for a file that cannot be read or written.
_OF_THE_DISK = frozenset(
    {
        sqlite.SQLITE_IOERR,
        sqlite.SQLITE_FULL,
        sqlite.SQLITE_CANTOPEN,
        sqlite.SQLITE_CORRUPT,
        sqlite.SQLITE_NOTADB,
        sqlite.SQLITE_READONLY,
    }
)


def of_the_disk(problem: Exception) -> bool:
    """Whether it says that files cannot be read or written, and nothing of what was asked."""
    if isinstance(problem, sqlite.Error):
        return getattr(problem, "sqlite_errorcode", 0) & 0xFF in _OF_THE_DISK
    return isinstance(problem, OSError | LogUnreadable)


def of_storage(problem: Exception) -> bool:
    # SQLite's plain DatabaseError is a malformed file; its other kinds are faults of the data.
    return isinstance(problem, _STORAGE) or type(problem) is sqlite.DatabaseError
