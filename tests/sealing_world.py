"""A log in a directory, and what is asked of it in the tests of sealing, erasing and copying."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from msgspec import Struct

from endu.events.event import Seq
from endu.events.frame import Frame
from endu.events.inbox import NotDurable
from endu.stores.log_reader import LogReader
from endu.stores.sealer import Sealer
from endu.stores.segments import Segments
from endu.stores.sqlite_inbox import SqliteInbox, open_sqlite_inbox
from tests.log_world import an_entry, an_event


class Log(Struct, frozen=True):
    """Open, with who keeps it; `steps` are those of sealing and erasing that were done."""

    root: Path
    inbox: SqliteInbox
    sealer: Sealer
    steps: list[str]

    async def append(self, frames: int, each: int = 10) -> None:
        """Each record of its own: whose it is tells which one it is."""
        for n in range(frames):
            names = [f"discord:{self.inbox.end + k}" for k in range(1, each + 1)]
            await self.inbox.append(
                [an_entry(an_event(identifiers=(name,)), f"{n} {name}") for name in names]
            )

    async def seal_all(self) -> None:
        while await self.sealer.seal_once(self.inbox.end):
            pass


@asynccontextmanager
async def open_log(root: Path, segment_records: int = 100) -> AsyncIterator[Log]:
    steps: list[str] = []
    async with open_sqlite_inbox(root / "inbox.db", bytes(16)) as inbox:
        with closing(Sealer(root / "inbox.db", inbox, segment_records, steps.append)) as sealer:
            yield Log(root, inbox, sealer, steps)


class DropsHalf:
    """A keeper that dies in the middle of dropping."""

    def __init__(self, inbox: SqliteInbox) -> None:
        self._inbox = inbox

    async def drop(self, until: Seq) -> None:
        await self._inbox.drop(Seq(until - 50))
        raise NotDurable

    async def erase(self, places: Sequence[Seq]) -> None:
        raise NotDurable


async def seal_by_half(log: Log) -> None:
    """The next segment counts, but half of it is still in the inbox."""
    log.sealer._keeper = DropsHalf(log.inbox)
    with pytest.raises(NotDurable):
        await log.sealer.seal_once(log.inbox.end)
    log.sealer._keeper = log.inbox


def frames_of(root: Path, after: int = 0) -> list[Frame]:
    with closing(LogReader(root / "inbox.db")) as reader:
        return list(reader.frames(after))


def sealed_up_to(root: Path) -> int:
    with closing(LogReader(root / "inbox.db")) as reader:
        return reader.sealed()


def files_of(root: Path) -> list[str]:
    return sorted(path.name for path in Segments(root).directory.iterdir())


def places(numbers: Sequence[int]) -> list[Seq]:
    return [Seq(number) for number in numbers]
