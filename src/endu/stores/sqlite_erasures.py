"""Erasures in the directory's database: what is left to be carried out, and what was."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from endu.events.erasing import Theirs
from endu.events.erasures import Erasure, Restored
from endu.events.event import Seq
from endu.identities.identifier import Subject
from endu.organizations.organization import OrganizationId
from endu.stores.casebook_sql import OF_IDENTITY
from endu.stores.sqlite import Connection, Reader, connect
from endu.stores.sqlite_directory import GIVEN_AWAY, VISITING
from endu.stores.sqlite_forgetting import add_places, pack, unpack

IDENTITY = f"SELECT {OF_IDENTITY}"
SUBJECTS = """
SELECT subject FROM identifiers WHERE subject = :identity
UNION
SELECT subject FROM identifiers WHERE identity = :identity AND identity <> subject
"""

COLUMNS = """seq, organization_id, asked_at_ms, names, subjects, plan, planned, counts,
       done_at_ms"""
PENDING = f"SELECT {COLUMNS} FROM erasures WHERE done_at_ms IS NULL ORDER BY seq"
ONE = f"SELECT {COLUMNS} FROM erasures WHERE organization_id = ? AND seq = ?"
ALL = f"""
SELECT {COLUMNS} FROM erasures WHERE organization_id = ? AND seq > ? ORDER BY seq LIMIT ?
"""
PLACES = "SELECT seq FROM erased_places WHERE asked = ? ORDER BY seq"

FORGET_FAILED = """
DELETE FROM failed_events WHERE seq IN (SELECT seq FROM erased_places WHERE asked = ?)
"""
FOUND = "UPDATE erasures SET counts = ? WHERE seq = ?"
PLANNED = "UPDATE erasures SET planned = 1, names = '[]' WHERE seq = ?"
DONE = "UPDATE erasures SET done_at_ms = ?, counts = ? WHERE seq = ?"
NO_PLACES = "DELETE FROM erased_places WHERE asked = ?"
RESTORE = f"""
INSERT OR IGNORE INTO erasures ({COLUMNS}) VALUES (?, ?, ?, '[]', '[]', ?, 1, ?, ?)
"""

WASHING_SECONDS = 0.05  # between two tries, while somebody reads an old state of the file


class SqliteErasures:
    """Fits the ports `ErasureBook` and `Erasures`. Writes on a connection of its own, a moment at a
    time beside the settler's."""

    def __init__(self, path: Path, reader: Reader) -> None:
        self._connection = connect(path)
        self._connection.execute("PRAGMA secure_delete = 1")
        self._reader = reader
        self._writing = asyncio.Lock()
        self._forgot = asyncio.Event()
        self._one_done = asyncio.Event()

    def forgot(self) -> None:
        self._forgot.set()

    async def arrival(self) -> None:
        await self._forgot.wait()
        self._forgot.clear()

    async def theirs(self, subject: Subject) -> Theirs:
        def work(db: Connection) -> Theirs:
            (identity,) = db.execute(IDENTITY, {"subject": subject}).fetchone()
            asked = {"identity": identity}
            return Theirs(*(_firsts(db, sql, asked) for sql in (SUBJECTS, VISITING, GIVEN_AWAY)))

        return await self._reader.read(work)

    async def places(self, asked: int) -> list[Seq]:
        return await self._reader.read(lambda db: _firsts(db, PLACES, (asked,)))

    async def subjects(self, asked: int) -> list[Subject]:
        sql = "SELECT value FROM erasures, json_each(erasures.subjects) WHERE seq = ?"
        return await self._reader.read(lambda db: _firsts(db, sql, (asked,)))

    async def organizations(self) -> list[str]:
        """Where anybody was erased."""
        sql = "SELECT DISTINCT organization_id FROM erasures ORDER BY organization_id"
        return await self._reader.read(lambda db: _firsts(db, sql, ()))

    async def pending(self) -> list[Erasure]:
        return await self._erasures(PENDING, ())

    async def find(self, organization_id: OrganizationId, seq: int) -> Erasure | None:
        found = await self._erasures(ONE, (organization_id, seq))
        return found[0] if found else None

    async def all(self, organization_id: OrganizationId, after: int, limit: int) -> list[Erasure]:
        return await self._erasures(ALL, (organization_id, after, limit))

    async def found(self, asked: int, places: Sequence[Seq], counts: Mapping[str, int]) -> None:
        def work(db: Connection) -> None:
            add_places(db, asked, places)
            db.execute(FORGET_FAILED, (asked,))
            db.execute(FOUND, (json.dumps(dict(counts)), asked))

        await self._write(work)

    async def planned(self, asked: int) -> None:
        await self._write(lambda db: db.execute(PLANNED, (asked,)))

    async def done(self, asked: int, at_ms: int, counts: Mapping[str, int]) -> None:
        def work(db: Connection) -> None:
            db.execute(DONE, (at_ms, json.dumps(dict(counts)), asked))
            db.execute(NO_PLACES, (asked,))

        await self._write(work)
        self._one_done.set()
        self._one_done = asyncio.Event()

    async def until_done(self, organization_id: OrganizationId, seq: int) -> Erasure | None:
        while True:
            one_done = self._one_done
            found = await self.find(organization_id, seq)
            if found is None or found.done_at_ms is not None:
                return found
            await one_done.wait()

    async def restore(self, found: Sequence[Restored]) -> None:
        def work(db: Connection) -> None:
            for each in found:
                row = (each.asked, each.organization_id, each.asked_at_ms, pack(each.plan),
                       json.dumps(each.counts), each.done_at_ms)  # fmt: skip
                db.execute(RESTORE, row)
                if each.done_at_ms is None:
                    add_places(db, each.asked, each.places)

        await self._write(work)

    async def wash(self) -> None:
        """Empties the WAL: what was deleted is gone from the file, too, once that is done."""
        while await asyncio.to_thread(self._wash):
            await asyncio.sleep(WASHING_SECONDS)

    def close(self) -> None:
        self._connection.close()

    def _wash(self) -> bool:
        busy, *_ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return bool(busy)

    async def _erasures(self, sql: str, values: Any) -> list[Erasure]:
        rows = await self._reader.read(lambda db: db.execute(sql, values).fetchall())
        return [_erasure_of(row) for row in rows]

    async def _write(self, work: Callable[[Connection], Any]) -> None:
        async with self._writing:
            await asyncio.to_thread(self._in_transaction, work)

    def _in_transaction(self, work: Callable[[Connection], Any]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            work(self._connection)
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise


def _firsts(db: Connection, sql: str, values: Any) -> list[Any]:
    return [row[0] for row in db.execute(sql, values)]


def _erasure_of(row: tuple[Any, ...]) -> Erasure:
    seq, organization_id, asked_at_ms, names, subjects, plan, planned, counts, done_at_ms = row
    return Erasure(
        asked=seq,
        organization_id=OrganizationId(organization_id),
        asked_at_ms=asked_at_ms,
        names=frozenset(json.loads(names)),
        subjects=frozenset(json.loads(subjects)),
        plan=unpack(plan),
        planned=bool(planned),
        counts=json.loads(counts),
        done_at_ms=done_at_ms,
    )
