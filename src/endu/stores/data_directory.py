"""The one directory where everything is kept, and that only one server at a time works on."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from endu.announcements import CannotRun


class DataDirectory(Struct, frozen=True):
    root: Path

    @property
    def inbox(self) -> Path:
        """The young end of the log: what cannot be made again from anything else."""
        return self.root / "inbox.db"

    @property
    def registry(self) -> Path:
        """Organizations, keys, event types: primary as well."""
        return self.root / "registry.db"

    @property
    def directory(self) -> Path:
        """Who goes by which identifier: follows from the log."""
        return self.root / "directory.db"

    @property
    def ledger(self) -> Path:
        """Settled events: follow from the log."""
        return self.root / "ledger"

    @property
    def rebuilding(self) -> Path:
        """Where a rebuild makes directory and ledger anew before they take the old ones' place."""
        return self.root / "rebuilding"


@contextmanager
def hold(root: Path) -> Iterator[DataDirectory]:
    """Makes the directory where it is missing, and keeps every other server out of it.

    Raises CannotRun. The lock is the kernel's, on an open file: it ends with the process, however
    that ends.
    """
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as problem:
        raise CannotRun(
            f"{root} cannot be written ({problem.strerror}); choose another directory with --data "
            "or make this one yours."
        ) from problem
    try:
        _take(lock, root)
        yield DataDirectory(root)
    finally:
        os.close(lock)


def _take(lock: int, root: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as problem:
        raise CannotRun(
            f"Another Endu works on {root}; stop that one or choose another directory with --data."
        ) from problem
