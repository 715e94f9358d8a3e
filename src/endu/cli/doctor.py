"""`endu doctor`: whether this machine and this directory are fit for what Endu promises."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from endu.cli.checkup import look_at
from endu.cli.operator import AsJson, settings_for
from endu.cli.stop import Stop
from endu.cli.tables import table

Data = Annotated[Path | None, typer.Option(help="The data directory.", show_default="endu-data")]


def doctor(data: Data = None, json: AsJson = False) -> None:
    """Look at the machine and the data directory, and say what to change. Changes nothing."""
    findings = list(look_at(settings_for(data)))
    wrong = [finding for finding in findings if finding.change]
    if json:
        print(msgspec.json.encode({"well": not wrong, "findings": findings}).decode())
    else:
        rows = [msgspec.to_builtins(finding) for finding in findings]
        Console().print(table(rows, ["check", "found", "change"]))
    if wrong:
        raise Stop(f"{len(wrong)} to change: {', '.join(each.check for each in wrong)}.")
