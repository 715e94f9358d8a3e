"""`endu demo`: made-up people in an organization of their own, and three questions about them
whose answers are known before they are asked."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from msgspec import Struct
from rich.console import Group, RenderableType
from rich.text import Text

from endu.cli.demo.filling import Filled, fill, is_full
from endu.cli.demo.plan import Plan, monday_before
from endu.cli.demo.questions import Answered, Question, questions_of
from endu.cli.demo.story import Event, events_of
from endu.cli.operator import AsJson, Data, Operator, settings_for
from endu.cli.stop import Stop
from endu.cli.tables import table
from endu.cli.upkeep import bars

NAMED = re.compile(r"demo(?: (\d+))?")

Again = Annotated[
    bool, typer.Option("--again", help="Make another one beside those that are there.")
]


class Demo(Struct, frozen=True):
    """An organization that was made for this. Its name and the day it was made fix its story."""

    organization_id: str
    name: str
    plan: Plan


def demo(data: Data = None, again: Again = False, as_json: AsJson = False) -> None:
    """Fill an organization "demo" with 50,000 events of people made up for it, and ask three
    questions whose answers are known. Where it is already there, only ask."""
    settings = settings_for(data)
    instance = Operator(settings, None, as_json)
    with instance.client:
        chosen = _choose(instance, again)
    operator = Operator(settings, chosen.organization_id, as_json)
    with operator.client:
        filled = _fill(operator, events_of(chosen.plan, chosen.organization_id))
        answers = [_ask(operator, question) for question in questions_of(chosen.plan)]
    operator.show(_told(chosen, filled, answers), _drawn(chosen, filled, answers))
    for answered in answers:
        if not answered.as_planned:
            raise Stop(f"The answer to {answered.question.name} is not what was planned.")


def _choose(operator: Operator, again: bool) -> Demo:
    """The newest one there is; made where there is none, or where another is wanted."""
    demos = [
        _demo(each)
        for each in operator.pages("/organizations", for_organization=False)
        if NAMED.fullmatch(each["name"])
    ]
    if demos and not again:
        return demos[-1]
    number = max((each.plan.seed for each in demos), default=0) + 1
    name = "demo" if number == 1 else f"demo {number}"
    made = operator.ask("POST", "/organizations", body={"name": name}, for_organization=False)
    return _demo(made)


def _demo(organization: dict[str, Any]) -> Demo:
    named = NAMED.fullmatch(organization["name"])
    seed = int(named[1]) if named and named[1] else 1
    made_at = datetime.fromisoformat(organization["created_at"])
    plan = Plan(seed=seed, ends_at_s=monday_before(made_at))
    return Demo(organization["organization_id"], organization["name"], plan)


def _fill(operator: Operator, events: list[Event]) -> Filled:
    if is_full(operator, events):
        return Filled(0, 0)
    with bars() as progress:
        filled = fill(operator, events, progress)
    if not is_full(operator, events):
        raise Stop("The server took the events and does not find them.")
    return filled


def _ask(operator: Operator, question: Question) -> Answered:
    answer = operator.ask("POST", f"/journeys/{question.name}", body=question.asked)
    return Answered(question, question.facts_of(answer))


def _told(chosen: Demo, filled: Filled, answers: Sequence[Answered]) -> dict[str, Any]:
    return {
        "organization_id": chosen.organization_id,
        "name": chosen.name,
        "events": chosen.plan.events,
        "people": chosen.plan.visitors,
        "sent": filled.events,
        "seconds": filled.seconds,
        "questions": [
            {
                "name": answered.question.name,
                "asked": answered.question.asked,
                "answer": answered.facts,
                "planned": answered.question.planned,
                "as_planned": answered.as_planned,
            }
            for answered in answers
        ],
    }


def _drawn(chosen: Demo, filled: Filled, answers: Sequence[Answered]) -> RenderableType:
    what = f"{chosen.plan.events:,} events of {chosen.plan.visitors:,} people"
    where = f"the organization {chosen.name!r} ({chosen.organization_id})"
    if filled.events:
        speed = filled.events / filled.seconds
        head = f"Sent {what} to {where} in {filled.seconds:.1f} s ({speed:,.0f} a second)."
    else:
        head = f"{what} are in {where} already; --again makes another one."
    parts: list[RenderableType] = [Text(head)]
    for answered in answers:
        planned, found = answered.question.planned, answered.facts
        rows = [
            {"what": name, "answer": found.get(name), "planned": planned.get(name)}
            for name in {**planned, **found}
        ]
        words = Text(f"\n{answered.question.words}", "bold")
        parts += [words, table(rows, ["what", "answer", "planned"])]
    return Group(*parts)
