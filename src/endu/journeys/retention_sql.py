"""Retention in SQL: who is of which cohort, in which periods they came back, and how many."""

from collections.abc import Mapping, Sequence

from endu.journeys.about import anonymous_sql, contested_sql
from endu.journeys.calendar import Bucket, Range
from endu.journeys.draft import NONE, OTHER, Draft, StepSql
from endu.journeys.retention_cells import Terms, Way, way_of

# Bits beside those of the cells: one of whoever is of the cohort, and one that everybody has.
COHORT, ROW = 60, 61

SECOND = "toUInt32(toUnixTimestamp(ts) + 2)"

# What each person did in each day, week or month of the calendar. It is grouped by who it is now,
# because a start and a return of one person may be of different identifiers. Nobody starts.
PLACES = """
SELECT {who} AS person, {place} AS place, countIf({is_in}) AS events,
       countIf({is_in} AND {anonymous}) AS anonymous,
       countIf({is_in} AND {contested}) AS contested,
       if(person = 0, 0, minIf({second}, {start})) AS began,
       {columns}
  FROM endu.events
 WHERE {scan}
 GROUP BY person, place
"""

# The same of each event by itself, which will do where every start is a return.
EVENTS = """
SELECT {who} AS person, {place} AS place, {is_in} AS events, {is_in} AND {anonymous} AS anonymous,
       {is_in} AND {contested} AS contested,
       if({start} AND {who} != 0, {second}, 0) AS began, began AS returned
  FROM endu.events
 WHERE {scan}
"""

PEOPLE = """
SELECT person,
       sum(events) AS events, sum(anonymous) AS anonymous, sum(contested) AS contested,
       {columns}
  FROM ({places})
 GROUP BY person
"""

# A row for each person and cohort, or for a person without one. Their events are on the first.
MEMBERS = """
SELECT person, cohort, {value} AS value,
       if(nth > 0, bitOr({cells}, bitShiftLeft(toUInt64(1), {cohort_bit})), 0) AS bits,
       if(nth > 1, 0, events) AS events, if(nth > 1, 0, anonymous) AS anonymous,
       if(nth > 1, 0, contested) AS contested
  FROM ({people})
  LEFT ARRAY JOIN {arrays}
"""

# People whose bits are the same are counted together first.
COUNTED = """
SELECT cohort, value, cell,
       sum(people) AS people,
       sum(events) AS events, sum(anonymous) AS anonymous, sum(contested) AS contested
  FROM (
    SELECT cohort, value, bits,
           count() AS people,
           sum(events) AS events, sum(anonymous) AS anonymous, sum(contested) AS contested
      FROM ({members})
     GROUP BY cohort, value, bits
  )
 ARRAY JOIN bitPositionsToArray(bitOr(bits, bitShiftLeft(toUInt64(1), {row_bit}))) AS cell
 GROUP BY cohort, value, cell
"""

# What nobody started with has rank 0; "(none)" and "(other)" are no values, and come last.
NAMED = """
SELECT *, multiIf(size = 0 OR {special}, value, place <= {limit}, value, '{other}') AS name,
       if(size = 0, 0, place) AS rank
  FROM (
    SELECT *, dense_rank() OVER (ORDER BY {special}, size DESC, value) AS place
      FROM (
        SELECT *, sumIf(people, cell = {cohort_bit}) OVER (PARTITION BY value) AS size
          FROM ({counted})
      )
  )
"""

GRID = """
SELECT cohort, name, min(rank), cell, sum(people), sum(events), sum(anonymous), sum(contested)
  FROM ({named})
 GROUP BY cohort, name, cell
"""


class RetentionSql:
    """`value` is what a start is grouped by, "" without a breakdown, of which `limit` values have
    names. The methods' SQL is for a draft that is sound."""

    def __init__(
        self,
        draft: Draft,
        terms: Terms,
        steps: tuple[StepSql, StepSql],
        buckets: Sequence[Bucket],
        groups: tuple[str, int],
    ) -> None:
        self._draft = draft
        self._terms = terms
        self._start, self._back = steps
        self._buckets = buckets
        self._value, self._limit = groups

    def grid(self) -> str:
        """Rows of a cohort's place, a group's name and rank, a cell, people, and the columns
        of Counted. The cell COHORT is the cohort itself; events are told in the cell ROW."""
        return GRID.format(named=self._named())

    def people(self, place: int, cell: int | None, came_back: bool, group: str | None) -> str:
        """`person`: those of the cohort, of one of its cells, or of all but the cell."""
        parts = [f"cohort = {place}", f"bitTest(bits, {COHORT})"]
        if cell is not None:
            parts.append(f"bitTest(bits, {cell}) = {int(came_back)}")
        if group is not None:
            name = self._draft.values.add(group, "String")
            parts.append(f"value IN (SELECT value FROM ({self._named()}) WHERE name = {name})")
        return f"SELECT person FROM ({self._members()}) WHERE {' AND '.join(parts)}"

    def _named(self) -> str:
        return NAMED.format(
            special=f"value IN ('{OTHER}', '{NONE}')",
            limit=self._limit,
            other=OTHER,
            cohort_bit=COHORT,
            counted=COUNTED.format(members=self._members(), row_bit=ROW),
        )

    def _members(self) -> str:
        way = way_of(self._terms, len(self._buckets), bool(self._value))
        together = way.of_places or self._start != self._back
        people = PEOPLE.format(
            columns=",\n       ".join(way.of_person),
            places=self._places(way) if together else EVENTS.format(**self._parts()),
        )
        arrays = ("cohorts AS cohort", "arrayEnumerate(cohorts) AS nth", *way.beside)
        return MEMBERS.format(
            value="value" if self._value else "''",
            cells=way.cells,
            cohort_bit=COHORT,
            people=people,
            arrays=", ".join(arrays),
        )

    def _places(self, way: Way) -> str:
        columns = [f"{way.returned.format(second=SECOND, is_it=self._back.is_it)} AS returned"]
        if self._value:
            columns.append(f"argMinIf({self._value}, (ts, seq), {self._start.is_it}) AS value")
        return PLACES.format(columns=",\n       ".join(columns), **self._parts())

    def _parts(self) -> dict[str, str]:
        draft, steps = self._draft, (self._start, self._back)
        key = draft.calendar.key_sql(self._terms.period, draft.range)
        parts = {
            "who": draft.who,
            "anonymous": anonymous_sql(draft),
            "contested": contested_sql("person"),
            "start": self._start.is_it,
            "place": f"toUInt16({key} - {self._buckets[0].key})",
            "second": SECOND,
            "is_in": "true",
            "scan": draft.scan(steps),
        }
        if self._terms.ever:
            parts |= self._with_all_before(parts)
        return parts

    def _with_all_before(self, parts: Mapping[str, str]) -> dict[str, str]:
        """Starts before the range are at place 0, and at a second of their own."""
        draft, steps = self._draft, (self._start, self._back)
        is_in = f"ts >= fromUnixTimestamp64Milli({draft.values.add(draft.range.from_ms, 'Int64')})"
        scan = draft.scan(steps, Range(0, draft.range.to_ms))
        return {
            "place": f"if({is_in}, {parts['place']}, 0)",
            "second": f"if({is_in}, {SECOND}, 1)",
            "is_in": is_in,
            "scan": f"{scan}\n   AND ({is_in} OR {self._start.is_it})",
        }
