"""`endu funnel`: how many people go from one step to the next, and how long it takes them."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import typer
from msgspec import Struct
from rich.console import Group, RenderableType
from rich.text import Text

from endu.cli.questions import charts, words
from endu.cli.questions.question import (
    Asking,
    BreakdownText,
    Groups,
    Row,
    StepTexts,
    breakdown,
    for_question,
)

BAR_WIDTH = 8


class FunnelWords(Struct, frozen=True, kw_only=True):
    """What a funnel is asked with."""

    steps: StepTexts
    within: Annotated[str, typer.Option(help="For the whole way: 30m, 12h, 7d, 2w.")] = "14d"
    order: Annotated[
        Literal["ordered", "strict", "any"],
        typer.Option(help="strict: nothing of the other steps in between."),
    ] = "ordered"
    entry: Annotated[
        Literal["best", "first"], typer.Option(help="The entry that goes furthest, or the first.")
    ] = "best"
    ties: Annotated[
        Literal["any", "arrival"], typer.Option(help="How events of one second are ordered.")
    ] = "any"
    exclude: Annotated[list[str], typer.Option(help="A step that must not come in between.")] = []
    hold: Annotated[list[str], typer.Option(help="Equal on all steps: event_data.order_id.")] = []
    by: BreakdownText = None
    groups: Groups = 10
    at: Annotated[
        str, typer.Option(help="Of which step the breakdown is: entry, first, last, step:2.")
    ] = "entry"


@for_question
def funnel(asking: Asking, said: FunnelWords) -> None:
    """How many people go from step to step, and how long they take."""
    by = breakdown(said.by, said.groups)
    answer = asking.ask(
        "funnel",
        {
            "steps": [words.step(each) for each in said.steps],
            "within": words.duration(said.within),
            "order": said.order,
            "entry": said.entry,
            "ties": said.ties,
            "exclude": [words.step(each) for each in said.exclude],
            "hold": said.hold,
            "breakdown": None if by is None else {**by, "at": said.at},
        },
    )
    asking.show(answer, list(_rows(answer)), _drawn(answer, said.by))


def _rows(answer: Any) -> Iterator[Row]:
    for group, steps in _parts(answer):
        for nth, step in enumerate(steps, 1):
            shown = {name: value for name, value in step.items() if name != "event_ids"}
            yield {"group": group, "step": nth, **shown}


def _drawn(answer: Any, by: str | None) -> RenderableType:
    parts: list[RenderableType] = [charts.about(answer)]
    for group, steps in _parts(answer):
        if group is not None:
            parts.append(Text(f"\n{by}: {group}", "bold"))
        parts.append(_steps(steps))
    return Group(*parts)


def _parts(answer: Any) -> Iterator[tuple[str | None, list[Any]]]:
    yield None, answer["steps"]
    for group in answer["groups"]:
        yield group["value"], group["steps"]


def _steps(steps: list[Any]) -> RenderableType:
    rows = [
        {
            "step": step["label"],
            "people": charts.number(step["people"]),
            "of all": charts.percent(step["from_start"], 1),
            "": charts.bar(step["from_start"], BAR_WIDTH),
            "of last": charts.percent(step["from_previous"], 1),
            "dropped": charts.number(step["dropped"]),
            "median": charts.duration(step["median_seconds"]),
            "p90": charts.duration(step["p90_seconds"]),
        }
        for step in steps
    ]
    return charts.rows_of(rows, "step")
