"""Opens the log for whoever settles it: the inbox, wherever it is written, and its sealed end."""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from typing import TypeAlias

from endu.announcements import CannotRun
from endu.door.inbox import DoorsInbox
from endu.door.starting import Door
from endu.events.sealing import sealing
from endu.events.settler import Settler
from endu.stores.data_directory import DataDirectory
from endu.stores.sealer import Sealer
from endu.stores.segments import Segments
from endu.stores.sqlite_inbox import SqliteInbox, open_sqlite_inbox

OpenInbox: TypeAlias = SqliteInbox | DoorsInbox

SOURCE = 0  # the one inbox of an embedded Endu


def open_inbox(
    data: DataDirectory, settled: int, door: Door | None
) -> AbstractAsyncContextManager[OpenInbox]:
    """No new record may take a place that was ever settled or sealed, whatever became of the
    inbox. Without a door this process writes it. Raises CannotRun."""
    sealed = Segments(data.root).end()
    if sealed and not data.inbox.exists():
        raise CannotRun(
            f"{data.inbox} is missing, and with it the log behind {sealed}: put it back, or "
            "restore a backup into another directory with `endu restore`."
        )
    randomness, floor = secrets.token_bytes(16), max(settled, sealed)
    if door:
        return door.log(randomness, SOURCE, floor)
    return open_sqlite_inbox(data.inbox, randomness, SOURCE, floor)


@asynccontextmanager
async def open_sealer(
    data: DataDirectory,
    segment_records: int,
    inbox: OpenInbox,
    settler: Settler,
    at_each_step: Callable[[str], None],
) -> AsyncIterator[Sealer]:
    """Seals what is settled and old until the block is left. It erases, too."""
    with closing(Sealer(data.inbox, inbox, segment_records, at_each_step)) as sealer:
        async with sealing(sealer, lambda: settler.watermark):
            yield sealer
