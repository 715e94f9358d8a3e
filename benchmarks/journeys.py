"""(f) Each question about ten million events, against the barest correct SQL for the same work.

    python -m benchmarks.journeys --cache DIR --events 1e6,3e6,10e6,30e6 --rounds 7

The question goes through the product's own code in this process, the control (see
journeys_controls.py) through the same handles of the same ledger, in turns; the ratio is that of
the medians. CPU is the whole process's. Each number of events has a process of its own, so that the
memory of one does not show in the next, and each log is made in another.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from msgspec import Struct

from benchmarks.journeys_log import Log, ledger_of
from benchmarks.journeys_questions import Asked, questions_of
from benchmarks.journeys_world import sources_of
from endu.events.ledger import TooDear
from endu.refusals import Refusal
from endu.stores.chdb_handles import Limits
from endu.stores.chdb_ledger import open_chdb_ledger


class Took(Struct, frozen=True):
    wall_ms: float
    cpu_ms: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, help="Where logs are kept; without it, for once.")
    parser.add_argument("--events", default="10e6", help="One number or several, with commas.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="Questions whose names have this in them.")
    asked = parser.parse_args()
    sizes = [int(float(each)) for each in asked.events.split(",")]
    with ExitStack() as until_the_end:
        cache = asked.cache or Path(until_the_end.enter_context(tempfile.TemporaryDirectory()))
        for size in sizes:
            words = ["--events", str(size), "--cache", str(cache)]
            _run("benchmarks.journeys_log", *words)
            if len(sizes) > 1:
                _run("benchmarks.journeys", *words, "--rounds", str(asked.rounds),
                     "--only", asked.only)  # fmt: skip
            else:
                ledger = ledger_of(Log(events=size), cache)
                asyncio.run(_measure(ledger, f"{size:,} events", asked.rounds, asked.only))


def _run(*words: str) -> None:
    subprocess.run([sys.executable, "-m", *words], check=True)


async def _measure(directory: Path, among: str, rounds: int, only: str) -> None:
    with open_chdb_ledger(directory, Limits()) as ledger:
        await ledger.refresh()
        print(f"{among}, {_memory_megabytes('VmRSS'):,.0f} MB before the first question")
        for asked in await questions_of(await sources_of(ledger)):
            if only in asked.name:
                print(f"{asked.name}: {await _compared(asked, rounds)}", flush=True)


async def _compared(asked: Asked, rounds: int) -> str:
    """The first time of each is not counted: files are read then."""
    try:
        megabytes = await _peak_megabytes(asked.product)
        product, control = await _in_turns(asked, rounds)
    except (TooDear, Refusal) as refusal:
        return f"no answer: {refusal}"
    wall, cpu = _medians(product, asked.times)
    if not control:
        return f"{wall:,.1f} ms, {cpu:,.1f} ms CPU, at most {megabytes:,.0f} MB"
    control_wall, control_cpu = _medians(control, asked.times)
    return (
        f"ratio {wall / control_wall:.2f} ({wall:,.1f} ms against {control_wall:,.1f}), "
        f"CPU {cpu / control_cpu:.2f} ({cpu:,.1f} ms against {control_cpu:,.1f}), "
        f"at most {megabytes:,.0f} MB"
    )


async def _in_turns(asked: Asked, rounds: int) -> tuple[list[Took], list[Took]]:
    product, control = [], []
    if asked.control is not None:
        await asked.control()
    for _ in range(rounds):
        product.append(await _took(asked.product))
        if asked.control is not None:
            control.append(await _took(asked.control))
    return product, control


async def _took(ask: Callable[[], Awaitable[object]]) -> Took:
    wall, cpu = time.perf_counter(), time.process_time()
    await ask()
    return Took((time.perf_counter() - wall) * 1_000, (time.process_time() - cpu) * 1_000)


def _medians(took: list[Took], times: int) -> tuple[float, float]:
    return (
        median(each.wall_ms for each in took) / times,
        median(each.cpu_ms for each in took) / times,
    )


async def _peak_megabytes(ask: Callable[[], Awaitable[object]]) -> float:
    """The most that was resident while it ran."""
    Path("/proc/self/clear_refs").write_text("5")  # counts the peak anew
    await ask()
    return _memory_megabytes("VmHWM")


def _memory_megabytes(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    main()
