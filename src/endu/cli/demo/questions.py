"""Three questions about the demonstration: the answers by the plan, and those that come."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from msgspec import Struct

from endu.cli.demo.plan import BOUGHT, CLICKED, JOINED, SIGNED_IN, SOLVED, UPGRADED, WROTE, Plan

Body: TypeAlias = dict[str, Any]
Facts: TypeAlias = dict[str, str]  # what is counted, and its value in words

WITHIN = {"days": 14}


class Question(Struct, frozen=True):
    """`asked` is the body for /journeys/{name}; `facts_of` reads its answer into the names that
    `planned` has."""

    name: str
    words: str
    asked: Body
    planned: Facts
    facts_of: Callable[[Mapping[str, Any]], Facts]


class Answered(Struct, frozen=True):
    question: Question
    facts: Facts

    @property
    def as_planned(self) -> bool:
        return self.facts == self.question.planned


def questions_of(plan: Plan) -> Sequence[Question]:
    times = {"from": _rfc3339(plan.begins_at_s), "to": _rfc3339(plan.ends_at_s)}
    return (_funnel(plan, times), _retention(plan, times), _drivers(plan, times))


def _funnel(plan: Plan, times: Body) -> Question:
    names = (CLICKED, SIGNED_IN, BOUGHT)
    people = (plan.visitors, plan.signed_in, plan.bought)
    return Question(
        "funnel",
        "Of those who clicked a link, how many signed in with a wallet and bought within 14 days? "
        "They click in a browser, sign in with a wallet and buy on Discord, Telegram or the site.",
        {"steps": [_step(name) for name in names], "within": WITHIN, **times},
        {
            name: _people(count, count / plan.visitors)
            for name, count in zip(names, people, strict=True)
        },
        lambda answer: {
            step["label"]: _people(step["people"], step["from_start"]) for step in answer["steps"]
        },
    )


def _retention(plan: Plan, times: Body) -> Question:
    asked = {
        "start": _step(JOINED),
        "return": _step(WROTE),
        "period": "week",
        "periods": len(plan.returned),
        "who": "first_time",
        **times,
    }
    return Question(
        "retention",
        "Of those who joined the community, how many wrote something in the weeks after?",
        asked,
        {
            f"week {week}": _people(plan.cohorts * count, count / plan.cohort)
            for week, count in enumerate(plan.returned)
        },
        _facts_of_retention,
    )


def _facts_of_retention(answer: Mapping[str, Any]) -> Facts:
    cohorts = [cohort["cells"] for cohort in answer["cohorts"] if cohort["people"]]
    return {
        f"week {week}": _people(sum(cells[week]["people"] for cells in cohorts), mean)
        for week, mean in enumerate(answer["mean"])
    }


def _drivers(plan: Plan, times: Body) -> Question:
    asked = {
        "goal": _step(UPGRADED),
        "population": _step(JOINED),
        "candidates": ["event_types", "platforms", {"field": "event_data.tier"}],
        "within": WITHIN,
        **times,
    }
    rate_with = plan.upgraded_with / plan.solved
    rate_without = plan.upgraded_without / (plan.members - plan.solved)
    return Question(
        "drivers",
        "What is associated with upgrading a membership, among those who joined?",
        asked,
        {
            "first of the list": SOLVED,
            "of those who did": _people(plan.solved, rate_with),
            "of the others": _people(plan.members - plan.solved, rate_without),
            "lift": f"{rate_with / rate_without:.2f}",
        },
        _facts_of_drivers,
    )


def _facts_of_drivers(answer: Mapping[str, Any]) -> Facts:
    if not answer["drivers"]:
        return {"first of the list": "nothing"}
    first = answer["drivers"][0]
    return {
        "first of the list": first["behaviour"]["value"],
        "of those who did": _people(first["people_with"], first["rate_with"]),
        "of the others": _people(first["people_without"], first["rate_without"]),
        "lift": f"{first['lift']:.2f}",
    }


def _step(event_type: str) -> Body:
    return {"event_types": [event_type]}


def _people(count: int, share: float) -> str:
    return f"{count:,} people, {share:.1%}"


def _rfc3339(at_s: int) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%dT%H:%M:%SZ}"
