"""`endu retention`: of those who did one thing, how many came back for another."""

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
    StepText,
    breakdown,
    for_question,
)

CELL_WIDTH = 6


class RetentionWords(Struct, frozen=True, kw_only=True):
    """What retention is asked with."""

    start: StepText
    back: Annotated[
        str | None,
        typer.Argument(metavar="[RETURN]", help="The same; without it: START again."),
    ] = None
    period: Annotated[
        Literal["day", "week", "month"], typer.Option(help="How long a period is.")
    ] = "week"
    periods: Annotated[int, typer.Option(help="How many, the first one included.")] = 8
    who: Annotated[
        Literal["recurring", "first_time", "first_ever"], typer.Option(help="Whose starts count.")
    ] = "recurring"
    returned: Annotated[
        Literal["on", "on_or_after"], typer.Option(help="In the period, or in it or later.")
    ] = "on"
    clock: Annotated[
        Literal["calendar", "rolling"], typer.Option(help="rolling: from each person's start.")
    ] = "calendar"
    by: BreakdownText = None
    groups: Groups = 10


@for_question
def retention(asking: Asking, said: RetentionWords) -> None:
    """Of those who START, how many come back for RETURN in each period after."""
    answer = asking.ask(
        "retention",
        {
            "start": words.step(said.start),
            "return": None if said.back is None else words.step(said.back),
            "period": said.period,
            "periods": said.periods,
            "who": said.who,
            "returned": said.returned,
            "clock": said.clock,
            "breakdown": breakdown(said.by, said.groups),
        },
    )
    room = (asking.width - len("2024-01-01 1,000,000")) // CELL_WIDTH
    drawn = _drawn(answer, (said.by, said.period, asking.timezone), max(room, 1))
    asking.show(answer, list(_rows(answer)), drawn)


def _rows(answer: Any) -> Iterator[Row]:
    for group, cohorts, _ in _parts(answer):
        for cohort in cohorts:
            for nth, cell in enumerate(cohort["cells"]):
                yield {
                    "group": group,
                    "cohort": cohort["at"],
                    "size": cohort["people"],
                    "period": nth,
                    **cell,
                }


def _drawn(answer: Any, said: tuple[str | None, str, str], room: int) -> RenderableType:
    by, period, timezone = said
    parts: list[RenderableType] = [charts.about(answer)]
    for group, cohorts, mean in _parts(answer):
        if group is not None:
            parts.append(Text(f"\n{by}: {group}", "bold"))
        parts.append(_head(period, min(len(mean), room)))
        parts += [_line(cohort, period, timezone, room) for cohort in cohorts]
        parts.append(_means(mean[:room]))
    cells = [cell for cohort in answer["cohorts"] for cell in cohort["cells"][:room]]
    if not all(cell["complete"] for cell in cells):
        parts.append(Text("* not over yet, and left out of the mean", "dim"))
    if len(answer["mean"]) > room:
        parts.append(Text(f"{len(answer['mean']) - room} more periods are in --csv.", "dim"))
    return Group(*parts)


def _parts(answer: Any) -> Iterator[tuple[str | None, list[Any], list[Any]]]:
    yield None, answer["cohorts"], answer["mean"]
    for group in answer["groups"]:
        yield group["value"], group["cohorts"], group["mean"]


def _head(period: str, periods: int) -> Text:
    numbers = "".join(f"{nth} ".rjust(CELL_WIDTH) for nth in range(periods))
    return Text(f"{period:<10} {'people':>9}{numbers}", "bold")


def _line(cohort: Any, period: str, timezone: str, room: int) -> Text:
    """What has not begun yet is a star alone."""
    drawn = Text(f"{charts.when(cohort['at'], period, timezone):<10} {cohort['people']:>9,}")
    for cell in cohort["cells"][:room]:
        waits = not cell["complete"] and not cell["people"]
        if waits and cell["share"] is not None:
            drawn.append("*".rjust(CELL_WIDTH), "dim")
        else:
            drawn.append(charts.shaded(cell["share"], cell["complete"], CELL_WIDTH))
    return drawn


def _means(mean: list[float | None]) -> Text:
    shares = "".join(f"{charts.percent(share)} ".rjust(CELL_WIDTH) for share in mean)
    return Text(f"{'mean':<10} {'':>9}{shares}", "bold")
