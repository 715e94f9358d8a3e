"""What will be done to the server, drawn from a seed before anything is done."""

import random
from collections.abc import Callable
from typing import Literal, TypeAlias

from msgspec import Struct

FLIPS_TOGETHER = 5  # flips between two runs of the server: they share one look at the undamaged

Area = Literal["inbox", "wal", "segments", "ledger", "directory", "registry"]
AREAS: tuple[Area, ...] = ("inbox", "wal", "segments", "ledger", "directory", "registry")

# System calls at whose n-th of one thread a process is killed: those that make commits durable, and
# those with which ClickHouse and a rebuild put files in place.
DOORS_CALLS = ("fdatasync,fsync", "pwrite64")
SERVERS_CALLS = ("rename,renameat,renameat2", "fdatasync,fsync", "pwrite64,write", "mkdir,unlink")


class Plan(Struct, frozen=True, kw_only=True):
    """What was asked for."""

    seed: int
    kills: int
    power_cuts: int
    flips: int
    minutes: float


class Kill(Struct, frozen=True, tag="kill"):
    """SIGKILL for the server after so many seconds of load."""

    seconds: float


class DoorKill(Struct, frozen=True, tag="kill the door"):
    """SIGKILL for the door alone."""

    seconds: float


class StepKill(Struct, frozen=True, tag="kill at a step"):
    """The server kills itself right after a step of settling, the `times`-th time it comes there.
    `which` (0 to 1) picks one of the steps that the server has named by then."""

    which: float
    times: int


class CallKill(Struct, frozen=True, tag="kill at a system call"):
    """SIGKILL in the middle of the `nth` of these system calls."""

    process: Literal["server", "door"]
    calls: str
    nth: int


class StartKill(Struct, frozen=True, tag="kill a start"):
    """SIGKILL so many seconds after the server has begun to open its files."""

    seconds: float


class RebuildKill(Struct, frozen=True, tag="kill a rebuild"):
    """SIGKILL in `endu rebuild`: after so many seconds, or, where `rename` is not 0, at the
    n-th file that it renames. Where `again`, a rebuild is then carried through."""

    seconds: float
    rename: int
    again: bool


class PowerCut(Struct, frozen=True, tag="power cut"):
    """The disk under the server is gone, with all that was not yet written to it."""

    seconds: float


class Flip(Struct, frozen=True):
    """One byte of one file becomes another: `where` (0 to 1) is its place among the bytes of the
    area, `mask` (1 to 255) what changes in it. Where `heal`, a rebuild has to repair it."""

    area: Area
    where: float
    mask: int
    heal: bool


class Flips(Struct, frozen=True, tag="flips"):
    """One after the other, each in a copy of its own."""

    flips: tuple[Flip, ...]


Fault: TypeAlias = (
    Kill | DoorKill | StepKill | CallKill | StartKill | RebuildKill | PowerCut | Flips
)


def faults_of(plan: Plan) -> list[Fault]:
    """The same for the same plan, always. The first is a kill in the very first start."""
    chance = random.Random(f"faults {plan.seed}")
    kills = [KILLS[place % len(KILLS)](chance) for place in range(plan.kills)]
    cuts: list[Fault] = [PowerCut(_soon(chance)) for _ in range(plan.power_cuts)]
    flips = [_flip(chance, place) for place in range(plan.flips)]
    together: list[Fault] = [
        Flips(tuple(flips[begin : begin + FLIPS_TOGETHER]))
        for begin in range(0, len(flips), FLIPS_TOGETHER)
    ]
    rest = [*kills[1:], *cuts, *together]
    chance.shuffle(rest)
    return [*kills[:1], *rest]


def kind_of(fault: Fault) -> str:
    """In words."""
    return str(fault.__struct_config__.tag)


def number_of(fault: Fault) -> int:
    """How many of what was asked for it is."""
    return len(fault.flips) if isinstance(fault, Flips) else 1


def _soon(chance: random.Random) -> float:
    return chance.uniform(0.005, 0.6)


def _start_kill(chance: random.Random) -> Fault:
    return StartKill(chance.uniform(0, 0.8))


def _kill(chance: random.Random) -> Fault:
    return Kill(_soon(chance))


def _step_kill(chance: random.Random) -> Fault:
    return StepKill(chance.random(), chance.randint(1, 3))


def _door_kill(chance: random.Random) -> Fault:
    return DoorKill(_soon(chance))


def _doors_call_kill(chance: random.Random) -> Fault:
    return CallKill("door", chance.choice(DOORS_CALLS), chance.randint(1, 25))


def _servers_call_kill(chance: random.Random) -> Fault:
    return CallKill("server", chance.choice(SERVERS_CALLS), chance.randint(1, 25))


def _rebuild_kill(chance: random.Random) -> Fault:
    by_rename = chance.random() < 0.5
    return RebuildKill(
        seconds=chance.uniform(0, 1.5),
        rename=chance.randint(1, 30) if by_rename else 0,
        again=chance.random() < 0.3,
    )


KILLS: tuple[Callable[[random.Random], Fault], ...] = (
    _start_kill,
    _kill,
    _step_kill,
    _doors_call_kill,
    _step_kill,
    _door_kill,
    _servers_call_kill,
    _step_kill,
    _kill,
    _rebuild_kill,
)


def _flip(chance: random.Random, place: int) -> Flip:
    return Flip(
        AREAS[place % len(AREAS)], chance.random(), chance.randint(1, 255), chance.random() < 0.25
    )
