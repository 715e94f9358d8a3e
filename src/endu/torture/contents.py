"""`python -m endu.torture.contents DATA`: what everything in a data directory reads as, in one
line. Two directories with the same line hold the same, whatever their unused bytes are."""

import asyncio
import hashlib
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from endu.stores.chdb_handles import Limits
from endu.stores.chdb_ledger import open_chdb_ledger
from endu.stores.data_directory import DataDirectory
from endu.stores.sqlite import connect

TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
LEDGER_TABLES = """
SELECT name, engine LIKE 'Replacing%'
  FROM system.tables
 WHERE database = 'endu' AND engine LIKE '%MergeTree'
 ORDER BY name
"""


def main() -> None:
    data = DataDirectory(Path(sys.argv[1]))
    digest = hashlib.blake2b(digest_size=16)
    for part in (*_files(data), *asyncio.run(_ledger(data))):
        digest.update(repr(part).encode())
    print(digest.hexdigest())


def _files(data: DataDirectory) -> Iterator[Any]:
    for path in (data.inbox, data.registry, data.directory):
        with closing(connect(path)) as connection:
            yield connection.execute("PRAGMA integrity_check").fetchall()
            for (table,) in connection.execute(TABLES).fetchall():
                yield table
                yield from connection.execute(f'SELECT * FROM "{table}"')
    for path in sorted((data.root / "segments").glob("**/*")):
        if path.is_file():
            yield path.name, path.read_bytes()


async def _ledger(data: DataDirectory) -> list[Any]:
    """Rows that replace each other count as the ledger's readers see them."""
    found: list[Any] = []
    with open_chdb_ledger(data.ledger, Limits()) as ledger:
        for name, replaces in await ledger.ask(LEDGER_TABLES, {}):
            final = "FINAL" if replaces else ""
            sql = f"SELECT count(), sum(cityHash64(*)) FROM endu.{name} {final}"
            found += [name, *await ledger.ask(sql, {})]
    return found


if __name__ == "__main__":
    main()
