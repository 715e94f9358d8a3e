"""Who comes back: of those who did one thing, how many did another in the periods after."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from endu.journeys.about import About, about_of
from endu.journeys.draft import Draft, draft_of, milliseconds_of
from endu.journeys.people import PeoplePage, people_behind
from endu.journeys.question import TEXT_LENGTH_AT_MOST, Breakdown, Moment, Question, Step
from endu.journeys.retention_cells import Terms
from endu.journeys.retention_grid import Cohort, Found, Grid, totals
from endu.journeys.retention_sql import RetentionSql
from endu.journeys.sources import Sources

PERIODS_AT_MOST = 52
CELLS_AT_MOST = 100_000  # about 5 MB of JSON


class RetentionQuestion(Question, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A cohort is everybody who did `start` in one day, week or month of the calendar; a person's
    start is their first event of it there. With `who` "recurring" a person is in the cohort of
    each period in which they start, with "first_time" only in that of their first start in the
    range, with "first_ever" in that of their first start of all times, if the range has it.

    A cell has those of a cohort who did `return` in a period, counted from 0, not before their
    start; with `returned` "on_or_after", in it or later, up to the end of the range. Times are
    compared by the second; the start itself counts where it is a return too. With `clock`
    "calendar" period 0 is that of the start and ends with it; with "rolling" each person's periods
    begin with their start, in days of 24 hours, weeks of seven and months of thirty of these.
    """

    start: Step
    back: Annotated[Step, Meta(description="`start` if left out.")] | UnsetType = field(
        name="return", default=UNSET
    )
    period: Literal["day", "week", "month"] = "week"
    periods: Annotated[
        int, Meta(ge=1, le=PERIODS_AT_MOST, description="How many cells each cohort has.")
    ] = 8
    who: Literal["recurring", "first_time", "first_ever"] = "recurring"
    returned: Literal["on", "on_or_after"] = "on"
    clock: Literal["calendar", "rolling"] = "calendar"
    breakdown: Annotated[
        Breakdown | None, Meta(description="By what the start says; by people, most first.")
    ] = None


class RetentionPeopleQuestion(
    RetentionQuestion, frozen=True, forbid_unknown_fields=True, kw_only=True
):
    """The same question, and which number of its answer: that of a cohort, or of a cell, or, with
    `came_back` false, of those of the cohort who are not in the cell."""

    cohort: Annotated[Moment, Meta(description="Its `at`.")]
    cell: Annotated[int, Meta(ge=0, lt=PERIODS_AT_MOST)] | None = None
    came_back: bool = True
    group: Annotated[str, Meta(max_length=TEXT_LENGTH_AT_MOST)] | None = None


class Group(Struct, frozen=True):
    value: str
    cohorts: list[Cohort]
    mean: list[float | None]


class Retention(Struct, frozen=True):
    """Every day, week or month that the range touches is a cohort. `mean` has for each period the
    share of all people whose cell is complete, null where none is; so larger cohorts weigh more.
    `groups` has the same for each value of the breakdown, empty without one."""

    cohorts: list[Cohort]
    mean: list[float | None]
    groups: list[Group]
    about: About


async def ask_retention(question: RetentionQuestion, sources: Sources) -> Retention:
    """Raises Refusal INVALID_QUESTION, or TooDear."""
    plan = _Plan(await draft_of(question, sources), question)
    draft = plan.draft
    draft.must_be_sound()
    answered = await sources.ledger.answer(plan.sql.grid(), draft.values.bound)
    rows = [Found(*row) for row in answered.rows]
    cohorts, mean = plan.grid.drawn(rows)
    return Retention(
        cohorts=cohorts,
        mean=mean,
        groups=[Group(name, *plan.grid.drawn(of_it)) for name, of_it in plan.groups(rows)],
        about=await about_of(draft, [answered], totals(rows)),
    )


async def ask_retention_people(
    question: RetentionPeopleQuestion, sources: Sources, after: int, limit: int
) -> PeoplePage:
    """As many as the cohort or the cell says. Raises Refusal INVALID_QUESTION, or TooDear."""
    plan = _Plan(await draft_of(question, sources), question)
    draft = plan.draft
    place = plan.place_of(question.cohort)
    if question.cell is None and not question.came_back:
        draft.problem("cell", "is the period in which they did not come back")
    if question.cell is not None and question.cell >= question.periods:
        draft.problem("cell", "is less than `periods`: the first is 0")
    if question.group is not None and question.breakdown is None:
        draft.problem("group", "goes with a breakdown")
    draft.must_be_sound()
    people = plan.sql.people(place, question.cell, question.came_back, question.group)
    return await people_behind(draft, people, after, limit)


class _Plan:
    """A retention question in SQL, and the grid for its rows."""

    def __init__(self, draft: Draft, question: RetentionQuestion) -> None:
        self.draft = draft
        start = draft.step(question.start, "start")
        back = question.start if question.back is UNSET else question.back
        self.steps = (start, start if back == question.start else draft.step(back, "return"))
        self._breakdown = question.breakdown
        value = draft.group(question.breakdown) if question.breakdown else ""
        limit = question.breakdown.limit if question.breakdown else 1
        cohorts = draft.calendar.count(question.period, draft.range)
        if cohorts * question.periods * (limit + 3) > CELLS_AT_MOST:
            draft.problem("period", f"is larger: about {CELLS_AT_MOST:,} cells can be answered")
        buckets = draft.calendar.buckets(question.period, draft.range, draft.sources.now_ms)
        terms = Terms(
            period=question.period,
            periods=question.periods,
            first_only=question.who != "recurring",
            ever=question.who == "first_ever",
            or_after=question.returned == "on_or_after",
            rolling=question.clock == "rolling",
        )
        self.sql = RetentionSql(draft, terms, self.steps, buckets, (value, limit))
        self.grid = Grid(
            buckets,
            question.periods,
            terms.period_seconds * 1_000 if terms.rolling else 0,
            min(draft.range.to_ms, draft.sources.now_ms),
        )

    def groups(self, rows: Sequence[Found]) -> Iterable[tuple[str, list[Found]]]:
        """Those that somebody started with, most people first."""
        named: dict[str, list[Found]] = {}
        if self._breakdown:
            for row in sorted(rows, key=lambda row: row.rank):
                if row.rank:
                    named.setdefault(row.name, []).append(row)
        return named.items()

    def place_of(self, cohort: Moment) -> int:
        buckets = self.grid.buckets
        try:
            at_ms = milliseconds_of(cohort)
        except ValueError as fault:
            self.draft.problem("cohort", str(fault))
            return 0
        places = [each.key - buckets[0].key for each in buckets if each.start_ms == at_ms]
        if not places:
            self.draft.problem("cohort", "is the `at` of one of the answer's cohorts")
        return places[0] if places else 0
