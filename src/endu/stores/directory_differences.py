"""What a directory says otherwise than one that was made anew from the same log.

Both have settled all of it. Left out is what does not follow from the log alone: versions and
change ids (they count batches), lines of the journal (which have check sums), what was set aside
(its time), `reviews`, `erased_places` and the names and subjects of an erasure (what is yet to be
done). Of an organization where somebody was erased also its properties and its identities made
beforehand: what they came from may be gone.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from endu.announcements import Damage
from endu.stores import schema
from endu.stores.sqlite import Connection, connect_to_read

AT_MOST = 20  # rows of one table are named

COMPARED = (
    schema.identifiers,
    schema.links,
    schema.sightings,
    schema.owners,
    schema.visits,
    schema.rules,
    schema.limits,
    schema.creations,
    schema.properties,
    schema.failed_events,
    schema.erasures,
)
LEFT_OUT: Mapping[str, set[str]] = MappingProxyType({
    "owners": {"version"},
    "visits": {"version"},
    "erasures": {"names", "subjects"},
})  # fmt: skip

_NOBODY_ERASED = "{0}.organization_id NOT IN (SELECT organization_id FROM erasures)"
# To be one's own is to have no owner; a visit of nobody is none.
ONLY: Mapping[str, str] = MappingProxyType({
    "owners": "{0}.subject <> {0}.identity",
    "visits": "{0}.subject <> 0",
    "creations": _NOBODY_ERASED,
    "properties": _NOBODY_ERASED,
})  # fmt: skip

SHAPES = (
    """
SELECT t.name, c.name, c.type, c."notnull", c.dflt_value, c.pk
  FROM {0}.sqlite_schema AS t JOIN pragma_table_info(t.name, '{0}') AS c WHERE t.type = 'table'
EXCEPT
SELECT t.name, c.name, c.type, c."notnull", c.dflt_value, c.pk
  FROM {1}.sqlite_schema AS t JOIN pragma_table_info(t.name, '{1}') AS c WHERE t.type = 'table'
""",
    """
SELECT i.tbl_name, i.name, c.seqno, c.name
  FROM {0}.sqlite_schema AS i JOIN pragma_index_info(i.name, '{0}') AS c WHERE i.type = 'index'
EXCEPT
SELECT i.tbl_name, i.name, c.seqno, c.name
  FROM {1}.sqlite_schema AS i JOIN pragma_index_info(i.name, '{1}') AS c WHERE i.type = 'index'
""",
)
CHANGED = """
SELECT {columns} FROM main.{table} AS due
JOIN standing.{table} AS found ON {same} AND {only_found}
WHERE {only_due} AND ({dues}) IS NOT ({founds})
ORDER BY {order} LIMIT {limit}
"""
ONLY_IN_ONE = """
SELECT {columns} FROM {one}.{table} AS {there}
LEFT JOIN {other}.{table} AS {away} ON {same} AND {only_away}
WHERE {only_there} AND {away}.{first} IS NULL
ORDER BY {order} LIMIT {limit}
"""


def differences(due: Path, found: Path) -> Iterator[Damage]:
    """`due` was made from the log; `found` is named where it differs, in order of the tables
    and so many times at most for each. Raises the driver's error where it cannot be read."""
    with closing(connect_to_read(due)) as connection:
        connection.execute("ATTACH ? AS standing", (str(found),))
        if strange := _strangely_made(connection):
            yield from strange
            return
        for table in COMPARED:
            for place, what in enumerate(_in_table(connection, table)):
                if place == AT_MOST:
                    yield Damage(f"directory.db, {table.name}", "differs in more than is named")
                    break
                yield Damage(f"directory.db, {table.name}", what)


def _strangely_made(connection: Connection) -> list[Damage]:
    ways = (("main", "standing"), ("standing", "main"))
    found = {
        row[0] for shape in SHAPES for way in ways for row in connection.execute(shape.format(*way))
    }
    what = "has other columns or indexes than this version makes"
    return [Damage(f"directory.db, {name}", what) for name in sorted(found)]


def _in_table(connection: Connection, table: sa.Table) -> Iterator[str]:
    asked = _Asked(table)
    for row in connection.execute(asked.changed()):
        half = len(row) // 2
        due = dict(zip(asked.names, row[:half], strict=True))
        for name, is_now in zip(asked.names, row[half:], strict=True):
            if is_now != due[name]:
                what = f"{name} is {_short(is_now)}, and follows from the log as"
                yield f"{_called(table, due)}: {what} {_short(due[name])}"
    for row in connection.execute(asked.only_in_one("main", "standing")):
        yield f"{_called(table, dict(zip(asked.names, row, strict=True)))}: is missing"
    for row in connection.execute(asked.only_in_one("standing", "main")):
        called = _called(table, dict(zip(asked.names, row, strict=True)))
        yield f"{called}: is there, and does not follow from the log"


class _Asked:
    """The statements for one table."""

    def __init__(self, table: sa.Table) -> None:
        self._table = table.name
        self._keys = [column.name for column in table.primary_key]
        left_out = LEFT_OUT.get(table.name, set())
        self.names = [column.name for column in table.columns if column.name not in left_out]
        self._only = ONLY.get(table.name, "true")
        self._same = " AND ".join(f"due.{key} = found.{key}" for key in self._keys)

    def changed(self) -> str:
        dues, founds = self._of("due"), self._of("found")
        return CHANGED.format(
            columns=f"{dues}, {founds}",
            table=self._table,
            same=self._same,
            only_due=self._only.format("due"),
            only_found=self._only.format("found"),
            dues=dues,
            founds=founds,
            order=self._order("due"),
            limit=AT_MOST + 1,
        )

    def only_in_one(self, one: str, other: str) -> str:
        there, away = ("due", "found") if one == "main" else ("found", "due")
        return ONLY_IN_ONE.format(
            columns=self._of(there),
            table=self._table,
            one=one,
            other=other,
            there=there,
            away=away,
            same=self._same,
            only_there=self._only.format(there),
            only_away=self._only.format(away),
            first=self._keys[0],
            order=self._order(there),
            limit=AT_MOST + 1,
        )

    def _of(self, which: str) -> str:
        return ", ".join(f"{which}.{name}" for name in self.names)

    def _order(self, which: str) -> str:
        return ", ".join(f"{which}.{key}" for key in self._keys)


def _called(table: sa.Table, row: Mapping[str, Any]) -> str:
    if table is schema.identifiers:
        return f"{row['kind']}:{row['value']} (subject {row['subject']})"
    return ", ".join(f"{key.name} {row[key.name]}" for key in table.primary_key)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
