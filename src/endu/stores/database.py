"""The registry's and the directory's databases: one engine, and migrations up to this code."""

from pathlib import Path
from typing import Literal

Which = Literal["registry", "directory"]


class DatabaseTooNew(Exception):
    """The file was written by a later Endu. The message says so, and what to do."""


def migrate(path: Path, which: Which) -> None:
    """Makes the file, or brings it up to this code; nothing where it is there already.

    Each step is one transaction: killed anywhere, the next call goes on from the last whole one.
    """
    raise NotImplementedError
