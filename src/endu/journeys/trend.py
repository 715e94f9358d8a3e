"""How many, how often, how much, in each hour, day, week or month."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from endu.journeys.about import About, Counted, about_of, counted_sql, total_of
from endu.journeys.breakdown import ranked_sql
from endu.journeys.calendar import Bucket, Interval, Range
from endu.journeys.draft import NONE, OTHER, Draft, StepSql, draft_of
from endu.journeys.measures import MEASURES, Measure, Measured
from endu.journeys.question import Breakdown, Field, Question, Step
from endu.journeys.scope import Time, rfc3339
from endu.journeys.sources import Sources

SERIES_AT_MOST = 10
POINTS_AT_MOST = 100_000  # about 7 MB of JSON

# One row for each bucket with events: of the range (1), or of the period before it (0).
PLAIN = """
SELECT {asked} AS asked, {key} AS key, '' AS name, 0 AS rank,
       {counted},
       {measures}
  FROM endu.events
 WHERE {scan}
 GROUP BY asked, key
"""


class Series(Step, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One line: what is counted, and of which events. `of` is the path of numbers that all but
    `events` and `people` are about; events without a number there do not count."""

    measure: Measure = "events"
    of: Field | UnsetType = UNSET


class TrendQuestion(Question, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`compare` asks for the period of the same length just before, too."""

    series: Annotated[list[Series], Meta(min_length=1, max_length=SERIES_AT_MOST)]
    interval: Interval = "day"
    breakdown: Breakdown | None = None
    compare: bool = False


class Point(Struct, frozen=True):
    """`at` is when the bucket begins, which may be before `from`. Complete: it lies in the range
    as a whole, and is over."""

    at: Time
    value: int | float | None
    complete: bool


class Line(Struct, frozen=True):
    """`group` is null without a breakdown."""

    label: str
    group: str | None
    points: list[Point]


class Trend(Struct, frozen=True):
    """Lines in the order of the question's series, each with its groups from the most events to
    the fewest. `before` are the same lines for the period before; null where that was not asked
    for."""

    series: list[Line]
    before: list[Line] | None
    about: About


async def ask_trend(question: TrendQuestion, sources: Sources) -> Trend:
    """Raises Refusal INVALID_QUESTION, or TooDear."""
    draft = await draft_of(question, sources)
    plan = _Plan(draft, question)
    draft.must_be_sound()
    answered = await sources.ledger.answer(plan.sql(), draft.values.bound)
    rows = [_row(row) for row in answered.rows]
    mine = [row for row in rows if row.asked]
    groups = _groups(rows, question)
    return Trend(
        series=plan.lines(mine, groups, draft.range),
        before=plan.lines([row for row in rows if not row.asked], groups, plan.before)
        if plan.before
        else None,
        about=await about_of(draft, [answered], total_of([row.counted for row in mine])),
    )


class _Row(Struct, frozen=True):
    """A row of the SQL, in its order; `found` has what each series measured."""

    asked: int
    key: int
    name: str
    rank: int
    counted: Counted
    found: Sequence[Any]


class _Plan:
    """A trend's question in SQL, and its rows as lines."""

    def __init__(self, draft: Draft, question: TrendQuestion) -> None:
        self._draft = draft
        self._question = question
        interval, span = question.interval, draft.range
        self.before = draft.calendar.before(interval, span) if question.compare else None
        self.steps = [
            draft.step(series, f"series[{place}]") for place, series in enumerate(question.series)
        ]
        self._measured = [
            self._measure(place, series, step)
            for place, (series, step) in enumerate(zip(question.series, self.steps, strict=True))
        ]
        self._group = draft.group(question.breakdown) if question.breakdown else ""
        groups = question.breakdown.limit + 2 if question.breakdown else 1
        lines = len(question.series) * groups * (2 if self.before else 1)
        if lines * draft.calendar.count(interval, span) > POINTS_AT_MOST:
            draft.problem("interval", f"is larger: at most {POINTS_AT_MOST:,} points are answered")

    def sql(self) -> str:
        draft, breakdown = self._draft, self._question.breakdown
        span = draft.range
        if self.before:
            since = draft.values.add(span.from_ms, "Int64")
            asked = f"ts >= fromUnixTimestamp64Milli({since})"
            span = Range(self.before.from_ms, span.to_ms)
        else:
            asked = "true"
        parts = {
            "asked": asked,
            "key": draft.calendar.key_sql(self._question.interval, span),
            "counted": counted_sql(draft),
            "scan": draft.scan(self.steps, span),
        }
        if breakdown:
            return ranked_sql(self._group, breakdown.limit, self._measured, parts)
        return PLAIN.format(measures=",\n       ".join(m.sql for m in self._measured), **parts)

    def lines(self, rows: Sequence[_Row], groups: Sequence[str | None], span: Range) -> list[Line]:
        """Every bucket of the span is a point of every line, with events or without."""
        draft, interval = self._draft, self._question.interval
        buckets = draft.calendar.buckets(interval, span, draft.sources.now_ms)
        found = {(row.name, row.key): row.found for row in rows}
        return [
            Line(step.label, group, list(self._points(place, group or "", buckets, found)))
            for place, step in enumerate(self.steps)
            for group in groups
        ]

    def _points(
        self,
        place: int,
        name: str,
        buckets: Sequence[Bucket],
        found: Mapping[tuple[str, int], Sequence[Any]],
    ) -> Iterator[Point]:
        nothing = MEASURES[self._question.series[place].measure].nothing
        for bucket in buckets:
            measured = found.get((name, bucket.key))
            value = nothing if measured is None or measured[place] is None else measured[place]
            yield Point(rfc3339(bucket.start_ms), value, bucket.complete)

    def _measure(self, place: int, series: Series, step: StepSql) -> Measured:
        """A number is wanted where the measure is of numbers, and only there."""
        measure, path = MEASURES[series.measure], f"series[{place}].of"
        number = ""
        if measure.of_numbers and series.of is UNSET:
            self._draft.problem(path, f"is the path of the numbers that {series.measure} is of")
        elif series.of is not UNSET and not measure.of_numbers:
            self._draft.problem(path, f"does not go with {series.measure}, which is of no numbers")
        elif series.of is not UNSET:
            number = self._draft.number(series.of, path)
        return measure.measured(step.is_it, number, self._draft.who)


def _row(row: Sequence[Any]) -> _Row:
    asked, key, name, rank, events, anonymous, contested, *found = row
    return _Row(asked, key, name, rank, Counted(events, anonymous, contested), found)


def _groups(rows: Sequence[_Row], question: TrendQuestion) -> list[str | None]:
    """Those of either period: the most frequent of the range first, the unnamed ones last."""
    if question.breakdown is None:
        return [None]
    places = {(row.name == NONE, row.name == OTHER, row.rank, row.name) for row in rows}
    return list(dict.fromkeys(name for *_, name in sorted(places)))
