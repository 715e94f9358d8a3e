"""`endu trend`: how many, how often, how much, in each hour, day, week or month."""

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
from endu.cli.tables import table

Measure = Literal["events", "people", "sum", "average", "min", "max", "p50", "p90", "p99"]


class TrendWords(Struct, frozen=True, kw_only=True):
    """What a trend is asked with."""

    event_types: StepTexts
    measure: Annotated[Measure, typer.Option(help="What is counted.")] = "events"
    of: Annotated[str | None, typer.Option(help="The numbers: event_data.price.")] = None
    interval: Annotated[
        Literal["hour", "day", "week", "month"], typer.Option(help="How long a point is.")
    ] = "day"
    by: BreakdownText = None
    groups: Groups = 10
    compare: Annotated[bool, typer.Option("--compare", help="The period before, too.")] = False


@for_question
def trend(asking: Asking, said: TrendWords) -> None:
    """How many, how often or how much there was in each hour, day, week or month."""
    measured = {"measure": said.measure, **({"of": said.of} if said.of else {})}
    series = [{**words.step(each), **measured} for each in said.event_types]
    answer = asking.ask(
        "trend",
        {
            "series": series,
            "interval": said.interval,
            "breakdown": breakdown(said.by, said.groups),
            "compare": said.compare,
        },
    )
    asking.show(answer, list(_rows(answer)), _drawn(answer, said.interval, asking.timezone))


def _rows(answer: Any) -> Iterator[Row]:
    for period, lines in (("asked", answer["series"]), ("before", answer["before"] or [])):
        for line in lines:
            for point in line["points"]:
                yield {"period": period, "label": line["label"], "group": line["group"], **point}


def _drawn(answer: Any, interval: str, timezone: str) -> RenderableType:
    parts: list[RenderableType] = [charts.about(answer)]
    for title, lines in (("", answer["series"]), ("The period before", answer["before"] or [])):
        if lines and title:
            parts.append(Text(f"\n{title}", "bold"))
        if len(lines) == 1:
            parts.append(_points(lines[0], interval, timezone))
        elif lines:
            parts.append(_lines(lines))
    return Group(*parts)


def _points(line: Any, interval: str, timezone: str) -> RenderableType:
    """One line: a bar for each point."""
    largest = max((abs(point["value"] or 0) for point in line["points"]), default=0) or 1
    rows = [
        {
            "at": charts.when(point["at"], interval, timezone),
            "value": charts.number(point["value"]),
            "bar": charts.bar(abs(point["value"] or 0) / largest)
            + ("" if point["complete"] else " …"),
        }
        for point in line["points"]
    ]
    return table(rows, ["at", "value", "bar"], [interval, line["label"], ""])


def _lines(lines: list[Any]) -> RenderableType:
    """Several: a row and a curve for each."""
    rows = []
    for line in lines:
        values = [point["value"] for point in line["points"]]
        known = [value for value in values if value is not None]
        rows.append(
            {
                "series": line["label"],
                "group": line["group"],
                "least": charts.number(min(known, default=None)),
                "most": charts.number(max(known, default=None)),
                "last": charts.number(values[-1] if values else None),
                "curve": charts.line(values),
            }
        )
    columns = ["series", "group", "least", "most", "last", "curve"]
    grouped = any(line["group"] is not None for line in lines)
    return table(rows, columns if grouped else [name for name in columns if name != "group"])
