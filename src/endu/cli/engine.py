"""The engine behind `up`, `verify`, `rebuild` and `restore`, loaded when one of them is asked for.

Loading it takes a second (chDB, Arrow, SQLAlchemy, Litestar). The other commands only talk
to a running server, and should answer at once.
"""

from importlib import import_module
from typing import Protocol, cast

from endu.announcements import Announce, Progress, Rebuilt, Verified
from endu.settings import Settings


class Engine(Protocol):
    """What the command line asks of `endu.assembly`. Every method raises CannotRun."""

    def run(self, settings: Settings, announce: Announce) -> None:
        """Returns when the server was told to end, and has."""

    def verify(
        self, settings: Settings, progress: Progress, thorough: bool = False
    ) -> Verified: ...

    def rebuild(self, settings: Settings, progress: Progress) -> Rebuilt: ...


def load_engine() -> Engine:
    return cast(Engine, import_module("endu.assembly"))
