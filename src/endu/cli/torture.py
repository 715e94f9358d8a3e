"""`endu torture`: Endu's promises tried by force, on a server and a directory of its own."""

import asyncio
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from msgspec import Struct
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from endu.announcements import Progress
from endu.cli.operator import AsJson, warn
from endu.cli.options import with_options
from endu.cli.stop import USAGE, Stop
from endu.cli.upkeep import bars
from endu.torture.plan import Plan
from endu.torture.report import Report, Row
from endu.torture.run import torture as run_torture


class TortureWords(Struct, frozen=True, kw_only=True):
    """What the command is asked with."""

    kills: Annotated[int, typer.Option(min=0, help="How often a process is killed.")] = 25
    power_cuts: Annotated[
        int, typer.Option(min=0, help="How often the disk's power is cut (Linux, root).")
    ] = 5
    flips: Annotated[int, typer.Option(min=0, help="How many bytes are flipped.")] = 10
    seed: Annotated[int, typer.Option(help="The same seed: the same faults and events.")] = 1
    minutes: Annotated[float, typer.Option(min=0, help="After so long, no new fault.")] = 10
    keep: Annotated[Path | None, typer.Option(help="A new directory, where the history stays.")] = (
        None
    )
    as_json: AsJson = False


@with_options
def torture(said: TortureWords) -> None:
    """Kill a server under load, cut its disk's power, flip bytes of its files, and prove from a
    history of its own that nothing that was acknowledged is lost, doubled or changed."""
    plan = Plan(
        seed=said.seed,
        kills=said.kills,
        power_cuts=said.power_cuts,
        flips=said.flips,
        minutes=said.minutes,
    )
    work = _new_directory(said.keep)
    with bars() as progress:
        report = asyncio.run(_until_told(plan, work, progress))
    if said.as_json:
        print(msgspec.json.encode(report).decode())
    else:
        Console().print(drawn(report))
    if not report.passed:
        raise Stop(f"A promise was broken. The history and the data directory are in {work}.")
    if said.keep is None:
        shutil.rmtree(work)


def drawn(report: Report) -> RenderableType:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("what")
    table.add_column("count", justify="right")
    table.add_column("")
    for row in report.rows:
        table.add_row(row.what, f"{row.count:,}", _judgement(row))
    which = [
        Text(f"{row.what}: {each}", "red")
        for row in report.rows
        if row.must_be_none
        for each in row.which
    ]
    return Group(*map(Text, (*_done(report), *report.notices)), table, *which)


def _judgement(row: Row) -> Text:
    if not row.must_be_none:
        return Text("")
    return Text("BROKEN", "bold red") if row.count else Text("none, as promised", "green")


def _done(report: Report) -> list[str]:
    plan, kills = report.plan, sum(report.kills.values())
    flips = sum(report.flips.values())
    return [
        f"Seed {plan.seed}: {kills} of {plan.kills} kills, {report.power_cuts} of "
        f"{plan.power_cuts} power cuts, {flips} of {plan.flips} flips in {report.seconds:.0f} s.",
        f"Kills: {_counts(report.kills)}.",
        f"Steps died at: {_counts(report.came_to)}.",
        f"Flips: {_counts(report.flips)}.",
        f"{report.starts} starts, the slowest in {report.slowest_start_seconds:.1f} s.",
    ]


def _counts(counted: dict[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(counted.items())) or "none"


def _new_directory(keep: Path | None) -> Path:
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="endu-torture-"))
    try:
        keep.mkdir(parents=True)
    except OSError as problem:
        raise Stop(f"--keep {keep}: {problem.strerror}; name a new directory.", USAGE) from problem
    return keep


async def _until_told(plan: Plan, work: Path, progress: Progress) -> Report:
    """Ctrl-C ends it with what was found so far; a second one at once."""
    stop = asyncio.Event()
    running = asyncio.create_task(run_torture(plan, work, progress, stop))

    def told() -> None:
        if stop.is_set():
            running.cancel()
        else:
            stop.set()
            warn("Ending after the fault in hand; then what was done is judged.")

    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, told)
    try:
        return await running
    except asyncio.CancelledError as cancelled:
        raise Stop(f"Stopped. The history so far is in {work}.") from cancelled
