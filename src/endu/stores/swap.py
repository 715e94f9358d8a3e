"""Putting a rebuilt directory and ledger in place of the old ones, all or nothing.

Two names cannot be renamed at once, so the swap is written down first (the file `complete`) and
carried out after; killed in between, the next start carries it out.
"""

import os
import shutil
from pathlib import Path

REBUILDING = "rebuilding"  # new ones are made here, beside the old
REPLACED = "replaced"
COMPLETE = "complete"
PARTS = ("directory.db", "ledger")


def swap_in(data: Path) -> None:
    """Everything in `rebuilding` is whole and closed. Returns once the swap would survive a
    power cut."""
    for part in PARTS:
        if not (data / REBUILDING / part).exists():
            raise FileNotFoundError(f"{data / REBUILDING / part} was not made.")
    with (data / REBUILDING / COMPLETE).open("w") as mark:
        os.fsync(mark.fileno())
    _sync(data / REBUILDING)
    finish_swap(data)


def finish_swap(data: Path) -> bool:
    """Carries out a swap that was decided; says whether there was one. Before any store is
    opened, at every start."""
    new, old = data / REBUILDING, data / REPLACED
    if not (new / COMPLETE).exists():
        return False
    old.mkdir(exist_ok=True)
    for part in PARTS:
        if (new / part).exists():
            # The old WAL goes first: it must never lie beside the new file.
            for name in (f"{part}-wal", f"{part}-shm", part):
                _set_aside(data / name, old / name)
            _sync(old)
            (new / part).rename(data / part)
            _sync(data)
    shutil.rmtree(old)
    shutil.rmtree(new)
    _sync(data)
    return True


def _set_aside(path: Path, target: Path) -> None:
    if not path.exists():
        return
    if target.is_dir():  # from a swap that was killed
        shutil.rmtree(target)
    path.rename(target)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
