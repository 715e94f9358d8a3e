"""Puts together what erases people: out of the directory and the ledger, the log and the files."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from endu.announcements import CannotRun
from endu.door.numbers import SharedNumbers
from endu.events.erasing import ForgettingResolver
from endu.events.erasures import Carrying, carry_out_pending, remember_erasures
from endu.events.inbox import Inbox
from endu.events.keeping import LogEraser
from endu.events.numbers import KnownNumbers
from endu.events.settler import nothing
from endu.identities.resolver import Resolver
from endu.ids import Scramble
from endu.log_opening import OpenInbox
from endu.stores.chdb_ledger import ChdbLedger
from endu.stores.data_directory import DataDirectory
from endu.stores.directory_file import Directory
from endu.stores.log_search import LogFile
from endu.stores.sealer import Sealer
from endu.stores.sqlite_casebook import SqliteCasebook


class Mixed(Inbox, Protocol):
    """An inbox that says with which secret its numbers are mixed."""

    @property
    def scramble(self) -> Scramble: ...


def resolver_of(directory: Directory, ledger: ChdbLedger, inbox: Mixed) -> ForgettingResolver:
    """Who is who, and who is no more."""
    return ForgettingResolver(
        Resolver(SqliteCasebook(directory.connection), inbox.scramble, inbox.source),
        directory.erasures,
        ledger,
        ledger.eraser(inbox.source),
    )


async def remember_from_log(data: DataDirectory, directory: Directory, inbox: OpenInbox) -> None:
    """Before a log is settled from its beginning: who was erased stays so."""
    search = LogFile(data.inbox, inbox.scramble, inbox.source)
    with closing(Sealer(data.inbox, inbox, 1, nothing)) as log:
        await remember_erasures(search, log, directory.erasures)


async def must_not_be_under_way(directory: Directory) -> None:
    """Log and ledger differ until it is done. Raises CannotRun."""
    if await directory.erasures.pending():
        raise CannotRun("An erasure is under way: let `endu up` finish it, then verify.")


class Erased(Struct, frozen=True):
    """What is erased from. `path` is the log's file."""

    path: Path
    directory: Directory
    ledger: ChdbLedger
    inbox: OpenInbox
    log: LogEraser


class Remembering(Struct, frozen=True):
    """Who remembers numbers that were known. `shared` is None where there is no door."""

    numbers: KnownNumbers
    shared: SharedNumbers | None

    def forget(self) -> None:
        self.numbers.forget()
        if self.shared is not None:
            self.shared.registry_changed()  # the door reads everything again, remembering nothing


@asynccontextmanager
async def erasing(
    erased: Erased, remembering: Remembering, at_each_step: Callable[[str], None]
) -> AsyncIterator[None]:
    """Carries out what was asked for until the block is left; what is not done by then is gone on
    with at the next start. `at_each_step` hears each step as it is done."""
    inbox = erased.inbox
    carrying = Carrying(
        erasures=erased.directory.erasures,
        search=LogFile(erased.path, inbox.scramble, inbox.source),
        inbox=inbox,
        log=erased.log,
        ledger=erased.ledger.eraser(inbox.source),
        now_ms=lambda: time.time_ns() // 1_000_000,
        forgotten=remembering.forget,
        at_each_step=at_each_step,
    )
    work = asyncio.create_task(carry_out_pending(carrying), name="erasing")
    try:
        yield
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
