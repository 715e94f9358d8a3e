"""Flipping single bytes of what a killed server left behind, and seeing whether `endu verify`
notices (`--thorough`, so that it settles the log again and compares).

Each flip happens in a copy of its own, so that what Endu does about it can do no harm to the
next. A flip that verify says nothing of is harmless only where everything that the files hold
reads the same as without it (`contents.py`), such as in a page that no table uses; it is healed
where the same is true once a server has been started on it.
"""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import httpx
import msgspec
from msgspec import Struct

from endu.announcements import Verified
from endu.torture.gate import client_of
from endu.torture.mortal_words import Order
from endu.torture.plan import AREAS, Area, Flip
from endu.torture.server import DidNotStart, server_ready, tell

AT_ONCE = 2  # flips that are looked at side by side
DAMAGED = 4  # verify's exit code where it found damage
ENDU = "from endu.cli import main; main()"
READ_WITHIN_SECONDS = 600.0

Verdict = Literal["named", "harmless", "healed", "silent", "unnamed"]


class Flipped(Struct, frozen=True):
    """What came of one. `unnamed`: verify broke off without saying what is damaged. `rebuilt` says
    whether a rebuild made it whole; None where none was tried, as with damage in the log."""

    area: Area
    file: str
    offset: int
    mask: int
    verdict: Verdict
    said: str
    rebuilt: bool | None = None


class Spot(Struct, frozen=True):
    """One byte of one file."""

    area: Area
    file: Path
    offset: int


class Said(Struct, frozen=True):
    """How a command ended, what it said of that in a line, and what it printed."""

    exit_code: int
    said: str
    printed: bytes

    @property
    def broke_off(self) -> bool:
        """It did not end as it decides itself: by a signal, or with a trace."""
        return self.exit_code < 0 or not self.said.startswith("endu: ")


class Ground(Struct, frozen=True):
    """`data` is on no server's hands, and stays as it is; copies of it are made in `work`."""

    data: Path
    work: Path
    secret_key: str


class Contents(Struct, frozen=True):
    """As `contents.py` tells them. Where they cannot be read, that is what they are."""

    exact: bytes
    answers: bytes


class Whole(Struct, frozen=True):
    """What everything reads as where no byte was flipped: as it is, and how it answers once a
    server was started on it and has settled what waits."""

    now: bytes
    settled: bytes


class BadStart(Exception):
    """There is damage already, before any byte was flipped."""


async def flip_each(ground: Ground, flips: tuple[Flip, ...]) -> list[Flipped]:
    """Raises BadStart, and DidNotStart where a server does not start on what is whole."""
    whole = await _look_at_the_whole(ground)
    at_once = asyncio.Semaphore(AT_ONCE)

    async def flip_one(place: int) -> Flipped:
        async with at_once:
            return await _flip(ground, f"flipped-{place}", flips[place], whole)

    return await asyncio.gather(*map(flip_one, range(len(flips))))


async def _look_at_the_whole(ground: Ground) -> Whole:
    copy = _copy(ground.data, ground.work / "whole")
    ended = await verify(copy)
    if ended.exit_code:
        raise BadStart(f"Verify finds fault with what nothing was done to: {ended.said}")
    now = await _contents(copy)
    await settle(copy, ground.secret_key)
    whole = Whole(now.exact, (await _contents(copy)).answers)
    shutil.rmtree(copy)
    return whole


async def _flip(ground: Ground, name: str, flip: Flip, whole: Whole) -> Flipped:
    copy = _copy(ground.data, ground.work / name)
    spot = spot_of(copy, flip)
    flip_byte(spot, flip.mask)
    before = _copy(copy, ground.work / f"{name}-before")
    found = await verify(copy)
    verdict = await _verdict(before, found, whole, ground.secret_key)
    rebuilt = None
    if flip.heal and verdict == "named" and spot.area in ("ledger", "directory"):
        rebuilt = await _is_healed(copy)
    shutil.rmtree(copy)
    shutil.rmtree(before)
    where = str(spot.file.relative_to(copy))
    return Flipped(spot.area, where, spot.offset, flip.mask, verdict, found.said, rebuilt)


async def _verdict(flipped: Path, found: Said, whole: Whole, secret_key: str) -> Verdict:
    """`flipped` is as it was before verify looked at it."""
    if found.exit_code == DAMAGED:
        return "named"
    if found.exit_code:
        return "unnamed" if found.broke_off else "named"
    if (await _contents(flipped)).exact == whole.now:
        return "harmless"
    try:
        await settle(flipped, secret_key)
    except DidNotStart:
        return "silent"
    return "healed" if (await _contents(flipped)).answers == whole.settled else "silent"


async def _is_healed(copy: Path) -> bool:
    rebuilt = await _run("-c", ENDU, "rebuild", "--data", str(copy))
    return rebuilt.exit_code == 0 and (await verify(copy)).exit_code == 0


def spot_of(data: Path, flip: Flip) -> Spot:
    """By the bytes of all files of the area; of the next area that has any, where it has none."""
    begin = AREAS.index(flip.area)
    for area in (*AREAS[begin:], *AREAS[:begin]):
        files = [(file, file.stat().st_size) for file in sorted(_files_of(data, area))]
        place = int(flip.where * sum(size for _, size in files))
        for file, size in files:
            if place < size:
                return Spot(area, file, place)
            place -= size
    raise BadStart(f"There is nothing in {data}.")


def flip_byte(spot: Spot, mask: int) -> None:
    with spot.file.open("r+b") as file:
        file.seek(spot.offset)
        (byte,) = file.read(1)
        file.seek(spot.offset)
        file.write(bytes([byte ^ mask]))


def _files_of(data: Path, area: Area) -> Iterator[Path]:
    if area == "inbox":
        yield from data.glob("inbox.db")
    elif area == "wal":
        yield from data.glob("inbox.db-wal")
    elif area in ("directory", "registry"):
        yield from (*data.glob(f"{area}.db"), *data.glob(f"{area}.db-wal"))
    elif area == "segments":
        yield from (file for file in data.glob("segments/**/*") if file.is_file())
    else:
        parts = data.glob("ledger/engine/store/*/*/*/*")
        yield from (file for file in parts if file.is_file())


async def settle(data: Path, secret_key: str) -> None:
    """A server is started on it, settles what waits, and is ended in order. Raises DidNotStart."""
    server = await server_ready(data.with_suffix(".log"), set())
    try:
        await server.begin(Order(data=str(data)))
        started = await server.started()
        if started is None:
            raise DidNotStart(server.last_words())
        async with client_of(started.address, secret_key) as client:
            answer = await client.get("/events", params={"limit": 1, "fresh": "true"})
        if answer.status_code != 200 or not await server.stop():
            raise DidNotStart(f"it answered with {answer.status_code}: {server.last_words()}")
    except httpx.TransportError as problem:
        raise DidNotStart(server.last_words()) from problem
    finally:
        await server.close()


async def verify(data: Path) -> Said:
    """As anybody would run it; says the first damage that it names."""
    ended = await _run("-c", ENDU, "verify", "--thorough", "--json", "--data", str(data))
    if ended.exit_code != DAMAGED:
        return ended
    first = msgspec.json.decode(ended.printed, type=Verified).damage[0]
    return Said(DAMAGED, f"{first.where}: {first.what}", ended.printed)


async def _contents(data: Path) -> Contents:
    read = await _run("-m", "endu.torture.contents", str(data))
    exact, _, answers = read.printed.partition(b"\n")
    return Contents(exact or read.said.encode(), answers or read.said.encode())


async def _run(*words: str) -> Said:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ENDU_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=clean,
        start_new_session=True,
    )  # fmt: skip
    try:
        printed, errors = await asyncio.wait_for(process.communicate(), READ_WITHIN_SECONDS)
    finally:
        tell(process, signal.SIGKILL)
        await process.wait()
    assert process.returncode is not None
    lines = errors.decode(errors="replace").strip().splitlines()
    return Said(process.returncode, lines[-1] if lines else "", printed)


def _copy(data: Path, copy: Path) -> Path:
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(data, copy, symlinks=True)
    return copy
