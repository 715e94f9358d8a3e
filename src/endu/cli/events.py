"""`endu record` and `endu events tail`: send one event, and watch events come in."""

import json
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.text import Text

from endu.cli.operator import PAGE, Operator, for_operator
from endu.cli.stop import USAGE, Stop

app = typer.Typer(help="Events as they come in.", no_args_is_help=True)

POLL_SECONDS = 1.0  # a settled event is at most so much older when it is shown


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


@app.command("tail")
@for_operator
def tail(
    operator: Operator,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Begin with so many.")] = 10,
    follow: Annotated[bool, typer.Option(help="Go on until Ctrl-C.")] = True,
) -> None:
    """The newest events, and those that come in from now on."""
    with suppress(KeyboardInterrupt):
        asked: dict[str, Any] = {"limit": limit, "fresh": True}
        while True:
            page = operator.ask("GET", "/events", params=asked)
            for event in page["items"]:
                operator.show(event, Text(line_of(event)))
            if not follow:
                return
            if not page["items"]:
                time.sleep(POLL_SECONDS)
            asked = {"limit": PAGE, "cursor": page["next"]}


def line_of(event: dict[str, Any]) -> str:
    who = " ".join(event["identifiers"]) or "nobody"
    data = json.dumps(event["event_data"], ensure_ascii=False)
    return f"{event['timestamp']} {event['event_type']} {event['property_id']} {who} {data}"


def _read_event(file: Path | None) -> dict[str, Any]:
    try:
        text = sys.stdin.buffer.read() if file is None else file.read_bytes()
        return msgspec.json.decode(text, type=dict[str, Any])
    except (OSError, msgspec.DecodeError) as mistake:
        raise Stop(f"That is not one event in JSON: {mistake}.", USAGE) from mistake


def _codes(header: str) -> list[str]:
    return [code.strip() for code in header.split(",") if code.strip()]
