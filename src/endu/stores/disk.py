"""Space on the file system of the data directory: what is there, and what has to stay free."""

import os
from pathlib import Path

from msgspec import Struct

# Of a small disk the reserve is a share: two gigabytes of ten would be a fifth of it.
GREATEST_SHARE = 10
# A merge needs room for what it merges, and for what comes of it.
TIMES_LARGEST_PART = 2
# Each batch that settles makes a dozen files, and each merge as many more.
FILES = 2_000
# So much more than the reserve has to be free before a closed door opens: it would open and close
# with every file that somebody makes.
MORE_TO_OPEN = 1.1

# A part of the ledger takes a megabyte and a dozen files; with less, nothing can be begun.
BYTES_TO_START = 4 << 20
FILES_TO_START = 100


class Space(Struct, frozen=True):
    """Of a file system, for those who may not use what is kept for root: bytes and inodes.
    One that makes inodes as they are needed has a `files_total` of 0."""

    bytes_free: int
    bytes_total: int
    files_free: int
    files_total: int


class Reserve(Struct, frozen=True):
    """What has to stay free."""

    bytes: int
    files: int

    def lacks(self, space: Space, times: float = 1) -> str:
        """Empty, or a sentence that says how much is missing to so many times the reserve."""
        wanted_bytes, wanted_files = int(self.bytes * times), int(self.files * times)
        if space.bytes_free < wanted_bytes:
            return (
                f"{_megabytes(space.bytes_free)} are free on the disk of the data directory, "
                f"and {_megabytes(wanted_bytes)} have to be; make space."
            )
        if space.files_free < wanted_files and space.files_total:
            return (
                f"{space.files_free:,} inodes are free on the disk of the data directory, "
                f"and {wanted_files:,} have to be; remove files."
            )
        return ""


def space_of(path: Path) -> Space:
    """Raises OSError."""
    told = os.statvfs(path)
    return Space(
        told.f_bavail * told.f_frsize, told.f_blocks * told.f_frsize, told.f_favail, told.f_files
    )


def reserve_of(space: Space, wanted_bytes: int, largest_part_bytes: int) -> Reserve:
    """`wanted_bytes`, or what a merge of the largest part takes where that is more; but never
    more than a tenth of the disk."""
    wanted = max(wanted_bytes, TIMES_LARGEST_PART * largest_part_bytes)
    return Reserve(
        min(wanted, space.bytes_total // GREATEST_SHARE),
        min(FILES, space.files_total // GREATEST_SHARE),
    )


def too_little_to_start(space: Space) -> bool:
    few_files = space.files_free < FILES_TO_START and space.files_total > 0
    return space.bytes_free < BYTES_TO_START or few_files


def _megabytes(number: int) -> str:
    return f"{number / (1 << 20):,.1f} MB"
