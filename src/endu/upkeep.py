"""`endu verify` and `endu rebuild`: on a directory that no server runs on."""

from contextlib import AsyncExitStack, closing
from pathlib import Path

from msgspec.structs import replace
from sqlalchemy.exc import SQLAlchemyError

from endu.announcements import CannotRun, Damage, Progress, Rebuilt, Verified
from endu.erasing import must_not_be_under_way
from endu.events.rebuild import rebuild as settle_again
from endu.events.verify import ToVerify
from endu.events.verify import verify as read_back
from endu.garbage import search_seldom
from endu.log_opening import SOURCE
from endu.settings import Settings
from endu.settled_again import differences_from_log, room_to_settle_again
from endu.settlers import open_ledger, open_log, settler_of
from endu.stores.data_directory import DataDirectory, hold
from endu.stores.directory_file import open_directory
from endu.stores.directory_soundness import wrong_values
from endu.stores.letting_go_file import read_plan
from endu.stores.log_reader import LogReader
from endu.stores.registry_marks import wrong_rows
from endu.stores.soundness import unsound
from endu.stores.sqlite import Error, connect_to_inspect
from endu.stores.sqlite_position import SqlitePosition
from endu.stores.swap import finish_swap, swap_in
from endu.stores.whose import owners_and_visits


async def verify(settings: Settings, progress: Progress, thorough: bool) -> Verified:
    """As `assembly.verify`. The log is settled again only where nothing else is found: damage in
    it would be found once more in everything that follows from it."""
    with hold(_existing(settings)) as data:
        finish_swap(data.root)
        if thorough and data.letting_go.exists():
            raise CannotRun("Old events are being let go of: let `endu up` finish it, then verify.")
        wrong = [Damage(data.registry.name, what) for what in unsound(data.registry, wrong_rows)]
        found = await _verify(data, settings, progress, thorough and not wrong)
        return replace(found, damage=(*wrong, *found.damage))


async def rebuild(settings: Settings, progress: Progress) -> Rebuilt:
    """As `assembly.rebuild`."""
    async with AsyncExitStack() as stack:
        data = stack.enter_context(hold(_existing(settings)))
        finish_swap(data.root)
        data.rebuilding.mkdir(exist_ok=True)
        async with AsyncExitStack() as new:
            directory = new.enter_context(open_directory(data.rebuilding / data.directory.name))
            ledger = new.enter_context(open_ledger(data.rebuilding / data.ledger.name, settings))
            inbox = await open_log(new, data, directory, ledger, None)
            search_seldom()
            done = await settle_again(settler_of(inbox, directory, ledger), inbox, progress)
        swap_in(data.root)
        return done


async def _verify(
    data: DataDirectory, settings: Settings, progress: Progress, thorough: bool
) -> Verified:
    problems = unsound(data.directory, wrong_values)
    if not problems:
        try:
            found = await _read_back(data, settings, progress)
            if found.damage or not thorough:
                return found
            with room_to_settle_again(data):
                differences = await differences_from_log(data, settings, progress)
            return replace(found, damage=differences)
        except (Error, SQLAlchemyError) as problem:
            problems = [f"cannot be read: {problem}"]
    found = await _read_back_without_directory(data, settings, progress)
    damage = [Damage(data.directory.name, problem) for problem in problems]
    return replace(found, damage=(*damage, *found.damage))


async def _read_back(data: DataDirectory, settings: Settings, progress: Progress) -> Verified:
    with open_directory(data.directory) as directory:
        await must_not_be_under_way(directory)
        position = SqlitePosition(directory.connection, directory.reader, SOURCE)
        with (
            open_ledger(data.ledger, settings) as ledger,
            closing(LogReader(data.inbox, connect_to_inspect)) as log,
        ):
            whose = owners_and_visits(directory.reader, ledger)
            what = ToVerify(log, ledger, position, SOURCE, whose, _leaving(data))
            return await read_back(what, progress)


async def _read_back_without_directory(
    data: DataDirectory, settings: Settings, progress: Progress
) -> Verified:
    with (
        open_ledger(data.ledger, settings) as ledger,
        closing(LogReader(data.inbox, connect_to_inspect)) as log,
    ):
        what = ToVerify(log, ledger, None, SOURCE, leaving=_leaving(data))
        return await read_back(what, progress)


def _leaving(data: DataDirectory) -> frozenset[int]:
    """Places of events that are being let go of."""
    plan = read_plan(data.letting_go)
    return frozenset(plan.events) if plan else frozenset()


def _existing(settings: Settings) -> Path:
    if not (settings.data / DataDirectory(settings.data).inbox.name).exists():
        raise CannotRun(f"{settings.data} holds no Endu; name its directory with --data.")
    return settings.data
