"""A check sum for each row of the registry: what it says is in no other place."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any
from zlib import crc32

import msgspec
import sqlalchemy as sa

from endu.stores.directory_soundness import COLUMNS
from endu.stores.schema import registry
from endu.stores.soundness import NAMED_AT_MOST
from endu.stores.sqlite import Connection

MARK = "mark"

_write = msgspec.json.Encoder().encode


def mark_rows(connection: sa.Connection) -> None:
    """Those that have none: they were just written, or by a version that knew none."""
    for table in registry.sorted_tables:
        unmarked = sa.select(table).where(table.c[MARK].is_(None))
        names = [str(column.name) for column in table.columns]
        for values in connection.execute(unmarked).all():
            row = dict(zip(names, values, strict=True))
            this = sa.and_(*(column == row[column.name] for column in table.primary_key))
            connection.execute(sa.update(table).where(this).values(mark=mark_of(row)))


def mark_of(row: Mapping[str, Any]) -> int:
    """CRC-32 of what a row has; a column that a later version adds, and this row has not, makes no
    difference."""
    said = [item for item in sorted(row.items()) if item[1] is not None and item[0] != MARK]
    return crc32(_write(said))


def wrong_rows(connection: Connection) -> Iterator[str]:
    """Those that are not as they were written, `NAMED_AT_MOST`."""
    return islice(_wrong_rows(connection), NAMED_AT_MOST)


def _wrong_rows(connection: Connection) -> Iterator[str]:
    for table in registry.sorted_tables:
        names = [name for (name,) in connection.execute(COLUMNS, (table.name,))]
        if MARK not in names:
            continue  # an earlier version wrote it
        key = [column.name for column in table.primary_key]
        for values in connection.execute(f'SELECT * FROM "{table.name}"'):
            row = dict(zip(names, values, strict=True))
            if row[MARK] is not None and mark_of(row) != row[MARK]:
                where = " ".join(str(row[name]) for name in key)
                yield f"{table.name}: {where} is not as it was written"
