"""`endu export`: everything about one person, an object a line."""

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from endu.cli.identities import Who, find
from endu.cli.operator import Operator, for_operator
from endu.cli.stop import Stop


@for_operator
def export(
    operator: Operator,
    who: Who,
    to: Annotated[
        Path | None,
        typer.Option("--to", help="A file; without it: stdout. Nobody else may read it."),
    ] = None,
) -> None:
    """Everything about one person, as NDJSON: the identity, events, journal, rules, conflicts."""
    number = find(operator, who)["c_user_id"]
    lines = operator.lines(f"/identities/{number}/export", {"fresh": True})
    if to is None:
        for line in lines:
            sys.stdout.write(line + "\n")
        return
    try:
        last = _save(lines, to)
    except OSError as problem:
        raise Stop(f"{to} cannot be written: {problem.strerror}.") from problem
    if last.get("what") != "end":
        raise Stop(f"The export broke off: {to} is not whole. Export again.")
    counts = ", ".join(f"{count:,} {what}" for what, count in last["data"].items())
    operator.show({"file": str(to), **last["data"]}, Text(f"{to}: {counts}"))


def _save(lines: Iterable[str], to: Path) -> dict[str, Any]:
    """Answers with the last line."""
    last = "{}"
    descriptor = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        for last in lines:
            file.write(last + "\n")
    return dict(json.loads(last))
