"""Owners and visits as the directory has them and as the ledger has them, for who compares them."""

from collections.abc import Mapping
from typing import Any

from clickhouse_connect.driver.exceptions import Error

from endu.events.ledger import Ledger, LedgerDamaged, TooDear
from endu.events.whose import Said, Whose
from endu.stores.ledger_tables import OWNER_CHANGES, VISIT_CHANGES
from endu.stores.sqlite import Reader

OWNERS = """
SELECT subject, identity, version FROM owners WHERE subject > ? ORDER BY subject LIMIT ?
"""
VISITS = "SELECT seq, subject, version FROM visits WHERE seq > ? ORDER BY seq LIMIT ?"

CHANGES = """
SELECT {of}, argMax({whose}, version), max(version) AS newest
  FROM {table}
 WHERE {of} > {{after:UInt64}} AND {of} <= {{until:UInt64}}
 GROUP BY {of}
 ORDER BY {of}
"""
NEWEST = "SELECT max(version) FROM {table}"

OWNER_NAMES = {"of": "subject", "whose": "identity", "table": OWNER_CHANGES}
VISIT_NAMES = {"of": "seq", "whose": "subject", "table": VISIT_CHANGES}


def owners_and_visits(reader: Reader, ledger: Ledger) -> tuple[Whose, Whose]:
    return (
        Whose(
            lambda subject: f"owner of subject {subject}",
            _InSqlite(reader, OWNERS),
            _InLedger(ledger, OWNER_NAMES),
        ),
        Whose(
            lambda seq: f"visit of record {seq}",
            _InSqlite(reader, VISITS),
            _InLedger(ledger, VISIT_NAMES),
        ),
    )


class _InSqlite:
    def __init__(self, reader: Reader, sql: str) -> None:
        self._reader = reader
        self._sql = sql

    async def page(self, after: int, limit: int) -> list[Said]:
        rows = await self._reader.read(lambda db: db.execute(self._sql, (after, limit)).fetchall())
        return [Said(*row) for row in rows]


class _InLedger:
    def __init__(self, ledger: Ledger, names: Mapping[str, str]) -> None:
        self._ledger = ledger
        self._names = names

    async def version(self) -> int:
        ((newest,),) = await self._ask(NEWEST, {})
        return int(newest)

    async def between(self, after: int, until: int) -> list[Said]:
        rows = await self._ask(CHANGES, {"after": after, "until": until})
        return [Said(*row) for row in rows]

    async def _ask(self, sql: str, values: Mapping[str, int]) -> list[tuple[Any, ...]]:
        try:
            return await self._ledger.ask(sql.format(**self._names), values)
        except (Error, TooDear) as problem:
            table = self._names["table"]
            raise LedgerDamaged(f"{table} cannot be read: {problem}") from problem
