"""`endu record` and `endu events tail`: send one event, and watch events come in."""

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.text import Text

from endu.cli.operator import Operator, for_operator
from endu.cli.stop import USAGE, Stop

app = typer.Typer(help="Events as they come in.", no_args_is_help=True)


@for_operator
def record(
    operator: Operator,
    file: Annotated[
        Path | None, typer.Argument(help="A file with one event in JSON; without it: stdin.")
    ] = None,
) -> None:
    """Record one event. organization_id and timestamp are put in where they are missing."""
    event = {
        "organization_id": operator.organization_id,
        "timestamp": int(time.time()),
        **_read_event(file),
    }
    answer = operator.send("POST", "/events/record", event)
    kept = {
        "record_id": answer.headers["Endu-Record-Id"],
        "warnings": _codes(answer.headers.get("Endu-Warning", "")),
    }
    warnings = f" ({', '.join(kept['warnings'])})" if kept["warnings"] else ""
    operator.show(kept, Text(f"Kept as {kept['record_id']}{warnings}"))


def _read_event(file: Path | None) -> dict[str, Any]:
    try:
        text = sys.stdin.buffer.read() if file is None else file.read_bytes()
        return msgspec.json.decode(text, type=dict[str, Any])
    except (OSError, msgspec.DecodeError) as mistake:
        raise Stop(f"That is not one event in JSON: {mistake}.", USAGE) from mistake


def _codes(header: str) -> list[str]:
    return [code.strip() for code in header.split(",") if code.strip()]
