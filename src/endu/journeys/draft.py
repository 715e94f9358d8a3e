"""A question on its way to SQL: what it says is checked, and all that is wrong is said at once."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import UNSET, Struct, UnsetType

from endu.event_types.event_type import EventTypeId
from endu.events.ledger import Visited, who_sql
from endu.journeys.calendar import Calendar, Range
from endu.journeys.conditions import NotACondition, condition_sql, number_sql, value_sql
from endu.journeys.question import Breakdown, Condition, Duration, Moment, Question, Step
from endu.journeys.sources import Sources
from endu.journeys.values import Values
from endu.refusals import Problem, Reason, Refusal

USUAL_DAYS = 30  # where a question does not say from when
DAY_SECONDS = 86_400
LATEST_SECONDS = 4_294_967_295  # 2106, the end of ClickHouse's days in a zone
LONGEST_SECONDS = 366 * 100 * DAY_SECONDS

OTHER, NONE = "(other)", "(none)"

EVENT = """org = {{organization:String}}
   AND ts >= fromUnixTimestamp64Milli({from_ms})
   AND ts < fromUnixTimestamp64Milli({to_ms})"""


class StepSql(Struct, frozen=True):
    """`is_it` is the condition that an event is of the step: its type and its `where`."""

    label: str
    event_ids: tuple[EventTypeId, ...]  # none: any event
    is_it: str
    where: str  # without the type; "" where there is nothing more to hold


class Draft:
    """Made by `draft_of`. Its methods note what is wrong, and give SQL that will do if nothing
    is; `must_be_sound` comes before the SQL is used.

    `values.bound` goes to the ledger with the SQL. `who` is whom an event is of, 0 for nobody,
    who is no person.
    """

    def __init__(self, question: Question, sources: Sources, visited: Visited) -> None:
        self.sources = sources
        self.who = who_sql(visited)
        self.problems: list[Problem] = []
        self.range = self._range(question)
        zone = self._zone(question.timezone)
        self.calendar = Calendar(zone, question.week_start, self.range.from_ms)
        self.values = Values(organization=sources.organization_id)
        self._where = self.conditions(question.where, "where")

    def problem(self, path: str, message: str) -> None:
        self.problems.append(Problem(path, message))

    def must_be_sound(self) -> None:
        """Raises Refusal INVALID_QUESTION with everything that was noted."""
        if self.problems:
            first = self.problems[0]
            detail = f"{first.path}: {first.message}" if first.path else first.message
            raise Refusal(Reason.INVALID_QUESTION, detail, problems=self.problems)

    def scan(self, steps: Sequence[StepSql], span: Range | None = None) -> str:
        """What stands behind WHERE: the organization's events of the range, or of another span,
        that the question is about: those of any of the steps, or of any kind where there are no
        steps. The types are said by themselves, because the ledger is ordered by them."""
        span = span or self.range
        from_ms, to_ms = (self.values.add(ms, "Int64") for ms in (span.from_ms, span.to_ms))
        parts = [EVENT.format(from_ms=from_ms, to_ms=to_ms)]
        if steps and all(step.event_ids for step in steps):
            ids = sorted({event_id for step in steps for event_id in step.event_ids})
            parts.append(f"event_type IN {self.values.add(ids, 'Array(String)')}")
        if any(step.where for step in steps):
            parts.append(f"({' OR '.join(step.is_it for step in steps)})")
        return "\n   AND ".join([*parts, *([self._where] if self._where else [])])

    def step(self, step: Step, path: str) -> StepSql:
        ids: list[EventTypeId] = []
        for place, named in enumerate(step.event_types):
            found = self._types_of(named)
            if found is None:
                self.problem(f"{path}.event_types[{place}]", f"no event type of yours: {named}")
            ids += found or ()
        ids = list(dict.fromkeys(ids))
        where = self.conditions(step.where, f"{path}.where")
        is_type = f"event_type IN {self.values.add(ids, 'Array(String)')}" if ids else ""
        both = " AND ".join(each for each in (is_type, where) if each)
        label = _label(step.event_types) if step.label is UNSET else step.label
        return StepSql(label, tuple(ids), f"({both})" if both else "1", where)

    def conditions(self, where: Sequence[Condition], path: str) -> str:
        """All of them; "" where there are none."""
        parts = []
        for place, condition in enumerate(where):
            try:
                parts.append(condition_sql(condition, self._types_of, self.values))
            except NotACondition as fault:
                self.problem(f"{path}[{place}].{fault.part}", str(fault))
        return " AND ".join(parts)

    def group(self, breakdown: Breakdown, path: str = "breakdown") -> str:
        """What an event's group is called: a String, "(none)" where the field is missing."""
        kinds = self.sources.catalog.all(self.sources.organization_id)
        names: dict[str, str] = {kind.event_id: kind.name for kind in kinds}
        try:
            value = value_sql(breakdown.field, names, self.values)
        except NotACondition as fault:
            self.problem(f"{path}.{fault.part}", str(fault))
            return "''"
        return f"ifNull(nullIf({value}, ''), '{NONE}')"

    def number(self, field: str, path: str) -> str:
        """The number at a path of event_data, null where there is none."""
        try:
            return number_sql(field, self.values)
        except NotACondition as fault:
            self.problem(path, str(fault))
            return "NULL"

    def seconds(self, duration: Duration, path: str, at_most_seconds: int = LONGEST_SECONDS) -> int:
        """How long it is; 1 where it is wrong."""
        parts = duration.parts
        if len(parts) != 1:
            self.problem(path, "has exactly one of seconds, minutes, hours, days")
            return 1
        (seconds,) = parts.values()
        if not 0 < seconds <= at_most_seconds:
            days = at_most_seconds // DAY_SECONDS
            self.problem(path, f"is positive, and at most {days:,} days")
            return 1
        return seconds

    def _types_of(self, named: str) -> Sequence[EventTypeId] | None:
        catalog, organization_id = self.sources.catalog, self.sources.organization_id
        chain = catalog.chain(organization_id, named)
        if chain:
            return [kind.event_id for kind in chain]
        found = catalog.find(organization_id, EventTypeId(named))
        return [found.event_id] if found else None

    def _zone(self, name: str) -> ZoneInfo:
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.problem("timezone", 'is an IANA name, such as "Europe/Berlin"')
            return ZoneInfo("UTC")

    def _range(self, question: Question) -> Range:
        to_ms = self._moment(question.until, "to", self.sources.now_ms)
        usual_ms = max(to_ms - USUAL_DAYS * DAY_SECONDS * 1_000, 0)
        from_ms = self._moment(question.since, "from", usual_ms)
        if to_ms <= from_ms:
            self.problem("to", "is later than `from`")
        return Range(from_ms, max(to_ms, from_ms))

    def _moment(self, moment: Moment | UnsetType, path: str, otherwise_ms: int) -> int:
        if moment is UNSET:
            return otherwise_ms
        try:
            return milliseconds_of(moment)
        except ValueError as fault:
            self.problem(path, str(fault))
            return otherwise_ms


async def draft_of(question: Question, sources: Sources) -> Draft:
    visited = await sources.people.visited(sources.organization_id)
    return Draft(question, sources, visited)


def milliseconds_of(moment: str | int | float) -> int:
    """RFC 3339 or Unix seconds. Raises ValueError: its text says what would be right."""
    seconds = _seconds(moment)
    if not 0 <= seconds <= LATEST_SECONDS:
        raise ValueError("is between 1970 and 2106; Unix times are in seconds")
    return math.floor(round(seconds * 1_000, 3))


def _seconds(moment: str | int | float) -> float:
    if not isinstance(moment, str):
        return moment
    if moment.isascii() and moment.replace(".", "", 1).isdigit():
        return float(moment)
    try:
        read = datetime.fromisoformat(moment)
    except ValueError:
        _not_a_moment()
    if read.tzinfo is None or "T" not in moment.upper():
        _not_a_moment()
    return read.timestamp()


def _not_a_moment() -> NoReturn:
    raise ValueError('is RFC 3339 with an offset ("2023-01-01T00:00:00Z") or Unix seconds')


def _label(event_types: Sequence[str]) -> str:
    return " or ".join(event_types) or "Any event"
