"""The one directory where everything is kept, and that only one server at a time works on."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from endu.announcements import CannotRun
from endu.stores.files import sync_names

# The door of a server that was killed is there a few milliseconds longer.
LET_GO_SECONDS = 1.0


class DataDirectory(Struct, frozen=True):
    """Where things are. `lock` is the descriptor of what keeps others out, -1 without."""

    root: Path
    lock: int = -1

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
    def ballast(self) -> Path:
        """Files that only take space, and are given back when it runs out."""
        return self.root / "ballast"

    @property
    def letting_go(self) -> Path:
        """Which old events are being let go of, as long as that lasts."""
        return self.root / "letting-go"

    @property
    def rebuilding(self) -> Path:
        """Where a rebuild makes directory and ledger anew before they take the old ones' place."""
        return self.root / "rebuilding"

    @property
    def verifying(self) -> Path:
        """Where verifying settles the log again, to compare."""
        return self.root / "verifying"


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
        yield DataDirectory(root, lock)
    finally:
        os.close(lock)


def write_privately(path: Path, text: str) -> None:
    """A new file that its owner alone may read, there as a whole or not at all. Returns once it
    would survive a power cut."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    sync_names(path.parent)


def _take(lock: int, root: Path) -> None:
    until = time.monotonic() + LET_GO_SECONDS
    while not _is_taken(lock):
        if time.monotonic() > until:
            raise CannotRun(
                f"Another Endu works on {root}; "
                "stop that one or choose another directory with --data."
            )
        time.sleep(LET_GO_SECONDS / 50)


def _is_taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
