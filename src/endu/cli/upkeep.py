"""`endu verify` and `endu rebuild`: on a directory that no server runs on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from endu.announcements import CannotRun, Progress
from endu.cli.engine import load_engine
from endu.cli.operator import AsJson, settings_for
from endu.cli.stop import DAMAGED, Stop

Data = Annotated[Path | None, typer.Option(help="The data directory.", show_default="endu-data")]
Thorough = Annotated[
    bool,
    typer.Option(
        help="Settle the whole log again beside it, in verifying/, and compare all that follows "
        "from it: as long as a rebuild, and several times the space of ledger and directory."
    ),
]


def verify(data: Data = None, json: AsJson = False, thorough: Thorough = False) -> None:
    """Read everything, and name what is damaged or missing. Changes nothing."""
    settings = settings_for(data)
    with working() as progress:
        found = load_engine().verify(settings, progress, thorough)
    if json:
        print(msgspec.json.encode(found).decode())
    else:
        print(f"{found.records:,} records in the log, {found.events:,} events in the ledger.")
        for damage in found.damage:
            print(f"  {damage.where}: {damage.what}")
    if found.damage:
        raise Stop(f"{len(found.damage)} damaged or missing; see docs/operate.md.", DAMAGED)
    if not json:
        print("All of it is as it was written.")
        if thorough:
            print("Settled again, the log comes to the same.")


def rebuild(data: Data = None, json: AsJson = False) -> None:
    """Make the ledger and the directory again from the log."""
    settings = settings_for(data)
    with working() as progress:
        done = load_engine().rebuild(settings, progress)
    if json:
        print(msgspec.json.encode(done).decode())
    else:
        print(f"{done.records:,} records settled again, {done.events:,} of them events.")
        if done.set_aside:
            print(f"{done.set_aside:,} could not be settled and were set aside.")


@contextmanager
def working() -> Iterator[Progress]:
    """Bars, for what may turn out not to be possible: then it stops with the reason."""
    try:
        with bars() as progress:
            yield progress
    except CannotRun as problem:
        raise Stop(str(problem)) from problem


@contextmanager
def bars() -> Iterator[Progress]:
    """A bar for each thing that is done, on stderr, so that stdout holds only the answer."""
    console = Console(stderr=True)
    shape = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
             TimeRemainingColumn())  # fmt: skip
    with Bars(*shape, console=console, transient=True, disable=not console.is_terminal) as drawn:
        begun: dict[str, TaskID] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in begun:
                begun[what] = drawn.add_task(what, total=total)
            drawn.update(begun[what], completed=done, total=total)

        yield progress
