"""What gets people to a goal, and what makes them leave: what they did before, and did not."""

import math
from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from endu.journeys.about import About, Counted, about_of
from endu.journeys.association import Odds, Split, ln_p_of, ln_q_of, odds_of
from endu.journeys.behaviours import (
    USUAL_COUNTS,
    Behaviour,
    Candidate,
    Counts,
    Family,
    families_of,
)
from endu.journeys.draft import DAY_SECONDS, Draft, StepSql, draft_of
from endu.journeys.drivers_sql import (
    Aim,
    DriversSql,
    Totals,
    Value,
    aim_at_silence,
    aim_at_step,
    aim_from_step_to_step,
    often_of,
)
from endu.journeys.people import PeoplePage, people_behind
from endu.journeys.question import Duration, Question, Step
from endu.journeys.sources import Sources

CANDIDATES_AT_MOST = 20
TRIED_AT_MOST = 200
USUAL_SUPPORT = 20  # fewer say little, and make what is tried more than it has to be
LONGEST_SILENCE_DAYS = 3_650
CLEAR_BELOW = 0.05  # the q up to which an association is spoken of
LEAST_WRITTEN = 1e-300  # what is less is written as this
DIGITS = 12  # beyond them p is not the same on every machine


class Goal(Step, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A step, or that a person was silent: no event for so many days or more."""

    silent_days: Annotated[int, Meta(ge=1, le=LONGEST_SILENCE_DAYS)] | UnsetType = UNSET


class DriversQuestion(Question, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Of the people who have an event of the population in the range (of any kind, where that is
    null), what those did who reached the goal, and what the others did.

    A person's clock starts with their first event of the population. They reached the goal if that
    was after their start and at most `within` later. What they did counts from their start up to
    the second before the goal, or for all of `within` without it. `minimum_support` is how many
    people have to have a behaviour, and how many not, for it to be tried.
    """

    goal: Goal
    population: Step | None = None
    candidates: Annotated[list[Candidate], Meta(min_length=1, max_length=CANDIDATES_AT_MOST)] = (
        msgspec.field(default_factory=lambda: ["event_types", "counts", "platforms"])
    )
    counts: Counts | None = None
    within: Duration = Duration(days=14)
    minimum_support: Annotated[int, Meta(ge=1)] = USUAL_SUPPORT


class DriversPeopleQuestion(DriversQuestion, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The same question, and which number of its answer: of those with the behaviour or without,
    who reached the goal, or did not, or either (null). Without a behaviour: of all who were
    studied."""

    behaviour: Behaviour | None = None
    has_it: bool = msgspec.field(name="with", default=True)
    reached: bool | None = None


class Driver(Struct, frozen=True, kw_only=True):
    """`lift` is `rate_with` by `rate_without`, null where that is 0. `odds_low` and `odds_high` are
    the 95 % interval of `odds_ratio`. `p` is Fisher's, two-sided; `q` is `p` corrected for all that
    were tried (Benjamini and Hochberg)."""

    behaviour: Behaviour
    text: str
    people_with: int
    people_without: int
    reached_with: int
    reached_without: int
    rate_with: float
    rate_without: float
    lift: float | None
    odds_ratio: float
    odds_low: float
    odds_high: float
    p: float
    q: float


class Tried(Struct, frozen=True):
    """How many behaviours anybody had, and what became of them: too few people with or without
    one, or left out because there are too many, those with least support first."""

    found: int
    tried: int
    below_support: int
    cut: int


class LeftOut(Struct, frozen=True):
    """People of the population who are not in the answer's numbers. `at_once`: they reached the
    goal in the second of their start, so nothing was before it. `unfinished`: their `within`, and
    the silence behind it where that is the goal, does not lie in the range as a whole, or is not
    over."""

    at_once: int
    unfinished: int


class Drivers(Struct, frozen=True, kw_only=True):
    """Drivers from the strongest evidence to the weakest."""

    people: int
    reached: int
    rate: float | None
    left_out: LeftOut
    minimum_support: int
    candidates: Tried
    drivers: list[Driver]
    about: About


async def ask_drivers(question: DriversQuestion, sources: Sources) -> Drivers:
    """Raises Refusal INVALID_QUESTION, or TooDear."""
    draft = await draft_of(question, sources)
    sql = _sql_of(question, draft)
    families = families_of(question.candidates, question.counts or USUAL_COUNTS)
    counted = sql.counted(families, [_path_of(family, question) for family in families])
    draft.must_be_sound()
    texts = [sql.totals(), sql.read()]
    answered = [await sources.ledger.answer(text, draft.values.bound) for text in texts]
    totals = Totals(*answered[0].rows[0])
    values: list[Value] = []
    if totals.studied:
        answered.append(await sources.ledger.answer(counted, draft.values.bound))
        values = [Value(*row) for row in answered[-1].rows]
    tried, splits = _tried(values, families, totals, question.minimum_support)
    return Drivers(
        people=totals.studied,
        reached=totals.reached,
        rate=totals.reached / totals.studied if totals.studied else None,
        left_out=LeftOut(totals.at_once, totals.unfinished),
        minimum_support=question.minimum_support,
        candidates=tried,
        drivers=_drivers(splits),
        about=await about_of(draft, answered, Counted(*answered[1].rows[0])),
    )


async def ask_drivers_people(
    question: DriversPeopleQuestion, sources: Sources, after: int, limit: int
) -> PeoplePage:
    """As many as the number says. Raises Refusal INVALID_QUESTION, or TooDear."""
    draft = await draft_of(question, sources)
    sql = _sql_of(question, draft)
    if question.behaviour is None and not question.has_it:
        draft.problem("behaviour", "is what they are without")
    people = sql.people(question.behaviour, question.has_it, question.reached)
    draft.must_be_sound()
    return await people_behind(draft, people, after, limit)


def _sql_of(question: DriversQuestion, draft: Draft) -> DriversSql:
    population = draft.step(question.population or Step(), "population")
    aim = _aim(question, population, draft)
    within_seconds = draft.seconds(question.within, "within")
    runs_ms = (within_seconds + aim.silence_seconds + 1) * 1_000
    if runs_ms > draft.range.to_ms - draft.range.from_ms:
        draft.problem("within", "is shorter than the range, the silence behind it included")
    if question.counts is not None:
        _must_fit(question.counts, question, within_seconds, draft)
    return DriversSql(draft, population, aim, within_seconds)


def _aim(question: DriversQuestion, population: StepSql, draft: Draft) -> Aim:
    goal = draft.step(question.goal, "goal")
    silent_days = question.goal.silent_days
    if silent_days is not UNSET:
        if question.goal.event_types or question.goal.where:
            draft.problem("goal.silent_days", "does not go with a step: it is of any event")
        return aim_at_silence(silent_days, draft)
    if question.population is None:
        return aim_at_step(goal)
    return aim_from_step_to_step(population, goal)


def _must_fit(counts: Counts, question: DriversQuestion, within_seconds: int, draft: Draft) -> None:
    if "counts" not in question.candidates:
        draft.problem("counts", 'goes with the candidates "counts"')
    for place, days in enumerate(counts.days):
        if days * DAY_SECONDS > within_seconds:
            draft.problem(f"counts.days[{place}]", "is not longer than `within`")


def _path_of(family: Family, question: DriversQuestion) -> str:
    """Only a field that the question says itself can be wrong."""
    fields = [getattr(candidate, "field", None) for candidate in question.candidates]
    return f"candidates[{fields.index(family.field)}]" if family.field in fields else "candidates"


def _tried(
    values: Sequence[Value], families: Sequence[Family], totals: Totals, support: int
) -> tuple[Tried, list[tuple[Behaviour, Split]]]:
    """Which are tried does not follow from who reached the goal, so that it needs no correction."""
    places = {each: place for place, each in enumerate(often_of(families))}
    found: list[tuple[Behaviour, Split]] = []
    taken = [0] * len(families)
    for value in values:
        family = families[value.family]
        if taken[value.family] == family.limit:
            continue
        taken[value.family] += 1
        for often in family.often:
            cell = 2 * places[often]
            split = _split(value.cells[cell : cell + 2], totals)
            if split.people_with:
                behaviour = Behaviour(family.field, value.value, often.at_least, often.days)
                found.append((behaviour, split))
    sizes = {value.family: value.found for value in values}
    unnamed = sum(sizes[place] - taken[place] for place in sizes)
    enough = [each for each in found if each[1].support >= support]
    tried = sorted(enough, key=lambda each: -each[1].support)[:TRIED_AT_MOST]
    cut = len(enough) - len(tried) + unnamed
    return Tried(len(found) + unnamed, len(tried), len(found) - len(enough), cut), tried


def _split(cell: Sequence[int], totals: Totals) -> Split:
    people, reached = cell
    return Split(people, reached, totals.studied - people, totals.reached - reached)


def _drivers(splits: Sequence[tuple[Behaviour, Split]]) -> list[Driver]:
    ln_p = [ln_p_of(split) for _, split in splits]
    ln_q = ln_q_of(ln_p)
    odds = [odds_of(split) for _, split in splits]
    order = sorted(
        range(len(splits)),
        key=lambda place: (
            round(ln_p[place], DIGITS),
            -abs(math.log(odds[place].ratio)),
            place,
        ),
    )
    return [
        _driver(*splits[place], odds[place], _written(ln_p[place]), _written(ln_q[place]))
        for place in order
    ]


def _driver(behaviour: Behaviour, split: Split, odds: Odds, p: float, q: float) -> Driver:
    rate_with = split.reached_with / split.people_with
    rate_without = split.reached_without / split.people_without
    return Driver(
        behaviour=behaviour,
        text=_text(behaviour, rate_with > rate_without, q),
        people_with=split.people_with,
        people_without=split.people_without,
        reached_with=split.reached_with,
        reached_without=split.reached_without,
        rate_with=rate_with,
        rate_without=rate_without,
        lift=rate_with / rate_without if rate_without else None,
        odds_ratio=odds.ratio,
        odds_low=odds.low,
        odds_high=odds.high,
        p=p,
        q=q,
    )


def _text(behaviour: Behaviour, more: bool, q: float) -> str:
    if q > CLEAR_BELOW:
        return f"{behaviour.text}: not clearly associated with reaching the goal"
    often = "more" if more else "less"
    return f"{behaviour.text}: associated with reaching the goal {often} often"


def _written(ln: float) -> float:
    return max(float(f"{math.exp(ln):.{DIGITS}g}"), LEAST_WRITTEN)
