"""`endu paths`: what people do next, one thing after the other."""

from typing import Annotated, Any, Literal

import typer
from msgspec import Struct
from rich.console import Group, RenderableType
from rich.text import Text

from endu.cli.questions import charts, words
from endu.cli.questions.question import Asking, for_question
from endu.cli.stop import USAGE, Stop

LINKS_SHOWN = 15


class PathsWords(Struct, frozen=True, kw_only=True):
    """What paths are asked with."""

    start: Annotated[
        str | None, typer.Option(help="Paths from this step on; ITEM_PURCHASED and the like.")
    ] = None
    end: Annotated[str | None, typer.Option(help="Paths up to this step.")] = None
    depth: Annotated[int, typer.Option(help="How many steps a path has at most.")] = 5
    gap: Annotated[str, typer.Option(help="The silence that ends a session.")] = "30m"
    nodes: Annotated[
        Literal["event_type", "platform_and_event_type"], typer.Option(help="What a step is.")
    ] = "event_type"
    repeats: Annotated[bool, typer.Option(help="Keep repeats one after the other.")] = False
    exclude: Annotated[list[str], typer.Option(help="A step that is left out.")] = []
    top: Annotated[int, typer.Option(help="How many paths are shown.")] = 20


@for_question
def paths(asking: Asking, said: PathsWords) -> None:
    """What people do one after the other within a session, the most common ways first."""
    if said.start is not None and said.end is not None:
        raise Stop("Say --start or --end, not both.", USAGE)
    anchor = {"start": said.start, "end": said.end}
    given = {name: words.step(text) for name, text in anchor.items() if text is not None}
    answer = asking.ask(
        "paths",
        {
            "anchor": given or None,
            "depth": said.depth,
            "session_gap": words.duration(said.gap),
            "nodes": said.nodes,
            "collapse_repeats": not said.repeats,
            "exclude": [words.step(each) for each in said.exclude],
            "top": said.top,
        },
    )
    rows = [{**each, "steps": " > ".join(each["steps"])} for each in answer["sequences"]]
    asking.show(answer, rows, _drawn(answer))


def _drawn(answer: Any) -> RenderableType:
    most = max((each["people"] for each in answer["sequences"]), default=0) or 1
    sequences = [
        {
            "people": charts.number(each["people"]),
            "": charts.bar(each["people"] / most, 10),
            "path": " → ".join(each["steps"]),
        }
        for each in answer["sequences"]
    ]
    links = [
        {
            "position": str(link["from"][0]),
            "people": charts.number(link["people"]),
            "times": charts.number(link["transitions"]),
            "link": f"{link['from'][1]} → {link['to'][1]}",
        }
        for link in answer["links"][:LINKS_SHOWN]
    ]
    covered = charts.percent(answer["share_covered"], 1)
    parts: list[RenderableType] = [charts.about(answer)]
    if covered:
        parts.append(Text(f"These are {covered} of all paths."))
    parts += [Text(""), charts.rows_of(sequences, "path")]
    parts.append(Text(f"\nFrom one to the next (the {LINKS_SHOWN} with the most people)\n"))
    parts.append(charts.rows_of(links, "link"))
    return Group(*parts)
