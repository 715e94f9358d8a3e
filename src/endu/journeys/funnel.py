"""How many people came how far through a row of steps, how fast, and where they stopped."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from endu.journeys.about import About, Counted, about_of
from endu.journeys.draft import NONE, OTHER, StepSql, draft_of
from endu.journeys.funnel_plan import FunnelPlan
from endu.journeys.funnel_question import FunnelPeopleQuestion, FunnelQuestion
from endu.journeys.funnel_summary import Which, people_sql, summary_sql
from endu.journeys.people import PeoplePage, people_behind
from endu.journeys.sources import Sources


class FunnelStep(Struct, frozen=True):
    """`dropped` reached this step and not the next one. Shares are null where nobody was at the
    start, or at the step before. Seconds are those that people who reached the step took from the
    step before, null without any, and for the first step."""

    label: str
    event_ids: list[str]
    people: int
    dropped: int
    from_start: float | None
    from_previous: float | None
    median_seconds: int | float | None
    p90_seconds: int | float | None


class FunnelGroup(Struct, frozen=True):
    value: str
    steps: list[FunnelStep]


class Funnel(Struct, frozen=True):
    """`groups` has the same for each value of the breakdown, empty without one."""

    steps: list[FunnelStep]
    groups: list[FunnelGroup]
    about: About


async def ask_funnel(question: FunnelQuestion, sources: Sources) -> Funnel:
    """Raises Refusal INVALID_QUESTION, or TooDear."""
    plan = FunnelPlan(await draft_of(question, sources), question)
    draft = plan.draft
    draft.must_be_sound()
    course, read = await plan.course()
    sql = summary_sql(course, plan.read, plan.groups)
    answered = await sources.ledger.answer(sql, draft.values.bound)
    rows = [_row(course.steps, row) for row in answered.rows]
    total = next(row for row in rows if row.is_total)
    groups = sorted((row for row in rows if not row.is_total and row.name), key=_place)
    return Funnel(
        steps=_shown(plan.steps, total),
        groups=[FunnelGroup(row.name, _shown(plan.steps, row)) for row in groups],
        about=await about_of(
            draft,
            [*read, answered],
            Counted(total.events, total.anonymous, total.contested),
        ),
    )


async def ask_funnel_people(
    question: FunnelPeopleQuestion, sources: Sources, after: int, limit: int
) -> PeoplePage:
    """As many as the bar says. Raises Refusal INVALID_QUESTION, or TooDear."""
    plan = FunnelPlan(await draft_of(question, sources), question)
    draft = plan.draft
    if question.step > len(question.steps):
        draft.problem("step", f"is at most {len(question.steps)}, the last one")
    if question.group is not None and question.breakdown is None:
        draft.problem("group", "goes with a breakdown")
    draft.must_be_sound()
    course, _ = await plan.course()
    which = Which(
        step=question.step,
        stopped=question.outcome == "dropped",
        group=None if question.group is None else draft.values.add(question.group, "String"),
        is_other=question.group == OTHER,
    )
    sql = people_sql(course, plan.read, which, plan.groups)
    return await people_behind(draft, sql, after, limit)


class _Found(Struct, frozen=True):
    """Of one step: seconds are (median, p90)."""

    people: int
    seconds: tuple[float, float] | None


class _Row(Struct, frozen=True):
    """A row of the summary, in its order."""

    is_total: int
    name: str
    rank: int
    events: int
    anonymous: int
    contested: int
    steps: Sequence[_Found]


def _row(steps: int, row: Sequence[Any]) -> _Row:
    """Behind what is of the row itself are the people of each step, and then the seconds, from the
    second step on."""
    of_row, found = row[: -2 * steps + 1], row[-2 * steps + 1 :]
    people, seconds = found[:steps], [None, *found[steps:]]
    of_steps = [
        _Found(reached, tuple(took) if took and reached else None)
        for reached, took in zip(people, seconds, strict=True)
    ]
    is_total, name, rank, events, anonymous, contested = of_row
    return _Row(is_total, name, rank, events, anonymous, contested, of_steps)


def _place(row: _Row) -> tuple[bool, bool, int, str]:
    """The most frequent first, the unnamed last."""
    return row.name == NONE, row.name == OTHER, row.rank, row.name


def _shown(steps: Sequence[StepSql], row: _Row) -> list[FunnelStep]:
    reached = [found.people for found in row.steps]
    return [
        FunnelStep(
            label=step.label,
            event_ids=list(step.event_ids),
            people=reached[place],
            dropped=reached[place] - reached[place + 1] if place + 1 < len(steps) else 0,
            from_start=_share(reached[place], reached[0]),
            from_previous=_share(reached[place], reached[max(place - 1, 0)]),
            median_seconds=_whole(found.seconds and found.seconds[0]),
            p90_seconds=_whole(found.seconds and found.seconds[1]),
        )
        for place, (step, found) in enumerate(zip(steps, row.steps, strict=True))
    ]


def _share(some: int, among: int) -> float | None:
    return some / among if among else None


def _whole(seconds: float | None) -> int | float | None:
    """Between two whole seconds there are tenths; without a fraction where there is none."""
    if seconds is None:
        return None
    tenths = round(seconds, 1)
    return int(tenths) if tenths == int(tenths) else tenths
