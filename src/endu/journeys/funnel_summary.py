"""What everybody's ways through a funnel add up to, and whose they are, in SQL."""

from msgspec import Struct

from endu.journeys.draft import NONE, OTHER
from endu.journeys.funnel_course import Course
from endu.journeys.funnel_events import Read, number_of
from endu.journeys.funnel_sql import UNSAID, reached_sql
from endu.journeys.layers import lines

TOTAL = """
SELECT 1 AS total, '' AS name, 0 AS rank, sum(events), sum(anonymous), sum(contested),
       {people},
       {seconds}
  FROM ({reached})
"""

# From the inside: each value of the field; what it is called; its rank by people; what has no
# name of its own merged; and everything together.
RANKED = """
SELECT grouping(name) AS total, name, min(rank), sum(events), sum(anonymous), sum(contested),
       {people},
       {seconds}
  FROM (
    SELECT *,
           multiIf(value = {unsaid}, '{none}',
                   {special} OR rank <= {limit}, text, '{other}') AS name
      FROM (
        SELECT *, dense_rank() OVER (ORDER BY {special}, people_1 DESC, text) AS rank
          FROM (
            SELECT value, sum(events) AS events,
                   sum(anonymous) AS anonymous, sum(contested) AS contested,
                   {people_states},
                   {seconds_states}
              FROM ({reached})
             GROUP BY value
          ) AS found
          LEFT JOIN ({texts}) AS texts USING value
      )
  )
 GROUP BY GROUPING SETS ((name), ())
"""

MOST_FREQUENT = """
SELECT value
  FROM (SELECT value, count() AS people FROM ({reached}) WHERE depth > 0 GROUP BY value) AS found
  LEFT JOIN ({texts}) AS texts USING value
 WHERE NOT {special}
 ORDER BY people DESC, text
 LIMIT {limit}
"""

TEXTS = """
SELECT {number} AS value, any({value}) AS text
  FROM endu.events
 WHERE {scan}
 GROUP BY value
"""

SPECIAL = f"text IN ('', '{OTHER}', '{NONE}')"
PERCENTILES = "quantilesExactInclusiveIf{form}(0.5, 0.9)"


class Which(Struct, frozen=True, kw_only=True):
    """The people behind a bar: those who reached the step, or those of them who `stopped` there.
    `group` is a placeholder for the name of their group, None: of all."""

    step: int
    stopped: bool
    group: str | None
    is_other: bool


def summary_sql(course: Course, read: Read, groups: int) -> str:
    """Rows of (whether it is the total, name, rank, events, anonymous, contested, people of each
    step …, median and p90 seconds from the step before of the second … step). `groups` is how many
    keep their names; without any there is the total alone."""
    reached = reached_sql(course, read)
    steps = range(1, course.steps + 1)
    if not groups:
        percentiles = PERCENTILES.format(form="")
        return TOTAL.format(
            reached=reached,
            people=lines(f"countIf(depth >= {n})" for n in steps),
            seconds=lines(f"{percentiles}({_took(n)})" for n in steps[1:]),
        )
    state, merge = (PERCENTILES.format(form=form) for form in ("State", "Merge"))
    return RANKED.format(
        reached=reached,
        texts=_texts_sql(read),
        special=SPECIAL,
        limit=groups,
        unsaid=UNSAID,
        none=NONE,
        other=OTHER,
        people_states=lines(f"countIf(depth >= {n}) AS people_{n}" for n in steps),
        seconds_states=lines(f"{state}({_took(n)}) AS seconds_{n}" for n in steps[1:]),
        people=lines(f"sum(people_{n})" for n in steps),
        seconds=lines(f"{merge}(seconds_{n})" for n in steps[1:]),
    )


def people_sql(course: Course, read: Read, which: Which, groups: int) -> str:
    """A SELECT of `person`. `groups` as in the summary that the number is from."""
    reached = reached_sql(course, read)
    depth = f"depth >= {which.step}"
    if which.stopped:
        depth = f"depth = {which.step} AND depth < {course.steps}"
    if which.group is None:
        return f"SELECT person FROM ({reached}) WHERE {depth}"
    group = f"value = {number_of(which.group)}"
    if which.is_other:
        named = MOST_FREQUENT.format(
            reached=reached, texts=_texts_sql(read), special=SPECIAL, limit=groups
        )
        group = f"value != {UNSAID} AND value NOT IN ({named})"
    return f"SELECT person FROM ({reached}) WHERE {depth} AND {group}"


def _texts_sql(read: Read) -> str:
    return TEXTS.format(number=number_of(read.value), value=read.value, scan=read.scan)


def _took(step: int) -> str:
    return f"toInt64(at[{step}]) - at[{step - 1}], depth >= {step}"
