"""Is a file of SQLite sound, as far as SQLite and its WAL can tell, and by what it holds?"""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

from endu.stores import wal
from endu.stores.sqlite import Connection, Error, connect_to_inspect

NAMED_AT_MOST = 20  # things of one kind that are wrong with a file

Looking: TypeAlias = Callable[[Connection], Iterator[str]]


def unsound(path: Path, further: Looking) -> list[str]:
    """What is wrong with a file that nobody has open; nothing where it is not there. `further`
    looks at what it holds where SQLite finds no fault with it. Reads all of it."""
    if not path.exists():
        return []
    lost = wal.damage(path)
    try:
        with closing(connect_to_inspect(path)) as connection:
            said = found_unsound(connection) or list(further(connection))
    except Error as problem:
        said = [f"cannot be read: {problem}"]
    return [lost, *said] if lost else said


def found_unsound(connection: Connection) -> list[str]:
    """What SQLite itself finds wrong with the file, `NAMED_AT_MOST` lines. Reads all of it."""
    check = f"PRAGMA integrity_check({NAMED_AT_MOST})"
    said = [text for (text,) in connection.execute(check)]
    return [] if said == ["ok"] else said
