"""`endu sql`: one SELECT, its rows as a table or in a file."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group

from endu.cli.operator import Operator, for_operator, warn
from endu.cli.questions import charts
from endu.cli.questions.question import Csv, Parquet
from endu.cli.stop import USAGE, Stop
from endu.cli.tables import table

TRUNCATED = "There are more rows than are answered at once."


@for_operator
def sql(
    operator: Operator,
    statement: Annotated[str | None, typer.Argument(help="One SELECT; without it: stdin.")] = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option("--parameter", help="name=value, for {name:Type} in the statement."),
    ] = None,
    csv: Csv = False,
    parquet: Parquet = None,
) -> None:
    """Ask in SQL, over the views `events`, `identities` and `event_types`."""
    body: dict[str, Any] = {
        "sql": sys.stdin.read() if statement is None else statement,
        "parameters": dict(_parameter(each) for each in parameters or []),
        "fresh": True,
    }
    if parquet is not None:
        _save(_asked(operator, body, "parquet"), parquet)
    if csv:
        print(_asked(operator, body, "csv").decode(), end="")
    elif parquet is None or operator.as_json:
        _show(operator, operator.ask("POST", "/journeys/sql", body=body))


def _show(operator: Operator, answer: Any) -> None:
    names = [column["name"] for column in answer["columns"]]
    rows = [{str(nth): value for nth, value in enumerate(row)} for row in answer["rows"]]
    drawn = table(rows, [str(nth) for nth in range(len(names))], names)
    operator.show(answer, Group(charts.about(answer), drawn))
    if answer["truncated"]:
        warn(TRUNCATED)


def _asked(operator: Operator, body: dict[str, Any], form: str) -> bytes:
    answer = operator.send("POST", "/journeys/sql", {**body, "format": form})
    if answer.headers.get("Endu-Truncated") == "true":
        warn(TRUNCATED)
    return answer.content


def _save(content: bytes, file: Path) -> None:
    try:
        file.write_bytes(content)
    except OSError as problem:
        raise Stop(f"{file} cannot be written: {problem.strerror}.") from problem


def _parameter(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Stop(f"--parameter {text}: say NAME=VALUE.", USAGE)
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
