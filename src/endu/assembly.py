"""Puts the house together: the only file that knows which store stands behind which port."""

import logging
import secrets
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing

import uvloop
from msgspec.structs import replace

from endu import upkeep
from endu.announcements import Announce, Progress, Rebuilt, Verified
from endu.door.starting import Door, open_door
from endu.erasing import (
    Erased,
    Remembering,
    erasing,
)
from endu.event_types.registrar import Registrar
from endu.events.letting_go import LettingGo
from endu.events.numbers import KnownNumbers
from endu.events.recorder import Recorder
from endu.events.replay import Replay
from endu.events.settler import Settler, nothing
from endu.events.settling import Settling, settling
from endu.garbage import search_seldom
from endu.letting_go import Keeping, Told, letting_go, letting_go_of
from endu.log_opening import OpenInbox, open_sealer
from endu.logs import set_up
from endu.organizations.beginning import Beginning, begin, make_operator_key
from endu.settings import Settings
from endu.settlers import note_first_property, now_ms, open_ledger, open_log, settler_of
from endu.stores import wal
from endu.stores.ballast import Ballast, make_room_to_start
from endu.stores.chdb_ledger import ChdbLedger
from endu.stores.data_directory import DataDirectory, hold, write_privately
from endu.stores.directory_file import Directory, open_directory
from endu.stores.sqlite_creations import SqliteCreations
from endu.stores.sqlite_directory import SqliteDirectory
from endu.stores.sqlite_failed import SqliteFailedEvents
from endu.stores.sqlite_people import SqlitePeople
from endu.stores.sqlite_position import SqlitePosition, SqliteProperties
from endu.stores.sqlite_registry import SqliteRegistry, nothing_changed, open_sqlite_registry
from endu.stores.sqlite_rules import SqliteRules
from endu.stores.swap import finish_swap
from endu.stores.trouble import of_the_disk
from endu.tending import Tended, tending
from endu.web.buckets import Rates
from endu.web.crowd import Reception, allow_connections
from endu.web.metrics import Metrics
from endu.web.parts import Parts
from endu.web.running import Running, run_until_told
from endu.web.server import address_of, listen
from endu.web.watch import Watch

logger = logging.getLogger(__name__)


def run(
    settings: Settings, announce: Announce, at_each_step: Callable[[str], None] = nothing
) -> None:
    """Serves until told to stop by a signal. Raises CannotRun; a part that died ends it too.
    `at_each_step` hears each step of settling as it is done."""
    set_up(settings.logs)
    uvloop.run(serve(settings, announce, at_each_step))


def verify(settings: Settings, progress: Progress, thorough: bool = False) -> Verified:
    """Reads everything back, with no server on the directory; where it is to be `thorough`, settles
    the log again and compares what comes of it. Raises CannotRun."""
    return uvloop.run(upkeep.verify(settings, progress, thorough))


def rebuild(settings: Settings, progress: Progress) -> Rebuilt:
    """Makes directory and ledger again from the log. Killed in the middle, it goes on from there
    when it is called again, and until it is done the old ones stay. Raises CannotRun."""
    return uvloop.run(upkeep.rebuild(settings, progress))


async def serve(
    settings: Settings, announce: Announce, at_each_step: Callable[[str], None] = nothing
) -> None:
    """The address before anything is begun: keys are shown once, and only where it can be had.
    The door before the ledger: a process with an open engine must not start another."""
    with hold(settings.data) as data, closing(listen(settings.host, settings.port)) as bound:
        make_room_to_start(data.root, Ballast(data.ballast))
        address = address_of(bound)
        reception = Reception(allow_connections(settings.connections), settings.proxies)
        async with (
            open_door(data, bound, settings.logs) as door,
            opened(data, settings, door, at_each_step) as running,
        ):
            bound.close()  # the door has it now
            search_seldom()
            await run_until_told(running, door, reception, address, announce)


@asynccontextmanager
async def open_endu(settings: Settings) -> AsyncIterator[Running]:
    """Everything but the door: the log is written by this process. Raises CannotRun."""
    with hold(settings.data) as data:
        async with opened(data, settings) as running:
            yield running


@asynccontextmanager
async def opened(
    data: DataDirectory,
    settings: Settings,
    door: Door | None = None,
    at_each_step: Callable[[str], None] = nothing,
) -> AsyncIterator[Running]:
    """Everything behind the door. Without one this process writes the log. Raises CannotRun."""
    async with AsyncExitStack() as stack:
        _look_over(data)
        registry = await _open_registry(stack, data, door)
        directory = stack.enter_context(open_directory(data.directory))
        ledger = stack.enter_context(open_ledger(data.ledger, settings))
        began = await _begin(settings, registry)
        await note_first_property(registry.organizations, directory)
        inbox = await open_log(stack, data, directory, ledger, door)
        settler = settler_of(inbox, directory, ledger, at_each_step)
        work = await stack.enter_async_context(settling(settler, inbox))
        log = await stack.enter_async_context(
            open_sealer(data, settings.segment_records, inbox, settler, at_each_step)
        )
        erased = Erased(data.inbox, directory, ledger, inbox, log)
        keeping = Keeping(registry.organizations, registry.catalog, data.letting_go)
        old = letting_go_of(erased, keeping, settler, work, at_each_step)
        tended = _tended(data, settings, erased, settler, work, door)
        watch = await stack.enter_async_context(tending(tended))
        metrics = Metrics([watch, Told(old)], door.counts if door else Counter)
        parts = replace(_parts(registry, directory, ledger, inbox, watch, old), metrics=metrics)
        parts = replace(parts, rates=door.rates) if door else parts  # it counts for both
        remembering = Remembering(parts.recorder.numbers, door.shared if door else None)
        await stack.enter_async_context(erasing(erased, remembering, at_each_step))
        await stack.enter_async_context(letting_go(old))
        yield Running(parts=parts, settling=work, began=began, dead=watch.dead)


def _look_over(data: DataDirectory) -> None:
    """Before any file of it is opened."""
    finish_swap(data.root)
    shutil.rmtree(data.verifying, ignore_errors=True)  # it has people in it, as they were then
    for path in (data.registry, data.inbox):  # what they hold is in no other place
        if lost := wal.damage(path):
            logger.error("%s: %s", path.name, lost)


def _tended(
    data: DataDirectory,
    settings: Settings,
    erased: Erased,
    settler: Settler,
    settling: Settling,
    door: Door | None,
) -> Tended:
    directory, inbox = erased.directory, erased.inbox
    return Tended(
        data=data,
        reserve_bytes=settings.disk_reserve_megabytes << 20,
        ledger=erased.ledger,
        inbox=inbox,
        position=SqlitePosition(directory.connection, directory.reader, inbox.source),
        settler=settler,
        settling=settling,
        shared=door.shared if door else None,
    )


async def _open_registry(
    stack: AsyncExitStack, data: DataDirectory, door: Door | None
) -> SqliteRegistry:
    changed = door.shared.registry_changed if door else nothing_changed
    registry = open_sqlite_registry(data.registry, changed)
    stack.push_async_callback(registry.close)
    return registry


async def _begin(settings: Settings, registry: SqliteRegistry) -> Beginning | None:
    """The first start's organization and keys; None at every later one."""
    if not settings.operator_key_file.exists():
        key = await make_operator_key(registry.keyring, now_ms(), secrets.token_bytes)
        write_privately(settings.operator_key_file, key)
    if registry.organizations.all():
        return None
    return await begin(registry.organizations, registry.keyring, now_ms(), secrets.token_bytes)


def _parts(
    registry: SqliteRegistry,
    directory: Directory,
    ledger: ChdbLedger,
    inbox: OpenInbox,
    watch: Watch,
    old: LettingGo,
) -> Parts:
    scramble, source = inbox.scramble, inbox.source
    people = SqliteDirectory(directory.reader)
    failed_events = SqliteFailedEvents(directory.connection, directory.reader)
    recorder = Recorder(registry.catalog, inbox, KnownNumbers(people), scramble)
    return Parts(
        organizations=registry.organizations,
        keyring=registry.keyring,
        catalog=registry.catalog,
        registrar=Registrar(registry.catalog, secrets.token_bytes),
        recorder=recorder,
        inbox=inbox,
        ledger=ledger,
        directory=people,
        people=SqlitePeople(directory.reader),
        rules=SqliteRules(directory.reader, directory.path, scramble, source, now_ms),
        failed_events=failed_events,
        erasures=directory.erasures,
        replay=Replay(failed_events, recorder, scramble, source),
        properties=SqliteProperties(directory.connection, directory.reader),
        scramble=scramble,
        identity_limits=people.limits_of,
        created_since=SqliteCreations(directory.reader, inbox).since,
        fresh=watch.fresh,
        why_not_ready=watch.why_not_ready,
        now_ms=now_ms,
        randomness=secrets.token_bytes,
        of_the_disk=of_the_disk,
        rates=Rates(now_ms),
        letting_go=old,
    )
