"""The ledger in chDB: ClickHouse inside this process, one directory, one process at a time.

`ledger/engine` is chDB's, `ledger/temporary` holds the files that inserts pass through.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pyarrow as pa
from clickhouse_connect.driver.exceptions import Error
from msgspec.structs import replace

from endu.events.event import BareEvent, Seq
from endu.events.ledger import (
    NUMBERS,
    OWNERS,
    VISITS,
    Answered,
    BroughtNumber,
    LedgerDamaged,
    OwnerChange,
    SettledEvent,
    Table,
    VisitChange,
)
from endu.stores.chdb_engine import Client, NoForking, client_of
from endu.stores.chdb_handles import OF_LONG, OF_SQL, Asked, Limits, Readers, Rows
from endu.stores.chdb_writer import Writer
from endu.stores.ledger_bare import BARE_EVENTS, BARE_TABLES, SEEN, piece_of_bare_events
from endu.stores.ledger_erasing import ChdbEraser
from endu.stores.ledger_numbers import BROUGHT_NUMBERS, NUMBER_TABLES, arrow_of_numbers
from endu.stores.ledger_parts import WATCHED, LedgerParts
from endu.stores.ledger_tables import (
    EVENTS,
    OWNER_CHANGES,
    PIECE,
    TABLES,
    VISIT_CHANGES,
    arrow_of_owners,
    arrow_of_visits,
    piece_of_events,
)
from endu.turns import in_turns

# Rows of one insert of owners: half of what ClickHouse puts into one part, so that it is there
# whole or not at all.
CHANGES_AT_ONCE = 500_000

# Sized for two cores and a few hundred megabytes; by default chDB plans for a server. Merges let
# recording and settling go first, where the process may set priorities. However much of it is
# broken, the engine starts: the log has all of it.
CONFIG = """<clickhouse>
    <tmp_path>{temporary}/</tmp_path>
    <background_pool_size>2</background_pool_size>
    <background_schedule_pool_size>4</background_schedule_pool_size>
    <background_common_pool_size>2</background_common_pool_size>
    <background_move_pool_size>1</background_move_pool_size>
    <background_fetches_pool_size>1</background_fetches_pool_size>
    <os_threads_nice_value_merge_mutate>15</os_threads_nice_value_merge_mutate>
    <mark_cache_size>67108864</mark_cache_size>
    <uncompressed_cache_size>0</uncompressed_cache_size>
    <merge_tree>
        <old_parts_lifetime>480</old_parts_lifetime>
        <max_suspicious_broken_parts>1000000</max_suspicious_broken_parts>
        <max_suspicious_broken_parts_bytes>1000000000000000</max_suspicious_broken_parts_bytes>
    </merge_tree>
</clickhouse>
"""

# Of one batch: a second thread would cost more than it reads.
TOTALS = """
SELECT count(), sum(check)
  FROM {table}
 WHERE source = {{source:UInt16}} AND seq BETWEEN {{first:UInt64}} AND {{last:UInt64}}
SETTINGS max_threads = 1
"""
PLACES = """
SELECT seq, check
  FROM {table}
 WHERE source = {{source:UInt16}} AND seq BETWEEN {{first:UInt64}} AND {{last:UInt64}}
 ORDER BY seq
"""


PieceOf: TypeAlias = Callable[[int, Sequence[SettledEvent]], pa.RecordBatch]


class _Appended(NamedTuple):
    """Of one insert: its log, its first and last place, the sum of its check sums."""

    source: int
    first: int
    last: int
    checks: int


class ChdbLedger:
    """For event loops. Questions have handles of their own; everything else has one thread and one
    handle, so that nothing writes beside it."""

    def __init__(self, open_client: Callable[[], Client], limits: Limits) -> None:
        self._writer = Writer(open_client)
        self.parts = LedgerParts(self._writer)
        for statement in (*TABLES, *BARE_TABLES, *NUMBER_TABLES):
            self._writer.command(statement)
        self._greatest: dict[int, int] = {}  # place of each source, where it is known for sure
        self._stale = {OWNERS, VISITS}
        self._leaving = asyncio.Lock()  # rows go out, or are laid bare: one thing at a time
        for table in WATCHED:
            self.parts.drop_damaged(table)
        self._short = Readers(open_client, limits)
        self._long = Readers(open_client, replace(limits, **OF_LONG))
        self._sql = Readers(open_client, replace(limits, **OF_SQL))
        self._readers = (self._short, self._long, self._sql)
        self.parts.pause_with(*(readers.paused for readers in self._readers))

    def eraser(self, source: int) -> ChdbEraser:
        """For the rows of that log."""
        return ChdbEraser(self._writer, self.parts, self._leaving, source)

    async def append(self, source: int, rows: Sequence[SettledEvent]) -> None:
        bare = [row for row in rows if isinstance(row.event, BareEvent)]
        whole = [row for row in rows if not isinstance(row.event, BareEvent)] if bare else rows
        await self._append_to(EVENTS, source, whole, piece_of_events)
        await self._append_to(BARE_EVENTS, source, bare, piece_of_bare_events)

    async def present(self, source: int, first: Seq, last: Seq) -> set[int]:
        rows = await self.checks(source, first, last)
        rows += await self.bare_checks(source, first, last)
        return {seq for seq, _ in rows}

    async def set_owners(self, changes: Sequence[OwnerChange]) -> None:
        for piece in _pieces(changes):
            self._stale.add(OWNERS)
            await self._writer.in_thread(self._insert, OWNER_CHANGES, arrow_of_owners(piece))

    async def set_visits(self, changes: Sequence[VisitChange]) -> None:
        for piece in _pieces(changes):
            self._stale.add(VISITS)
            await self._writer.in_thread(self._insert, VISIT_CHANGES, arrow_of_visits(piece))

    async def set_numbers(self, numbers: Sequence[BroughtNumber]) -> None:
        await self._writer.in_thread(self._insert, BROUGHT_NUMBERS, arrow_of_numbers(numbers))
        await self._writer.in_thread(self._writer.command, f"SYSTEM RELOAD DICTIONARY {NUMBERS}")

    async def versions(self) -> tuple[int, int]:
        (owners,), (visits,) = [
            (await self._writer.in_thread(self._writer.read, f"SELECT max(version) FROM {table}"))[
                0
            ]
            for table in (OWNER_CHANGES, VISIT_CHANGES)
        ]
        return owners, visits

    async def refresh(self) -> None:
        for dictionary in list(self._stale):  # one that nothing was written for is as it was
            await self._writer.in_thread(
                self._writer.command, f"SYSTEM RELOAD DICTIONARY {dictionary}"
            )
            self._stale.discard(dictionary)

    async def ask(self, sql: str, values: Mapping[str, Any]) -> Rows:
        return (await self._short.answer(sql, values)).rows

    async def answer(self, sql: str, values: Mapping[str, Any]) -> Answered:
        return await self._long.answer(sql, values)

    async def table(self, sql: str, values: Mapping[str, Any]) -> Table:
        return await self._sql.table(sql, values)

    async def last(self, source: int) -> int:
        """The greatest place that is there; 0 without any."""
        greatest = f"SELECT max(seq) FROM {SEEN} WHERE source = {{source:UInt16}}"
        rows = await self._writer.in_thread(partial(self._writer.read, greatest, source=source))
        self._greatest[source] = int(rows[0][0])
        return self._greatest[source]

    async def checks(self, source: int, first: int, last: int) -> Rows:
        """(seq, check) of each row in the range, in order; twice what is there twice. Raises
        LedgerDamaged where they cannot be read."""
        return await self._checks(EVENTS, source, first, last)

    async def bare_checks(self, source: int, first: int, last: int) -> Rows:
        """The same of what is left of events that were let go of."""
        return await self._checks(BARE_EVENTS, source, first, last)

    async def _checks(self, table: str, source: int, first: int, last: int) -> Rows:
        sql = PLACES.format(table=table)
        asked = partial(self._writer.read, sql, source=source, first=first, last=last)
        try:
            return await self._writer.in_thread(asked)
        except Error as problem:
            raise LedgerDamaged(f"{first} to {last} cannot be read: {problem}") from problem

    @property
    def questions(self) -> Asked:
        return self._short.asked + self._long.asked + self._sql.asked

    async def largest(self) -> int:
        """As Writing.largest."""
        return await self.parts.largest()

    async def spare_disk(self) -> None:
        """As Writing.spare_disk."""
        await self.parts.stop_merges()
        await asyncio.gather(*(readers.spare_disk() for readers in self._readers))

    async def use_disk(self) -> None:
        """As Writing.use_disk."""
        for readers in self._readers:
            readers.use_disk()
        await self.parts.start_merges()

    async def damaged_parts(self) -> list[tuple[str, str]]:
        """Reads every byte of the tables: the parts that are not as they were written, and why."""
        return await self.parts.damaged()

    def close(self) -> None:
        for readers in self._readers:
            readers.close()
        self._writer.close()

    async def _append_to(
        self, table: str, source: int, rows: Sequence[SettledEvent], piece_of: PieceOf
    ) -> None:
        if rows:
            pieces = [piece_of(source, piece) async for piece in in_turns(rows, PIECE)]
            columns = pa.Table.from_batches(pieces)
            seqs = [row.seq for row in rows]
            appended = _Appended(source, min(seqs), max(seqs), sum([row.check for row in rows]))
            await self._writer.in_thread(self._append, table, columns, appended)

    def _append(self, table: str, columns: pa.Table, appended: _Appended) -> None:
        """Behind the greatest place there can be nothing yet: nobody else writes here. An insert
        that fails may have written, though, so after one it has to be asked for."""
        source, first, last, checks = appended
        greatest = self._greatest.pop(source, None)
        nothing_yet = greatest is not None and first > greatest
        before = (0, 0) if nothing_yet else self._totals(table, source, first, last)
        self._insert(table, columns)
        expected = before[0] + columns.num_rows, before[1] + checks
        found = self._totals(table, source, first, last)
        if found != expected:
            raise LedgerDamaged(f"{first} to {last}: {found} in place of {expected} (rows, checks)")
        if greatest is not None:
            self._greatest[source] = max(greatest, last)

    def _insert(self, table: str, rows: pa.Table) -> None:
        self._writer.run(lambda client: client.insert_arrow(table, rows))
        if damaged := self.parts.drop_damaged(table):
            raise LedgerDamaged(f"A write failed unnoticed in {', '.join(damaged)} of {table}")

    def _totals(self, table: str, source: int, first: int, last: int) -> tuple[int, int]:
        sql = TOTALS.format(table=table)
        count, checks = self._writer.read(sql, source=source, first=first, last=last)[0]
        return count, checks


def _pieces(changes: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """In order, cut between two versions: the greatest version that is there is there whole."""
    start = 0
    while start < len(changes):
        end = min(start + CHANGES_AT_ONCE, len(changes))
        while end < len(changes) and changes[end].version == changes[end - 1].version:
            end += 1
        yield changes[start:end]
        start = end


@contextmanager
def open_chdb_ledger(directory: Path, limits: Limits) -> Iterator[ChdbLedger]:
    """Opens the engine for this process, or makes it; blocks for half a second."""
    directory.mkdir(exist_ok=True)
    temporary = directory / "temporary"
    shutil.rmtree(temporary, ignore_errors=True)  # left behind by a kill
    temporary.mkdir()
    # Always a config of ours: a config.xml in the working directory would be picked up.
    config = directory / "engine.xml"
    config.write_text(CONFIG.format(temporary=temporary.resolve()))
    engine = str((directory / "engine").resolve())
    before, tempfile.tempdir = tempfile.tempdir, str(temporary.resolve())
    guard = NoForking()
    pa.set_memory_pool(pa.system_memory_pool())  # Arrow's own keeps 15 MB of what it is done with
    try:
        with closing(
            ChdbLedger(lambda: client_of(engine, str(config.resolve())), limits)
        ) as ledger:
            yield ledger
    finally:
        guard.lift()
        tempfile.tempdir = before
