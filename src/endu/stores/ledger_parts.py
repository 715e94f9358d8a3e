"""The parts of the ledger's tables on the disk: which are damaged, what heals them, how large they
are, and whether they are merged.

A disk that was full can leave a part that counts its rows and cannot be read. The parts it was
merged from lie beside it for eight minutes (`old_parts_lifetime`), and a table that is attached
again finds them. What even that does not heal is taken out of the table and lies detached: a mark
that rows are missing, which outlives a crash, until they were brought back from the log.
"""

import logging
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import msgspec
from clickhouse_connect.driver.exceptions import Error
from msgspec import Struct

from endu.events.ledger import LostPart
from endu.stores.chdb_writer import Writer
from endu.stores.ledger_bare import BARE_EVENTS
from endu.stores.ledger_numbers import BROUGHT_NUMBERS
from endu.stores.ledger_tables import EVENTS, OWNER_CHANGES, VISIT_CHANGES

logger = logging.getLogger(__name__)

WATCHED = (EVENTS, BARE_EVENTS, OWNER_CHANGES, VISIT_CHANGES)

# What is older was looked at before, by the process before this one: trouble is seen within
# seconds. Reading everything at each start is for `endu verify`.
PROBED_SECONDS = 24 * 3600

# One that an erasure left without rows has files without bytes.
INSERTED_PARTS = """
SELECT name, path
  FROM system.parts
 WHERE concat(database, '.', table) = {table:String} AND active AND level = 0 AND rows > 0
"""
YOUNG_PARTS = """
SELECT name
  FROM system.parts
 WHERE concat(database, '.', table) = {table:String} AND active
   AND modification_time > (
       SELECT max(modification_time) FROM system.parts
        WHERE concat(database, '.', table) = {table:String} AND active
   ) - {seconds:UInt32}
"""
LARGEST_PART = "SELECT max(bytes_on_disk) FROM system.parts WHERE database = 'endu' AND active"
DETACHED_PARTS = """
SELECT concat(database, '.', table) AS whole, name
  FROM system.detached_parts
 WHERE database = 'endu' AND whole IN {tables:Array(String)}
"""

NO_SUCH_PART = 232  # merged into another one meanwhile


class _Part(Struct, frozen=True):
    """A line of what CHECK TABLE answers."""

    part_path: str
    is_passed: int
    message: str


_read_parts = msgspec.json.Decoder(_Part).decode_lines

Pause = Callable[[], AbstractContextManager[None]]


class LedgerParts:
    """`pauses` let no question run while they are entered: a table that is being attached is not
    there."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._pauses: tuple[Pause, ...] = ()
        self._checked: dict[str, set[str]] = {}  # inserted parts, for files without bytes
        self._probed: dict[str, set[str]] = {table: set() for table in WATCHED}
        self.healed = 0
        self.lost_parts = 0

    def pause_with(self, *pauses: Pause) -> None:
        self._pauses = pauses

    async def largest(self) -> int:
        rows = await self._writer.in_thread(self._writer.read, LARGEST_PART)
        return int(rows[0][0])

    async def stop_merges(self) -> None:
        await self._writer.in_thread(self._writer.command, "SYSTEM STOP MERGES")

    async def start_merges(self) -> None:
        await self._writer.in_thread(self._writer.command, "SYSTEM START MERGES")

    async def damaged(self) -> list[tuple[str, str]]:
        """Reads every byte of the tables: the parts that are not as they were written, and why."""
        return [
            (f"{table} {part.part_path}", part.message)
            for table in (*WATCHED, BROUGHT_NUMBERS)
            for part in await self._writer.in_thread(self._check, table, "")
            if not part.is_passed
        ]

    async def mend(self) -> None:
        """Looks through the parts that it has not looked through before."""
        for table in WATCHED:
            unreadable = await self._unreadable(table)
            if unreadable:
                await self._writer.in_thread(self._heal, table, unreadable)

    async def lost(self) -> list[LostPart]:
        found = await self._writer.in_thread(
            lambda: self._writer.read(DETACHED_PARTS, tables=list(WATCHED))
        )
        return [LostPart(table, name) for table, name in found]

    async def forget(self, lost: Sequence[LostPart]) -> None:
        for part in lost:
            statement = f"ALTER TABLE {part.table} DROP DETACHED PART '{part.name}'"
            await self._writer.in_thread(
                self._writer.command, f"{statement} SETTINGS allow_drop_detached = 1"
            )
            self.lost_parts += 1

    def drop_damaged(self, table: str) -> list[str]:
        """chDB said OK after a write that had failed, and reading back found the rows in its
        memory; a file without bytes in the part's folder missed no such case. Such a part is
        dropped, so that its rows are seen to be missing and come again. In the writer's thread."""
        parts: dict[str, str] = dict(self._writer.read(INSERTED_PARTS, table=table))
        unchecked = parts.keys() - self._checked.get(table, set())
        damaged = [name for name in unchecked if _has_an_empty_file(Path(parts[name]))]
        for name in damaged:
            logger.error("Dropping %s of %s: a write of it failed unnoticed", name, table)
            self._writer.command(f"ALTER TABLE {table} DROP PART '{name}'")
        self._checked[table] = set(parts)
        return damaged

    async def _unreadable(self, table: str) -> list[str]:
        """Part by part, so that whoever writes waits for one at most."""
        asked = {"table": table, "seconds": PROBED_SECONDS}
        names = await self._writer.in_thread(lambda: self._writer.read(YOUNG_PARTS, **asked))
        there = {name for (name,) in names}
        unreadable = []
        for name in sorted(there - self._probed[table]):
            for part in await self._writer.in_thread(self._check_part, table, name):
                if not part.is_passed:
                    logger.error("%s of %s cannot be read: %s", name, table, part.message)
                    unreadable.append(name)
        self._probed[table] = there - set(unreadable)
        return unreadable

    def _heal(self, table: str, unreadable: Sequence[str]) -> None:
        """In the writer's thread: nothing is written meanwhile."""
        with ExitStack() as stack:
            for pause in self._pauses:
                stack.enter_context(pause())
            self._writer.command(f"DETACH TABLE {table}")
            self._writer.command(f"ATTACH TABLE {table}")
        for name in unreadable:
            still = [part for part in self._check_part(table, name) if not part.is_passed]
            if still:
                self._writer.command(f"ALTER TABLE {table} DETACH PART '{name}'")
                logger.error("%s was taken out of %s: its rows are missing", name, table)
            else:
                logger.warning("%s was attached again, without %s", table, name)
                self.healed += 1

    def _check_part(self, table: str, name: str) -> list[_Part]:
        """Nothing of one that is not there any more."""
        try:
            return self._check(table, f"PART '{name}'")
        except Error as problem:
            if problem.code == NO_SUCH_PART:
                return []
            raise

    def _check(self, table: str, which: str) -> list[_Part]:
        check = f"CHECK TABLE {table} {which} SETTINGS check_query_single_value_result = 0"
        return _read_parts(self._writer.run(lambda c: c.raw_query(check, fmt="JSONEachRow")))


def _has_an_empty_file(part: Path) -> bool:
    try:
        with os.scandir(part) as files:
            return any(file.stat().st_size == 0 for file in files)
    except FileNotFoundError:  # merged into another part and gone meanwhile
        return False
