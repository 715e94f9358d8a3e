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


def of_storage(problem: Exception) -> bool:
    # SQLite's plain DatabaseError is a malformed file; its other kinds are faults of the data.
    return isinstance(problem, _STORAGE) or type(problem) is sqlite.DatabaseError
