"""The whole log settled again beside what is there, and the two compared: whatever follows from
the log is found where it reads otherwise.

What is there is not changed. A copy of its directory is settled on to the end of the log, as the
next start would do, since the last batch may be there in part.
"""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

from msgspec import Struct

from endu.announcements import CannotRun, Damage, Progress
from endu.erasing import must_not_be_under_way
from endu.events.ledger import LedgerDamaged
from endu.events.rebuild import rebuild
from endu.garbage import search_seldom
from endu.log_opening import SOURCE
from endu.settings import Settings
from endu.settlers import note_first_property, open_ledger, settler_of
from endu.stores.data_directory import DataDirectory
from endu.stores.directory_differences import differences
from endu.stores.directory_file import copy_directory, open_directory
from endu.stores.disk import space_of
from endu.stores.ledger_rows import ReadAs, compare_brought, compare_rows, read_rows
from endu.stores.log_search import LogFile
from endu.stores.registry_file import read_registry
from endu.stores.sqlite_position import SqlitePosition
from endu.stores.standing_log import StandingLog

COPIED = "found.db"
AT_MOST = 20  # pieces of the ledger are named

# A ledger that is loaded at once has for a while, beside its parts, those that they were merged
# from.
TIMES_LEDGER, TIMES_DIRECTORY = 3, 2


class Standing(Struct, frozen=True):
    """What was settled before: rows of the ledger, and who was forgotten."""

    rows: ReadAs
    settled: int
    forgot: list[str]


@contextmanager
def room_to_settle_again(data: DataDirectory) -> Iterator[None]:
    """An empty directory for as long as the block lasts. Raises CannotRun where too little space
    is free."""
    shutil.rmtree(data.verifying, ignore_errors=True)  # of one that was killed
    needed = TIMES_LEDGER * _size_of(data.ledger) + TIMES_DIRECTORY * data.directory.stat().st_size
    free = space_of(data.root).bytes_free
    if free < needed:
        raise CannotRun(
            f"Settling the log again needs {needed >> 20:,} MB in {data.verifying}, and "
            f"{free >> 20:,} are free; make space, or verify without --thorough."
        )
    data.verifying.mkdir()
    try:
        yield
    finally:
        shutil.rmtree(data.verifying)


async def differences_from_log(
    data: DataDirectory, settings: Settings, progress: Progress
) -> tuple[Damage, ...]:
    """Nothing else is wrong with directory, ledger and log. Raises CannotRun, LogUnreadable and
    what storage raises."""
    copied = data.verifying / COPIED
    with closing(StandingLog(data.inbox)) as log:
        try:
            standing, damage = await _look_at_what_stands(data, settings, log)
        except LedgerDamaged as problem:
            return (Damage("ledger", str(problem)),)
        copy_directory(data.directory, copied)
        due = await _settle_again(data, settings, log, standing, progress)
    damage += islice(compare_rows(due, standing.rows), AT_MOST)
    damage += differences(data.verifying / data.directory.name, copied)
    return tuple(damage)


async def _look_at_what_stands(
    data: DataDirectory, settings: Settings, log: StandingLog
) -> tuple[Standing, list[Damage]]:
    """One engine is open at a time: what the ledger reads as is kept in short."""
    with open_directory(data.directory) as directory, open_ledger(data.ledger, settings) as ledger:
        position = SqlitePosition(directory.connection, directory.reader, SOURCE)
        settled = await position.watermark()
        forgot = await directory.erasures.organizations()
        rows = await read_rows(ledger, log, settled, forgot)
        brought = await compare_brought(ledger, directory.reader)
    return Standing(rows, settled, forgot), brought


async def _settle_again(
    data: DataDirectory,
    settings: Settings,
    log: StandingLog,
    standing: Standing,
    progress: Progress,
) -> ReadAs:
    """Makes directory and ledger anew, and settles the copy on with that ledger, which has the
    rows of the last batch already."""
    with (
        open_directory(data.verifying / data.directory.name) as anew,
        open_ledger(data.verifying / data.ledger.name, settings) as ledger,
    ):
        search = LogFile(data.inbox, log.scramble, log.source)
        await anew.erasures.restore(await search.erasures())
        search_seldom()
        await rebuild(settler_of(log, anew, ledger), log, progress)
        await must_not_be_under_way(anew)
        with open_directory(data.verifying / COPIED) as found:
            await rebuild(settler_of(log, found, ledger), log, progress)
            if data.registry.exists():
                organizations = read_registry(data.registry).organizations
                await note_first_property(organizations, anew)
                await note_first_property(organizations, found)
        return await read_rows(ledger, log, standing.settled, standing.forgot)


def _size_of(directory: Path) -> int:
    return sum(file.stat().st_size for file in directory.rglob("*") if file.is_file())
