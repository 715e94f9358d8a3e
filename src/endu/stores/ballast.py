"""Files that only take space, and are given back when it runs out: so that what was begun can be
brought to its end (a commit, a checkpoint, a batch), whoever filled the disk."""

import os
import shutil
from pathlib import Path

from endu.announcements import CannotRun
from endu.stores.disk import BYTES_TO_START, FILES_TO_START, space_of, too_little_to_start

FILES = 64  # as many inodes, too
# A WAL of the directory grows to 32 MB, one of the log to 4 MB, and a batch takes a few.
BYTES = 64 << 20
# Giving it back must not look as if somebody had made space.
SHARE_OF_RESERVE = 2


class Ballast:
    """In one directory of its own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        there = directory.iterdir() if directory.exists() else ()
        self.bytes = sum(file.stat().st_size for file in there)  # what giving it back would free

    def take(self, size: int) -> None:
        """Makes it of so many bytes, a multiple of FILES. Raises OSError, with none of it there."""
        self._directory.mkdir(exist_ok=True)
        try:
            for number in range(FILES):
                _fill(self._directory / str(number), size // FILES)
        except OSError:
            self.give_back()
            raise
        self.bytes = size

    def give_back(self) -> None:
        shutil.rmtree(self._directory, ignore_errors=True)
        self.bytes = 0


def ballast_for(reserve_bytes: int) -> int:
    """How large it should be."""
    return min(BYTES, reserve_bytes // SHARE_OF_RESERVE // FILES * FILES)


def _fill(path: Path, size: int) -> None:
    """With space that is really taken, and not only promised."""
    with path.open("wb") as file:
        if size and hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            file.write(os.urandom(size))  # nothing that a file system could pack


def make_room_to_start(root: Path, ballast: Ballast) -> None:
    """Gives the ballast back where nothing could be begun without. Raises CannotRun."""
    if too_little_to_start(space_of(root)):
        ballast.give_back()
    if too_little_to_start(space_of(root)):
        raise CannotRun(
            f"The disk that {root} is on is full; make space ({BYTES_TO_START >> 20} MB and "
            f"{FILES_TO_START} inodes at the least), then start Endu again."
        )
