"""Putting a rebuilt directory and ledger in place of the old ones, all or nothing.

Two names cannot be renamed at once, so the swap is written down first (the file `complete`) and
carried out after; killed in between, the next start carries it out.
"""

import os
import shutil
from pathlib import Path

from endu.stores.files import sync_names

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
    sync_names(data / REBUILDING)
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
            sync_names(old)
            (new / part).rename(data / part)
            sync_names(data)
    shutil.rmtree(old)
    shutil.rmtree(new)
    sync_names(data)
    return True


def _set_aside(path: Path, target: Path) -> None:
    if not path.exists():
        return
    if target.is_dir():  # from a swap that was killed
        shutil.rmtree(target)
    path.rename(target)
