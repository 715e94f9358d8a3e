"""`endu drivers`: what goes with reaching a goal, or with falling silent."""

from typing import Annotated, Any

import typer
from msgspec import Struct, field
from rich.console import Group, RenderableType
from rich.text import Text

from endu.cli.questions import charts, words
from endu.cli.questions.question import Asking, Row, for_question
from endu.cli.stop import USAGE, Stop

FAMILIES = ("event_types", "counts", "platforms")


class DriversWords(Struct, frozen=True, kw_only=True):
    """What drivers are asked with."""

    goal: Annotated[
        str | None,
        typer.Argument(help=r"A step: ITEM_PURCHASED, 'ITEM_PURCHASED\[event_data.price>=10]'"),
    ] = None
    silent: Annotated[
        int | None, typer.Option(help="Instead of a goal: days without any event.")
    ] = None
    population: Annotated[
        str | None, typer.Option(help="Whom it is about: who did this step; without it: all.")
    ] = None
    candidates: Annotated[
        list[str],
        typer.Option("--candidate", help="Or a field, such as event_data.tier."),
    ] = field(default_factory=lambda: [*FAMILIES])
    within: Annotated[str, typer.Option(help="From a person's start: 7d, 2w.")] = "14d"
    minimum_support: Annotated[
        int | None, typer.Option(help="People with a behaviour, and without, at least.")
    ] = None
    top: Annotated[int, typer.Option(help="How many are shown.")] = 20


@for_question
def drivers(asking: Asking, said: DriversWords) -> None:
    """What those who reach a goal did before, and others did not. Associated, not the cause."""
    if (said.goal is None) == (said.silent is None):
        raise Stop("Say a goal, or --silent DAYS.", USAGE)
    body: Row = {
        "goal": {"silent_days": said.silent} if said.goal is None else words.step(said.goal),
        "population": None if said.population is None else words.step(said.population),
        "candidates": [_candidate(each) for each in said.candidates],
        "within": words.duration(said.within),
        "minimum_support": said.minimum_support,
    }
    answer = asking.ask("drivers", body)
    rows = [{**each["behaviour"], **_numbers(each)} for each in answer["drivers"]]
    asking.show(answer, rows, _drawn(answer, said.top))


def _candidate(text: str) -> Any:
    return text if text in FAMILIES else {"field": text}


def _numbers(driver: Row) -> Row:
    return {name: value for name, value in driver.items() if name != "behaviour"}


def _drawn(answer: Any, top: int) -> RenderableType:
    rate = charts.percent(answer["rate"], 1) or "nobody"
    rows = [
        {
            "behaviour": each["text"].rpartition(": ")[0],
            "people": charts.number(each["people_with"]),
            "with": charts.percent(each["rate_with"], 1),
            "without": charts.percent(each["rate_without"], 1),
            "lift": "" if each["lift"] is None else f"{each['lift']:.2f}",
            "odds (95%)": _odds(each),
            "q": f"{each['q']:.2g}",
        }
        for each in answer["drivers"][:top]
    ]
    tried = answer["candidates"]
    head = f"{answer['reached']:,} of {answer['people']:,} people reached it ({rate})."
    note = (
        f"{tried['tried']:,} behaviours tried, those of at least {answer['minimum_support']:,} "
        "people. They are associated with the goal, which does not say that they bring it about. "
        "q: the share of false finds among all that are as good."
    )
    drawn = charts.rows_of(rows, "behaviour")
    return Group(charts.about(answer), Text(head), Text(""), drawn, Text(f"\n{note}", "dim"))


def _odds(driver: Any) -> str:
    low, high = driver["odds_low"], driver["odds_high"]
    return f"{driver['odds_ratio']:.2g} ({low:.2g}–{high:.2g})"
