"""A file system of its own, as small as a test wants it: tmpfs or ext4, where root may mount."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


@contextmanager
def small_disk(place: Path, megabytes: int, inodes: int = 0) -> Iterator[Path]:
    """A tmpfs; skips the test, saying so, where none can be mounted."""
    options = f"size={megabytes}m" + (f",nr_inodes={inodes}" if inodes else "")
    with _mounted(place, ["-t", "tmpfs", "-o", options, "tmpfs"]) as disk:
        yield disk


@contextmanager
def small_ext4(place: Path, megabytes: int) -> Iterator[Path]:
    """An ext4 in a file."""
    image = place.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    _or_skip(["mkfs.ext4", "-qF", "-m", "0", str(image)])
    with _mounted(place, ["-o", "loop", str(image)]) as disk:
        yield disk


@contextmanager
def _mounted(place: Path, what: list[str]) -> Iterator[Path]:
    place.mkdir()
    _or_skip(["mount", *what, str(place)])
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def _or_skip(command: list[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as problem:
        pytest.skip(f"no small file system can be mounted here: {problem}")


def fill(disk: Path, leave_bytes: int = 0) -> Path:
    """A file that takes all space but so much."""
    filler = disk / "filler"
    told = os.statvfs(disk)
    size = told.f_bavail * told.f_frsize - leave_bytes
    with filler.open("ab", buffering=0) as file, suppress(OSError):  # full to the last byte
        while size > 0:
            size -= file.write(bytes(min(size, 1 << 20)))
    return filler


def fill_inodes(disk: Path) -> Path:
    """A directory with files until there can be no more."""
    many = disk / "many"
    many.mkdir()
    number = 0
    try:
        while True:
            (many / str(number)).touch()
            number += 1
    except OSError:
        return many
