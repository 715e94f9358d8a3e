"""Can directory.db be read, and is every value of the kind that its column holds?

SQLite lets any value stand in any column, so that one bit can make a text of a number.
"""

from collections.abc import Iterator

import sqlalchemy as sa

from endu.stores import schema
from endu.stores.journal_marks import wrong_lines
from endu.stores.soundness import NAMED_AT_MOST
from endu.stores.sqlite import Connection

COLUMNS = "SELECT name FROM pragma_table_info(?)"

_KINDS = ((sa.LargeBinary, "blob"), (sa.Text, "text"))  # all others are numbers


def wrong_values(connection: Connection) -> Iterator[str]:
    """Values of the wrong kind, and lines of the journal that are not as they were written."""
    yield from _mistyped(connection)
    yield from wrong_lines(connection)


def _mistyped(connection: Connection) -> Iterator[str]:
    for table in schema.directory.sorted_tables:
        there = {name for (name,) in connection.execute(COLUMNS, (table.name,))}
        columns = [column for column in table.columns if column.name in there]
        if columns:  # an earlier version has not all of them
            wrong = " OR ".join(_is_wrong(column) for column in columns)
            key = ", ".join(column.name for column in table.primary_key)
            rows = f"SELECT {key} FROM {table.name} WHERE {wrong} LIMIT {NAMED_AT_MOST}"
            for row in connection.execute(rows):
                yield f"{table.name}: {key} {row} has a value of another kind than its column"


def _is_wrong(column: "sa.Column[object]") -> str:
    kind = next((name for of, name in _KINDS if isinstance(column.type, of)), "integer")
    kinds = f"'{kind}', 'null'" if column.nullable else f"'{kind}'"
    return f"typeof({column.name}) NOT IN ({kinds})"
