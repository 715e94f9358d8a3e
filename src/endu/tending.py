"""Puts together what looks after a running Endu: its disk, its ledger's parts, its gauges."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial

from msgspec import Struct

from endu.door.inbox import DoorsInbox
from endu.door.numbers import SharedNumbers
from endu.events.healing import Healing, Settled
from endu.events.position import Position
from endu.events.settler import Settler
from endu.events.settling import Settling
from endu.stores.ballast import Ballast
from endu.stores.chdb_ledger import ChdbLedger
from endu.stores.data_directory import DataDirectory
from endu.stores.disk import space_of
from endu.stores.disk_watch import DiskWatch, watching
from endu.stores.sqlite_inbox import SqliteInbox
from endu.web.watch import Behind, Watch

Told = Iterator[tuple[str, str, float]]


class Tended(Struct, frozen=True, kw_only=True):
    """What is looked after. `shared` is None where this process writes the log itself."""

    data: DataDirectory
    reserve_bytes: int
    ledger: ChdbLedger
    inbox: SqliteInbox | DoorsInbox
    position: Position
    settler: Settler
    settling: Settling
    shared: SharedNumbers | None


@asynccontextmanager
async def tending(tended: Tended) -> AsyncIterator[Watch]:
    """For as long as it is entered. There has been a first look at the disk when it is."""
    parts, shared = tended.ledger.parts, tended.shared
    healing = Healing(parts, Settled(tended.inbox, tended.ledger, tended.position), tended.settler)

    def tell(closed: bool) -> None:
        if shared is not None:
            shared.closed = closed

    disk = DiskWatch(
        look=partial(space_of, tended.data.root),
        reserve_bytes=tended.reserve_bytes,
        ballast=Ballast(tended.data.ballast),
        ledger=tended.ledger,
        heal=healing.heal,
        tell=tell,
    )
    watch = Watch(
        Behind(
            inbox=tended.inbox,
            settling=tended.settling,
            disk=disk,
            log_alive=lambda: tended.inbox.alive,
            now=time.monotonic,
            gauges=partial(_gauges, tended),
            counts=partial(_counts, tended, healing),
        )
    )
    async with watching(disk), watch.following():
        yield watch


def _gauges(tended: Tended) -> Told:
    questions = tended.ledger.questions
    yield "endu_reader_handles", "Handles of the ledger that questions have.", questions.handles
    yield "endu_questions_running", "Questions that the ledger works on.", questions.running
    yield "endu_questions_waiting", "Questions that wait for a handle.", questions.waiting


def _counts(tended: Tended, healing: Healing) -> Told:
    parts, shared = tended.ledger.parts, tended.shared
    if shared is not None:
        yield "endu_connections_turned_away", "There was no room for them.", shared.turned_away
        yield "endu_commits", "Commits of the log.", shared.commits
        yield "endu_commit_seconds", "What all of them took.", shared.commit_seconds
    yield "endu_questions_refused", "For too many at once.", tended.ledger.questions.refused
    yield "endu_ledger_parts_healed", "Unreadable, then attached again.", parts.healed
    yield "endu_ledger_parts_lost", "Unreadable, and taken out.", parts.lost_parts
    yield "endu_ledger_brought_back", "Events from the log for lost parts.", healing.brought_back
