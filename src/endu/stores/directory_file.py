"""directory.db, opened: who writes it, who reads beside that, who reads for others."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from msgspec import Struct

from endu.stores.database import migrate
from endu.stores.sqlite import Connection, Reader, connect, connect_for_batches, connect_to_read
from endu.stores.sqlite_erasures import SqliteErasures


class Directory(Struct, frozen=True):
    """`connection` is for the settler alone; `reader` is for everybody on a loop."""

    path: Path
    connection: Connection
    reading: Connection
    reader: Reader
    erasures: SqliteErasures


@contextmanager
def open_directory(path: Path) -> Iterator[Directory]:
    """Makes it, or brings it up to this code. Raises CannotRun."""
    migrate(path, "directory")
    with (
        closing(connect_for_batches(path)) as connection,
        closing(connect_to_read(path)) as reading,
        closing(Reader(path)) as reader,
        closing(SqliteErasures(path, reader)) as erasures,
    ):
        yield Directory(path, connection, reading, reader, erasures)


def copy_directory(path: Path, copy: Path) -> None:
    """As it was last committed. `copy` is not there yet."""
    with closing(connect_to_read(path)) as connection, closing(connect(copy)) as copied:
        connection.backup(copied)
