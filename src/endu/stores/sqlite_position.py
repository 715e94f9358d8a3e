"""The settler's position and the properties it came upon, in the directory's database."""

import asyncio
from collections.abc import Mapping

from endu.events.event import Seq
from endu.events.position import SetAside
from endu.organizations.organization import OrganizationId, Property, PropertyId
from endu.stores.sqlite import Connection, Reader
from endu.stores.sqlite_rows import transaction

MOVE = """
INSERT INTO position (source, watermark) VALUES (?, ?)
ON CONFLICT (source) DO UPDATE SET watermark = max(watermark, excluded.watermark)
"""
SET_ASIDE = """
INSERT INTO set_aside (seq, reason, at_ms) VALUES (?, ?, ?) ON CONFLICT (seq) DO NOTHING
"""
ASIDE = "SELECT seq, reason, at_ms FROM set_aside WHERE seq > ? ORDER BY seq LIMIT ?"

NOTE = """
INSERT INTO properties (organization_id, property_id, first_seen_ms) VALUES (?, ?, ?)
ON CONFLICT (organization_id, property_id)
DO UPDATE SET first_seen_ms = min(first_seen_ms, excluded.first_seen_ms)
"""
PROPERTIES = """
SELECT property_id, first_seen_ms
  FROM properties
 WHERE organization_id = ?
 ORDER BY first_seen_ms, property_id
"""

REMEMBERED = 100_000  # properties known to be noted: some 20 MB


class SqlitePosition:
    """For the settler, whose connection it uses; `aside` and `count_aside` for anyone."""

    def __init__(self, connection: Connection, reader: Reader, source: int) -> None:
        self._connection = connection
        self._reader = reader
        self._source = source

    async def watermark(self) -> Seq:
        asked = "SELECT watermark FROM position WHERE source = ?"
        row = self._connection.execute(asked, (self._source,)).fetchone()
        return Seq(row[0] if row else 0)

    async def move(self, watermark: Seq) -> None:
        await asyncio.to_thread(self._connection.execute, MOVE, (self._source, watermark))

    async def set_aside(self, record: SetAside) -> None:
        row = record.seq, record.reason, record.at_ms
        await asyncio.to_thread(self._connection.execute, SET_ASIDE, row)

    async def aside(self, after: int, limit: int) -> list[SetAside]:
        rows = await self._reader.read(lambda db: db.execute(ASIDE, (after, limit)).fetchall())
        return [SetAside(Seq(seq), reason, at_ms) for seq, reason, at_ms in rows]

    async def count_aside(self) -> int:
        counted = "SELECT count(*) FROM set_aside"
        return await self._reader.read(lambda db: int(db.execute(counted).fetchone()[0]))


class SqliteProperties:
    """`note` is for the settler, whose connection it uses; `of` for anyone."""

    def __init__(self, connection: Connection, reader: Reader) -> None:
        self._connection = connection
        self._reader = reader
        self._noted: dict[tuple[OrganizationId, PropertyId], int] = {}

    async def note(self, first_seen_ms: Mapping[tuple[OrganizationId, PropertyId], int]) -> None:
        noted = self._noted
        news = {key: at for key, at in first_seen_ms.items() if key not in noted or at < noted[key]}
        if not news:
            return
        async with transaction(self._connection):
            self._connection.executemany(NOTE, [(*key, at) for key, at in news.items()])
        if len(noted) > REMEMBERED:
            noted.clear()
        noted |= news

    async def of(self, organization_id: OrganizationId) -> list[Property]:
        rows = await self._reader.read(
            lambda db: db.execute(PROPERTIES, (organization_id,)).fetchall()
        )
        return [Property(PropertyId(name), first_seen_ms) for name, first_seen_ms in rows]
