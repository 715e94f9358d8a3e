"""A disk whose power can be cut: ext4 in a file, mounted over a loop device.

EXT4_IOC_SHUTDOWN without a flush of the journal is what xfstests' `godown` does: everything that
was not written to the device by then is gone, every later access fails, and the next mount
recovers as after a power failure. Needs Linux and root.
"""

import asyncio
import fcntl
import os
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Protocol

SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
WITHOUT_LOG_FLUSH = 2
# Sparse: it takes what is written. More than Endu keeps free on any disk.
IMAGE_BYTES = 16 << 30
UNMOUNTED_WITHIN_SECONDS = 30.0
LOOKS_A_SECOND = 20


class NoPowerCuts(Exception):
    """The machine does not allow it; the text says what is in the way."""


class Disk(Protocol):
    """Where the server's directory is."""

    root: Path
    can_be_cut: bool

    async def cut(self) -> None:
        """From now on nothing more is written, and what was not yet is gone."""

    async def restore(self) -> None:
        """As after a power failure. Nobody has a file open on it."""

    async def close(self) -> None:
        """Nobody has a file open on it. What it holds may be gone."""


class PlainDirectory:
    """No disk of its own: never cut."""

    can_be_cut = False

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True)

    async def cut(self) -> None:
        raise NoPowerCuts("this directory has no disk of its own")

    async def restore(self) -> None:
        """It never was gone."""

    async def close(self) -> None:
        """It stays."""


class LoopDisk:
    """Made by `open_loop_disk`."""

    can_be_cut = True

    def __init__(self, image: Path, root: Path) -> None:
        self._image = image
        self.root = root

    async def mount(self) -> None:
        await _run("mount", "-o", "loop", str(self._image), str(self.root))

    async def cut(self) -> None:
        await asyncio.to_thread(_shut_down, self.root)

    async def restore(self) -> None:
        await self._unmount()
        await self.mount()

    async def close(self) -> None:
        await self._unmount()
        self._image.unlink()

    async def _unmount(self) -> None:
        """Whoever was killed has its files closed a moment later."""
        for _ in range(int(UNMOUNTED_WITHIN_SECONDS * LOOKS_A_SECOND)):
            with suppress(NoPowerCuts):
                await _run("umount", str(self.root))
                return
            await asyncio.sleep(1 / LOOKS_A_SECOND)
        await _run("umount", str(self.root))


async def open_loop_disk(work: Path) -> LoopDisk:
    """Mounted, and tried once. Raises NoPowerCuts."""
    if not sys.platform.startswith("linux"):
        raise NoPowerCuts("that needs Linux")
    if os.geteuid() != 0:
        raise NoPowerCuts("mounting a disk needs root")
    image, root = work / "disk.img", work / "disk"
    root.mkdir()
    with image.open("wb") as file:
        file.truncate(IMAGE_BYTES)
    disk = LoopDisk(image, root)
    try:
        await _run("mkfs.ext4", "-q", "-E", "lazy_itable_init=1,lazy_journal_init=1", str(image))
        await disk.mount()
    except NoPowerCuts:
        image.unlink()
        raise
    try:
        await disk.cut()
        await disk.restore()
    except (OSError, NoPowerCuts) as problem:
        await disk.close()
        raise NoPowerCuts(f"the disk could not be shut down: {problem}") from problem
    return disk


async def _run(*command: str) -> None:
    """Raises NoPowerCuts with what the command said."""
    try:
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True)
    except OSError as problem:
        raise NoPowerCuts(f"{command[0]}: {problem.strerror}") from problem
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[0]
        raise NoPowerCuts(f"{command[0]}: {said}")


def _shut_down(root: Path) -> None:
    descriptor = os.open(root, os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", WITHOUT_LOG_FLUSH))
    finally:
        os.close(descriptor)
