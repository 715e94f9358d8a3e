"""Doing to the server what the plan says, one fault after the other."""

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from endu.torture.disk import Disk
from endu.torture.keeper import Keeper
from endu.torture.mortal_words import Order
from endu.torture.plan import (
    CallKill,
    DoorKill,
    Kill,
    PowerCut,
    RebuildKill,
    StartKill,
    StepKill,
)
from endu.torture.server import Server, kill_process, tell

# How long a server is given to come to where it is to die; then it is killed where it is.
COMES_WITHIN_SECONDS = 3.0
GONE_WITHIN_SECONDS = 60.0
LETS_GO_WITHIN_SECONDS = 5.0
REBUILT_WITHIN_SECONDS = 900.0
RENAMES = "rename,renameat,renameat2"
NO_STRACE = "Kills at system calls are kills at any moment: there is no strace here."


class Broken(Exception):
    """Endu did not do what it should have; the text is one sentence."""


class Scene(Struct, frozen=True):
    """Where faults happen."""

    keeper: Keeper
    disk: Disk
    work: Path


async def do_fault(scene: Scene, fault: Any) -> str:
    """How it came, in a few words. Raises Broken and DidNotStart."""
    return await _HOW[type(fault)](scene, fault)


async def stop_in_order(scene: Scene, seconds: float) -> None:
    """A server under load for so long, ended as an operator ends it. Raises Broken."""
    async with scene.keeper.serving() as server:
        if server is None or await server.ended(seconds) or not await server.stop():
            raise Broken("A server that was told to end in order did not.")


async def leave_everything_open(scene: Scene, seconds: float) -> None:
    """Both processes killed at once under load: nobody closes the log in order any more."""
    async with scene.keeper.serving() as server:
        alive = await _under_load(server, seconds)
        kill_process(alive.door())


def may_strace() -> bool:
    return shutil.which("strace") is not None


async def _kill(scene: Scene, fault: Kill) -> str:
    async with scene.keeper.serving() as server:
        await _under_load(server, fault.seconds)
        return ""


async def _door_kill(scene: Scene, fault: DoorKill) -> str:
    async with scene.keeper.serving() as server:
        alive = await _under_load(server, fault.seconds)
        kill_process(alive.door())
        await _must_end_without_its_door(alive)
        return ""


async def _step_kill(scene: Scene, fault: StepKill) -> str:
    known = sorted(scene.keeper.steps)
    step = known[int(fault.which * len(known))] if known else ""
    order = Order(data=str(scene.keeper.data), dies_at=step, times=fault.times)
    async with scene.keeper.serving(order) as server:
        if server is None or await server.ended(COMES_WITHIN_SECONDS):
            return step
        return f"{step} did not come"


async def _call_kill(scene: Scene, fault: CallKill) -> str:
    async with scene.keeper.serving() as server:
        assert server is not None  # it has no order to die
        pid = server.door() if fault.process == "door" else server.pid
        async with _dying(pid, fault.calls, fault.nth):
            came = await server.ended(COMES_WITHIN_SECONDS if may_strace() else 0.3)
        if came and fault.process == "door":
            await _must_end_without_its_door(server)
        return "" if came else "it did not come to that"


async def _start_kill(scene: Scene, fault: StartKill) -> str:
    server = await scene.keeper.loaded()
    try:
        await server.begin(Order(data=str(scene.keeper.data)))
        if await server.ended(fault.seconds):
            raise Broken(f"A server did not start: {server.last_words()}")
    finally:
        await server.close()
    return ""


async def _rebuild_kill(scene: Scene, fault: RebuildKill) -> str:
    by_rename = fault.rename > 0 and may_strace()
    server = await scene.keeper.loaded()
    try:
        await server.is_loaded()
        async with _dying(server.pid if by_rename else None, RENAMES, fault.rename):
            await server.begin(Order(data=str(scene.keeper.data), rebuild=True))
            await server.ended(REBUILT_WITHIN_SECONDS if by_rename else fault.seconds)
        if server.exit_code not in (None, 0, -9):
            raise Broken(f"A rebuild went wrong: {server.last_words()}")
        came = "it was done before" if server.exit_code == 0 else ""
    finally:
        await server.close()
    if fault.again:
        await rebuild_again(scene.keeper)
    return came


async def rebuild_again(keeper: Keeper) -> None:
    """To the end. Raises Broken."""
    server = await keeper.loaded()
    try:
        await server.begin(Order(data=str(keeper.data), rebuild=True))
        if not await server.ended(REBUILT_WITHIN_SECONDS) or server.exit_code:
            raise Broken(f"A rebuild could not be carried through: {server.last_words()}")
    finally:
        await server.close()


async def _power_cut(scene: Scene, fault: PowerCut) -> str:
    async with scene.keeper.serving() as server:
        alive = await _under_load(server, fault.seconds)
        door = alive.door()
        scene.keeper.cut_power()
        await scene.disk.cut()
        kill_process(door)
    await scene.disk.restore()
    return ""


async def _under_load(server: Server | None, seconds: float) -> Server:
    if server is None or await server.ended(seconds):
        said = server.last_words() if server else "it was killed, and not by this"
        raise Broken(f"A server ended by itself: {said}")
    return server


async def _must_end_without_its_door(server: Server) -> None:
    if not await server.ended(GONE_WITHIN_SECONDS) or server.exit_code != 1:
        raise Broken("A server whose door was killed did not end with exit code 1.")


@asynccontextmanager
async def _dying(pid: int | None, calls: str, nth: int) -> AsyncIterator[None]:
    """While this lasts, the process is killed in the n-th of these calls that a thread of it
    makes. Where that cannot be had, it is not."""
    if pid is None or not may_strace():
        yield
        return
    strace = await asyncio.create_subprocess_exec(
        "strace", "-f", "-o", "/dev/null", "-p", str(pid),
        "-e", f"trace={calls}", "-e", f"inject={calls}:signal=SIGKILL:when={nth}",
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    assert strace.stderr is not None
    await strace.stderr.readline()  # it says that it is attached
    try:
        yield
    finally:
        await _end(strace)


async def _end(strace: asyncio.subprocess.Process) -> None:
    """It lets go of what it holds first; where that was killed that very moment, it may wait for it
    for ever, and it for strace."""
    tell(strace, signal.SIGTERM)
    try:
        await asyncio.wait_for(strace.communicate(), LETS_GO_WITHIN_SECONDS)
    except TimeoutError:
        tell(strace, signal.SIGKILL)
        await strace.communicate()


_HOW: dict[type, Callable[[Scene, Any], Awaitable[str]]] = {
    Kill: _kill,
    DoorKill: _door_kill,
    StepKill: _step_kill,
    CallKill: _call_kill,
    StartKill: _start_kill,
    RebuildKill: _rebuild_kill,
    PowerCut: _power_cut,
}
