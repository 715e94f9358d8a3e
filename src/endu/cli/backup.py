"""`endu backup`, beside a server or without one; `endu restore`, into a directory of its own."""

import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from endu.cli.engine import load_engine
from endu.cli.operator import AsJson, settings_for
from endu.cli.stop import DAMAGED, Stop
from endu.cli.upkeep import Data, working
from endu.stores.backup import back_up
from endu.stores.restore import put_back

Target = Annotated[Path, typer.Argument(help="A directory that is empty or not there yet.")]
Backup = Annotated[Path, typer.Argument(help="What `endu backup` made.")]
Restored = Annotated[
    Path | None,
    typer.Option(help="The new data directory, empty or not there yet.", show_default="endu-data"),
]


def backup(target: Target, data: Data = None, json: AsJson = False) -> None:
    """Copy the log, the registry and the operator key, while the server runs or not."""
    settings = settings_for(data)
    with working() as progress:
        done = back_up(settings.data, target, lambda: time.time_ns() // 1_000_000, progress)
    if json:
        print(msgspec.json.encode(done).decode())
    else:
        print(f"{done.files} files, {done.bytes:,} bytes: the log up to its record {done.log_end}.")
        for damage in done.damage:
            print(f"  {damage.where}: {damage.what}")
    if done.damage:
        raise Stop("The log was damaged before, and so is its copy; see docs/backup.md.", DAMAGED)


def restore(backup: Backup, data: Restored = None, json: AsJson = False) -> None:
    """Make a data directory of a backup, with the same log and the same answers."""
    settings = settings_for(data)
    with working() as progress:
        put_back(backup, settings.data, progress)
        done = load_engine().rebuild(settings, progress)
    if json:
        print(msgspec.json.encode(done).decode())
    else:
        print(f"{done.records:,} records restored and settled, {done.events:,} of them events.")
        print(f"Start it with `endu up --data {settings.data}`.")
