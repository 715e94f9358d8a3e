"""Taking rows out of the ledger for good: out of answers first, then out of every file. Of events
that are let go of, what identity needs stays, in the table of bare ones."""

import asyncio
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa

from endu.events.event import Seq
from endu.events.ledger import NUMBERS, LedgerDamaged
from endu.identities.identifier import Subject
from endu.stores.chdb_writer import Writer
from endu.stores.files import sync_names
from endu.stores.ledger_bare import BARE_EVENTS, LAY_BARE
from endu.stores.ledger_numbers import BROUGHT_NUMBERS
from endu.stores.ledger_parts import LedgerParts
from endu.stores.ledger_tables import EVENTS

# A list of its own, whatever its length: what a statement says stays on the disk for a while.
# One for each purpose: what a crash left of the one list must not be taken for the other.
ERASING, LETTING_GO = "endu.erasing", "endu.letting_go"
MAKE_LIST = """
CREATE TABLE IF NOT EXISTS {list} (source UInt16, seq UInt64)
ENGINE = MergeTree ORDER BY seq SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"""

LISTED = "(source, seq) IN (SELECT source, seq FROM {list})"
LEFT = f"SELECT count() FROM {{table}} WHERE {LISTED}"
ERASE = f"ALTER TABLE {{table}} DELETE WHERE {LISTED}"

TO_LET_GO = LISTED.format(list=LETTING_GO)
BARE_THERE = f"(SELECT source, seq FROM {BARE_EVENTS} WHERE {TO_LET_GO})"
LAY_MISSING = f"{LAY_BARE} WHERE {TO_LET_GO} AND (source, seq) NOT IN {BARE_THERE}"
# Whatever else comes to pass: a row goes where what is left of it is there.
LET_GO = f"ALTER TABLE {EVENTS} DELETE WHERE {TO_LET_GO} AND (source, seq) IN {BARE_THERE}"
NOT_LAID = f"""
SELECT count() FROM {EVENTS} WHERE {TO_LET_GO} AND (source, seq) NOT IN {BARE_THERE}"""
UNDER_WAY = """
SELECT count() FROM system.mutations
 WHERE concat(database, '.', table) IN {tables:Array(String)} AND NOT is_done
"""
OLD_PARTS = """
SELECT path, refcount FROM system.parts
 WHERE concat(database, '.', table) IN {tables:Array(String)} AND NOT active
"""
TABLES = [EVENTS, BARE_EVENTS, BROUGHT_NUMBERS]

LOOK_SECONDS = 0.02
WITHIN_SECONDS = 120.0  # a part of some ten million rows is written again in about ten


class StillThere(OSError):
    """The engine has not let go of what is to be erased; to be tried again."""


class ChdbEraser:
    """Fits the ports `LedgerEraser` and `RowsLetGo`. `leaving` is held while rows leave: those of
    a person who is erased must not be laid bare meanwhile."""

    def __init__(
        self, writer: Writer, parts: LedgerParts, leaving: asyncio.Lock, source: int
    ) -> None:
        self._writer = writer
        self._parts = parts
        self._leaving = leaving
        self._source = source

    async def erase(self, places: Sequence[Seq], subjects: Sequence[Subject]) -> None:
        async with self._leaving:
            await self._writer.in_thread(self._erase, places, subjects)
            await self._until(self._is_done)
            await self._writer.in_thread(self._writer.command, f"TRUNCATE TABLE {ERASING}")
            reload = f"SYSTEM RELOAD DICTIONARY {NUMBERS}"
            await self._writer.in_thread(self._writer.command, reload)

    async def let_go(self, places: Sequence[Seq]) -> None:
        async with self._leaving:
            await self._writer.in_thread(self._let_go, places)
            await self._until(self._is_done)
            await self._writer.in_thread(self._writer.command, f"TRUNCATE TABLE {LETTING_GO}")

    async def wash(self) -> None:
        """Parts that were written again lie beside the new ones for minutes: they are removed as
        soon as no question reads them any more. The engine takes that as it is."""
        await self._until(self._has_no_old_parts)

    def _erase(self, places: Sequence[Seq], subjects: Sequence[Subject]) -> None:
        self._list(ERASING, places)
        for table in (EVENTS, BARE_EVENTS):
            if places and self._left(table, ERASING):
                self._writer.command(ERASE.format(table=table, list=ERASING))
        if subjects:
            theirs = ", ".join(str(int(subject)) for subject in subjects)
            erase = f"ALTER TABLE {BROUGHT_NUMBERS} DELETE WHERE subject IN ({theirs})"
            self._writer.command(erase)

    def _let_go(self, places: Sequence[Seq]) -> None:
        self._list(LETTING_GO, places)
        if not self._left(EVENTS, LETTING_GO):
            return
        self._writer.command(LAY_MISSING)
        damaged = self._parts.drop_damaged(BARE_EVENTS)
        if damaged or self._writer.read(NOT_LAID)[0][0]:
            raise LedgerDamaged("What is left of old events was not written as a whole")
        self._writer.command(LET_GO)

    def _list(self, name: str, places: Sequence[Seq]) -> None:
        self._writer.command(MAKE_LIST.format(list=name))
        rows = pa.table(
            {
                "source": pa.array([self._source] * len(places), pa.uint16()),
                "seq": pa.array(places, pa.uint64()),
            }
        )
        if places:
            self._writer.run(lambda client: client.insert_arrow(name, rows))

    def _left(self, table: str, listed: str) -> int:
        return int(self._writer.read(LEFT.format(table=table, list=listed))[0][0])

    def _is_done(self) -> bool:
        return not self._writer.read(UNDER_WAY, tables=TABLES)[0][0]

    def _has_no_old_parts(self) -> bool:
        read = False
        for path, refcount in self._writer.read(OLD_PARTS, tables=TABLES):
            if refcount > 1:
                read = True
            elif (part := Path(path)).exists():
                shutil.rmtree(part)
                sync_names(part.parent)
        return not read

    async def _until(self, done: Callable[[], bool]) -> None:
        """The engine tells of neither: it has to be looked at."""
        loop = asyncio.get_running_loop()
        until = loop.time() + WITHIN_SECONDS
        while not await self._writer.in_thread(done):
            if loop.time() > until:
                raise StillThere("The ledger's engine has not let go of what is to be erased.")
            await asyncio.sleep(LOOK_SECONDS)
