"""`python -m endu.torture.contents DATA`: what everything in a data directory reads as, in two
lines. Two directories with the same first line hold the same, whatever their unused bytes are; with
the same second one they answer the same.

Versions of owners and visits, and the numbers of the journal's lines, only put things in order: a
greater one than need be has the ledger told once more, and is no difference. The second line knows
no order of rows, and leaves out what counts batches: the journal, and that somebody's subject
became somebody else's and then their own again. The log is its records there, wherever they lie.
"""

import asyncio
import hashlib
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from msgspec import Struct

from endu.events.frame import read_frame
from endu.stores.chdb_handles import Limits
from endu.stores.chdb_ledger import open_chdb_ledger
from endu.stores.data_directory import DataDirectory
from endu.stores.log_reader import LogReader
from endu.stores.sqlite import Connection, connect

TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
COLUMNS = "SELECT name FROM pragma_table_info(?) ORDER BY cid"
ORDERING = {("owners", "version"), ("visits", "version"), ("journal", "change_id")}
READ_OF = {
    "events": "*, device_only",
    "owner_changes": "* EXCEPT (version)",
    "visit_changes": "* EXCEPT (version)",
}
LEDGER_TABLES = """
SELECT name, engine LIKE 'Replacing%'
  FROM system.tables
 WHERE database = 'endu' AND engine LIKE '%MergeTree'
 ORDER BY name
"""

# Of the second line: which rows count.
COUNTS = {
    "owners": "subject <> identity",
    "owner_changes": "subject <> identity",
    "visits": "subject <> 0",
    "visit_changes": "subject <> 0",
    "journal": "false",
    "frames": "false",
    "meta": "name NOT IN ('sealed', 'reserved')",
}


class Digests(Struct, frozen=True):
    """What two lines are made of."""

    exact: Any
    loose: Any

    def update(self, exact: object, loose: object) -> None:
        self.exact.update(repr(exact).encode())
        self.loose.update(repr(loose).encode())


def main() -> None:
    data = DataDirectory(Path(sys.argv[1]))
    digests = Digests(hashlib.blake2b(digest_size=16), hashlib.blake2b(digest_size=16))
    _read_files(data, digests)
    asyncio.run(_read_ledger(data, digests))
    print(digests.exact.hexdigest())
    print(digests.loose.hexdigest())


def _read_files(data: DataDirectory, digests: Digests) -> None:
    for path in (data.inbox, data.registry, data.directory):
        with closing(connect(path)) as connection:
            checked = connection.execute("PRAGMA integrity_check").fetchall()
            digests.update(checked, checked)
            for (table,) in connection.execute(TABLES).fetchall():
                counting = set(_rows(connection, table, COUNTS.get(table, "true")))
                digests.update(
                    [table, *_rows(connection, table, "true")], sorted(map(repr, counting))
                )
    for path in sorted((data.root / "segments").glob("**/*")):
        if path.is_file():
            digests.exact.update(repr((path.name, path.read_bytes())).encode())
    with closing(LogReader(data.inbox)) as log:
        for frame in log.frames(0):
            digests.loose.update(repr(read_frame(frame)).encode())


def _rows(connection: Connection, table: str, counts: str) -> list[tuple[Any, ...]]:
    named = [name for (name,) in connection.execute(COLUMNS, (table,))]
    columns = [f'"{name}"' for name in named if (table, name) not in ORDERING]
    sql = f'SELECT {", ".join(columns)} FROM "{table}" WHERE {counts}'
    return list(connection.execute(sql))


async def _read_ledger(data: DataDirectory, digests: Digests) -> None:
    """Rows that replace each other count as the ledger's readers see them."""
    with open_chdb_ledger(data.ledger, Limits()) as ledger:
        for name, replaces in await ledger.ask(LEDGER_TABLES, {}):
            final = "FINAL" if replaces else ""
            read = f"SELECT count(), sum(cityHash64({READ_OF.get(name, '*')}))"
            every, counting = [
                await ledger.ask(f"{read} FROM endu.{name} {final} WHERE {counts}", {})
                for counts in ("true", COUNTS.get(name, "true"))
            ]
            digests.update((name, every), (name, counting))


if __name__ == "__main__":
    main()
