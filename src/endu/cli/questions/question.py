"""What all questions share at the command line: their options, and how they are asked."""

import inspect
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_type_hints

import typer
from msgspec import Struct
from rich.console import RenderableType

from endu.cli.operator import Operator, for_operator
from endu.cli.options import parameters_of
from endu.cli.questions import words
from endu.cli.questions.files import as_csv, write_parquet
from endu.cli.stop import USAGE, Stop

W = TypeVar("W", bound=Struct)
Row = dict[str, Any]

_STEP = r"ITEM_PURCHASED; CLICK,PAGE_VIEW for either; any; 'ITEM_PURCHASED\[platform=web]'"
StepText = Annotated[str, typer.Argument(help=_STEP)]
StepTexts = Annotated[list[str], typer.Argument(help=_STEP)]
BreakdownText = Annotated[
    str | None, typer.Option("--breakdown", help="A field, such as platform.")
]
Groups = Annotated[int, typer.Option(help="How many groups have names.")]
Csv = Annotated[bool, typer.Option("--csv", help="Answer as CSV.")]
Parquet = Annotated[Path | None, typer.Option(help="Write the answer into this file.")]


class Shared(Struct, frozen=True, kw_only=True):
    """The options that every question has."""

    since: Annotated[
        str | None, typer.Option("--from", help="A date, RFC 3339 or Unix seconds.")
    ] = None
    to: Annotated[
        str | None, typer.Option(help="The same; not itself included. Without it: now.")
    ] = None
    last: Annotated[
        str | None, typer.Option(help="Instead of --from: 30d, 12h, 2w.", show_default="30d")
    ] = None
    timezone: Annotated[str, typer.Option(help="IANA name.")] = "UTC"
    week_start: Annotated[Literal["monday", "sunday"], typer.Option(help="When weeks begin.")] = (
        "monday"
    )
    where: Annotated[
        list[str],
        typer.Option(help="'event_data.price>=10', 'platform=discord,telegram'; all must hold."),
    ] = []
    csv: Csv = False
    parquet: Parquet = None

    @property
    def body(self) -> Row:
        """The part of a question that all have. Raises Stop."""
        body: Row = {"timezone": self.timezone, "week_start": self.week_start}
        if self.where:
            body["where"] = [words.condition(each) for each in self.where]
        if self.to is not None:
            body["to"] = words.moment(self.to, self.timezone)
        if self.since is not None and self.last is not None:
            raise Stop("Say --from or --last, not both.", USAGE)
        if self.since is not None:
            body["from"] = words.moment(self.since, self.timezone)
        elif self.last is not None:
            body["from"] = _before(body.get("to"), words.seconds_of(words.duration(self.last)))
        return body


class Asking:
    """One question on its way to the server, and its answer on the way to people or files."""

    def __init__(self, operator: Operator, shared: Shared) -> None:
        self.timezone = shared.timezone
        self.width = operator.console.width
        self._operator = operator
        self._shared = shared

    def ask(self, name: str, body: Row) -> Any:
        """What is None is left out. Everything acknowledged before is in the answer."""
        said = {name: value for name, value in body.items() if value is not None}
        asked = {**self._shared.body, **said, "fresh": True}
        return self._operator.ask("POST", f"/journeys/{name}", body=asked)

    def show(self, answer: Any, rows: list[Row], drawn: RenderableType) -> None:
        """`rows` are what CSV and Parquet have of it."""
        shared = self._shared
        if shared.parquet is not None:
            write_parquet(rows, shared.parquet)
        if shared.csv:
            print(as_csv(rows), end="")
        elif shared.parquet is None or self._operator.as_json:
            self._operator.show(answer, drawn)


def for_question(command: Callable[[Asking, W], None]) -> Callable[..., None]:
    """Makes a command of a function that takes the words of its own as a Struct, whose fields are
    the command's arguments and options; those that all questions share come behind them."""
    own: type[W] = get_type_hints(command)["said"]

    @wraps(command)
    def with_options(operator: Operator, /, **said: Any) -> None:
        shared = Shared(**{name: said.pop(name) for name in Shared.__struct_fields__})
        command(Asking(operator, shared), own(**said))

    operator = inspect.Parameter("operator", inspect.Parameter.POSITIONAL_ONLY)
    with_options.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [operator, *parameters_of(own), *parameters_of(Shared)]
    )
    return for_operator(with_options)


def breakdown(field: str | None, groups: int) -> Row | None:
    return None if field is None else {"field": field, "limit": groups}


def _before(to: str | float | None, seconds: int) -> float:
    if to is None:
        return int(time.time()) - seconds
    if isinstance(to, str):
        raise Stop("With --last, say --to as a date or in Unix seconds.", USAGE)
    return to - seconds
