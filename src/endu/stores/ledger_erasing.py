"""Taking rows out of the ledger for good: out of answers first, then out of every file."""

import asyncio
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa

from endu.events.event import Seq
from endu.events.ledger import NUMBERS
from endu.identities.identifier import Subject
from endu.stores.chdb_writer import Writer
from endu.stores.files import sync_names
from endu.stores.ledger_numbers import BROUGHT_NUMBERS
from endu.stores.ledger_tables import EVENTS

# A list of its own, whatever its length: what a statement says stays on the disk for a while.
ERASING = "endu.erasing"
MAKE_ERASING = f"""
CREATE TABLE IF NOT EXISTS {ERASING} (source UInt16, seq UInt64)
ENGINE = MergeTree ORDER BY seq SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"""

LEFT = f"SELECT count() FROM {EVENTS} WHERE (source, seq) IN (SELECT source, seq FROM {ERASING})"
ERASE = f"ALTER TABLE {EVENTS} DELETE WHERE (source, seq) IN (SELECT source, seq FROM {ERASING})"
UNDER_WAY = """
SELECT count() FROM system.mutations
 WHERE concat(database, '.', table) IN {tables:Array(String)} AND NOT is_done
"""
OLD_PARTS = """
SELECT path, refcount FROM system.parts
 WHERE concat(database, '.', table) IN {tables:Array(String)} AND NOT active
"""
TABLES = [EVENTS, BROUGHT_NUMBERS]

LOOK_SECONDS = 0.02
WITHIN_SECONDS = 120.0  # a part of some ten million rows is written again in about ten


class StillThere(OSError):
    """The engine has not let go of what is to be erased; to be tried again."""


class ChdbEraser:
    """Fits the port `LedgerEraser`."""

    def __init__(self, writer: Writer, source: int) -> None:
        self._writer = writer
        self._source = source

    async def erase(self, places: Sequence[Seq], subjects: Sequence[Subject]) -> None:
        await self._writer.in_thread(self._begin, places, subjects)
        await self._until(self._is_done)
        await self._writer.in_thread(self._writer.command, f"TRUNCATE TABLE {ERASING}")
        await self._writer.in_thread(self._writer.command, f"SYSTEM RELOAD DICTIONARY {NUMBERS}")

    async def wash(self) -> None:
        """Parts that were written again lie beside the new ones for minutes: they are removed as
        soon as no question reads them any more. The engine takes that as it is."""
        await self._until(self._has_no_old_parts)

    def _begin(self, places: Sequence[Seq], subjects: Sequence[Subject]) -> None:
        self._writer.command(MAKE_ERASING)
        rows = pa.table(
            {
                "source": pa.array([self._source] * len(places), pa.uint16()),
                "seq": pa.array(places, pa.uint64()),
            }
        )
        if places:
            self._writer.run(lambda client: client.insert_arrow(ERASING, rows))
        if places and self._writer.read(LEFT)[0][0]:
            self._writer.command(ERASE)
        if subjects:
            theirs = ", ".join(str(int(subject)) for subject in subjects)
            erase = f"ALTER TABLE {BROUGHT_NUMBERS} DELETE WHERE subject IN ({theirs})"
            self._writer.command(erase)

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
