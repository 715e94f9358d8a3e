"""A whole run: faults one after the other under load, then everything read back and compared."""

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from msgspec import Struct

from endu import __version__
from endu.announcements import Progress
from endu.torture.crowd import SENDERS
from endu.torture.disk import Disk, NoPowerCuts, PlainDirectory, open_loop_disk
from endu.torture.faults import (
    NO_STRACE,
    Broken,
    Scene,
    do_fault,
    leave_everything_open,
    may_strace,
    stop_in_order,
)
from endu.torture.flips import BadStart, Ground, flip_each
from endu.torture.gate import Gate
from endu.torture.history import Began, Faulted, History, Recovering
from endu.torture.judging import judge
from endu.torture.keeper import Keeper
from endu.torture.plan import Fault, Flips, Plan, PowerCut, StepKill, faults_of, kind_of, number_of
from endu.torture.report import Report, Seen, report_of
from endu.torture.senders import Sender, senders_of
from endu.torture.server import DidNotStart

LOAD_SECONDS = 1.0  # before the first fault that needs something to be there
RECOVERS_WITHIN_SECONDS = 10.0
BROKEN_AT_MOST = 5  # beyond that there is no sense in going on
HISTORY = "history.jsonl"
DATA = "data"


async def torture(plan: Plan, work: Path, progress: Progress, stop: asyncio.Event) -> Report:
    """`work` is an empty directory; the history stays there, and the data directory where a
    promise was broken. Once `stop` is set no other fault is begun, and what was done is judged."""
    began = time.monotonic()
    seen = Seen()
    async with _disk(plan, work, seen) as disk:
        history, gate = History(work / HISTORY), Gate()
        keeper = Keeper(disk.root / DATA, work, gate)
        scene = Scene(keeper, disk, work)
        senders = senders_of(plan.seed, SENDERS, gate, history)
        try:
            history.say(Began(__version__, plan))
            async with _sending(senders, gate):
                until = began + 60 * plan.minutes
                await _do_all(scene, history, seen, _Pace(plan, progress, stop, until))
                await _serve_once_more(scene, gate, history, seen)
            await history.close()
            odd = sum((sender.odd for sender in senders), Counter())
            seen.odd = [f"{what}, {times} times" for what, times in sorted(odd.items())]
            await judge(keeper, work / HISTORY, seen, progress)
        finally:
            await keeper.close()
        report = report_of(plan, seen, keeper, str(work / HISTORY), time.monotonic() - began)
        if not report.passed and keeper.data.exists():
            await asyncio.to_thread(shutil.copytree, keeper.data, work / DATA, symlinks=True)
    return report


class _Pace(Struct, frozen=True):
    """How far to go."""

    plan: Plan
    progress: Progress
    stop: asyncio.Event
    until: float


async def _do_all(scene: Scene, history: History, seen: Seen, pace: _Pace) -> None:
    """The faults in their order, as long as there is time and a server to do them to."""
    faults = faults_of(pace.plan)
    total, done = sum(map(number_of, faults)), 0
    for place, fault in enumerate(faults):
        if pace.stop.is_set() or time.monotonic() > pace.until:
            seen.notices.append(f"Ended before all was done: {done} of {total} faults.")
            return
        if len(seen.broken) > BROKEN_AT_MOST:
            seen.notices.append("Ended early: so much is broken that more says nothing.")
            return
        try:
            came = await _do(scene, fault, seen)
            if place == 0:
                await stop_in_order(scene, LOAD_SECONDS)
        except (Broken, DidNotStart, BadStart) as problem:
            came = f"{kind_of(fault)}: {problem}"
            seen.broken.append(came)
        history.say(Faulted(fault, came))
        done += number_of(fault)
        pace.progress("faults", done, total)


async def _do(scene: Scene, fault: Fault, seen: Seen) -> str:
    if isinstance(fault, Flips):
        await leave_everything_open(scene, LOAD_SECONDS)
        flipped = await flip_each(
            Ground(scene.keeper.data, scene.work, scene.keeper.secret_key), fault.flips
        )
        seen.flips += flipped
        return ", ".join(each.verdict for each in flipped)
    if isinstance(fault, PowerCut) and not scene.disk.can_be_cut:
        return "left out"
    came = await do_fault(scene, fault)
    if isinstance(fault, PowerCut):
        seen.power_cuts += 1
    else:
        seen.kills[kind_of(fault)] += 1
    if isinstance(fault, StepKill):
        seen.came_to[came] += 1
    return came


async def _serve_once_more(scene: Scene, gate: Gate, history: History, seen: Seen) -> None:
    """What comes after the last fault has to be accepted soon: the judge looks for it."""
    history.say(Recovering())
    try:
        async with scene.keeper.serving() as server:
            if server is not None:
                with suppress(TimeoutError):  # where nothing was, the judge will say so
                    await asyncio.wait_for(gate.acknowledged(), RECOVERS_WITHIN_SECONDS)
                await server.ended(LOAD_SECONDS)
            await gate.end()
    except DidNotStart as problem:
        seen.broken.append(f"After the last fault no server started: {problem}")


@asynccontextmanager
async def _sending(senders: list[Sender], gate: Gate) -> AsyncIterator[None]:
    """All have had their last answer when this is left."""
    tasks = [asyncio.create_task(sender.run()) for sender in senders]
    try:
        yield
    finally:
        await gate.end()
        await asyncio.gather(*tasks)


@asynccontextmanager
async def _disk(plan: Plan, work: Path, seen: Seen) -> AsyncIterator[Disk]:
    """One whose power can be cut, where that is wanted and allowed."""
    disk: Disk | None = None
    if plan.power_cuts:
        try:
            disk = await open_loop_disk(work)
        except NoPowerCuts as problem:
            seen.notices.append(f"Power cuts are left out on this machine: {problem}.")
    if plan.kills and not may_strace():
        seen.notices.append(NO_STRACE)
    disk = disk or PlainDirectory(work / "disk")
    try:
        yield disk
    finally:
        await disk.close()
