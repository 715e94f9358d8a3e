"""Puts together what settles the log, over one directory and one ledger."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, AsyncExitStack
from pathlib import Path

from endu.door.starting import Door
from endu.erasing import Mixed, remember_from_log, resolver_of
from endu.events.settler import Parts, Settler, nothing
from endu.events.visits import Visits
from endu.log_opening import SOURCE, OpenInbox, open_inbox
from endu.organizations.beginning import property_of_first
from endu.organizations.organization import Organizations
from endu.settings import Settings
from endu.stores.chdb_handles import Limits
from endu.stores.chdb_ledger import ChdbLedger, open_chdb_ledger
from endu.stores.data_directory import DataDirectory
from endu.stores.directory_file import Directory
from endu.stores.sqlite_failed import SqliteFailedEvents
from endu.stores.sqlite_position import SqlitePosition, SqliteProperties
from endu.stores.sqlite_visits import SqliteOwners, SqliteVisitBook
from endu.stores.trouble import of_storage


def settler_of(
    inbox: Mixed,
    directory: Directory,
    ledger: ChdbLedger,
    at_each_step: Callable[[str], None] = nothing,
) -> Settler:
    connection, reader = directory.connection, directory.reader
    parts = Parts(
        inbox=inbox,
        resolver=resolver_of(directory, ledger, inbox),
        ledger=ledger,
        owners=SqliteOwners(directory.reading),
        visits=Visits(SqliteVisitBook(connection, directory.reading), ledger),
        failed=SqliteFailedEvents(connection, reader),
        properties=SqliteProperties(connection, reader),
        position=SqlitePosition(connection, reader, inbox.source),
        scramble=inbox.scramble,
    )
    return Settler(parts, now_ms, of_storage, at_each_step)


def open_ledger(directory: Path, settings: Settings) -> AbstractContextManager[ChdbLedger]:
    """As open_chdb_ledger, with the bounds that the settings name."""
    limits = Limits(
        seconds=settings.question_seconds, memory_bytes=settings.question_megabytes << 20
    )
    return open_chdb_ledger(directory, limits)


async def open_log(
    stack: AsyncExitStack,
    data: DataDirectory,
    directory: Directory,
    ledger: ChdbLedger,
    door: Door | None,
) -> OpenInbox:
    """To be settled from where directory and ledger stand. Raises CannotRun."""
    watermark = await SqlitePosition(directory.connection, directory.reader, SOURCE).watermark()
    settled = max(watermark, await ledger.last(SOURCE))
    inbox = await stack.enter_async_context(open_inbox(data, settled, door))
    if not watermark and inbox.end:
        await remember_from_log(data, directory, inbox)
    return inbox


async def note_first_property(organizations: Organizations, directory: Directory) -> None:
    """What no record of the log says: noting it again changes nothing."""
    properties = SqliteProperties(directory.connection, directory.reader)
    await properties.note(property_of_first(organizations))


def now_ms() -> int:
    return time.time_ns() // 1_000_000
