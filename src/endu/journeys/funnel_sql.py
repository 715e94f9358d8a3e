"""A funnel in SQL: each person's events in order, how far they came, and what that adds up to."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from endu.journeys.draft import NONE, OTHER
from endu.journeys.funnel_course import MARK_BITS, SEQ_AT, SEQ_BITS, Course
from endu.journeys.funnel_walk import walked_sql
from endu.journeys.funnel_window import windowed_sql
from endu.journeys.layers import lines, over

# Nobody is no person: such events are counted, and nothing else.
HAPPENED = """
SELECT {who} AS person,
       {held} AS held,
       groupArrayIf({event}, {counts}) AS happened,
       count() AS events,
       countIf({anonymous}) AS anonymous
  FROM endu.events
 WHERE {scan}
 GROUP BY {person}
"""

# Of a person's ways through, one for each held value: the one that goes furthest; of several,
# that which was completed first, and of those the one whose steps before came last.
FURTHEST = """
SELECT person, events, anonymous, best.1 AS depth, best.2 AS at, best.3 AS value
  FROM (
    SELECT person, sum(events) AS events, sum(anonymous) AS anonymous,
           argMin((depth, at, value), rank) AS best
      FROM ({reached})
     GROUP BY person
  )
"""

TOTAL = """
SELECT 1 AS total, '' AS name, 0 AS rank, sum(events), sum(anonymous),
       {people},
       {seconds}
  FROM ({reached})
"""

# From the inside: each value of the field; its rank by people; what has no name of its own
# merged; and everything together.
RANKED = """
SELECT grouping(name) AS total, name, min(rank), sum(events), sum(anonymous),
       {people},
       {seconds}
  FROM (
    SELECT *, multiIf({special}, value, rank <= {limit}, value, '{other}') AS name
      FROM (
        SELECT *, dense_rank() OVER (ORDER BY {special}, people_1 DESC, value) AS rank
          FROM (
            SELECT value, sum(events) AS events, sum(anonymous) AS anonymous,
                   {people_states},
                   {seconds_states}
              FROM ({reached})
             GROUP BY value
          )
      )
  )
 GROUP BY GROUPING SETS ((name), ())
"""

MOST_FREQUENT = """
SELECT value
  FROM ({reached})
 WHERE depth > 0 AND NOT {special}
 GROUP BY value
 ORDER BY count() DESC, value
 LIMIT {limit}
"""

SPECIAL = f"value IN ('', '{OTHER}', '{NONE}')"
PERCENTILES = "quantilesExactInclusiveIf{form}(0.5, 0.9)"


class Read(Struct, frozen=True, kw_only=True):
    """What is read of the events' table, in SQL. `marks` are the conditions of the steps and then
    of the exclusions; `held` has the JSON of what is held, `value` what names a group."""

    who: str
    scan: str
    anonymous: str
    marks: Sequence[str]
    held: Sequence[str]
    value: str


class Which(Struct, frozen=True, kw_only=True):
    """The people behind a bar: those who reached the step, or those of them who `stopped` there.
    `group` is a placeholder for the name of their group, None: of all."""

    step: int
    stopped: bool
    group: str | None
    is_other: bool


def marks_sql(conditions: Sequence[str]) -> str:
    """A bit for each that holds of an event."""
    return " + ".join(f"{1 << place} * {is_it}" for place, is_it in enumerate(conditions))


def summary_sql(course: Course, read: Read, groups: int) -> str:
    """Rows of (whether it is the total, name, rank, events, anonymous, people of each step …,
    median and p90 seconds from the step before of the second … step). `groups` is how many keep
    their names; without any there is the total alone."""
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
        special=SPECIAL,
        limit=groups,
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
    group = f"value = {which.group}"
    if which.is_other:
        named = MOST_FREQUENT.format(reached=reached, special=SPECIAL, limit=groups)
        group = f"value != '{NONE}' AND value NOT IN ({named})"
    return f"SELECT person FROM ({reached}) WHERE {depth} AND {group}"


def reached_sql(course: Course, read: Read) -> str:
    """Rows of (person, events, anonymous, depth, at, value): depth 0 is nobody's, and theirs who
    did not come in; they have no value."""
    walked = windowed_sql if course.order == "any" else walked_sql
    sql = walked(course, _sorted_sql(course, _happened_sql(course, read)))
    if course.value_of is not None:
        sql = over(sql, *_values(course))
    columns = ["person", "events", "anonymous", "depth", "at", f"{_value(course)} AS value"]
    if course.held:
        columns.append(f"({_rank(course)}) AS rank")
    sql = f"SELECT {lines(columns)}\n  FROM (\n{sql}\n)"
    return FURTHEST.format(reached=sql) if course.held else sql


def _happened_sql(course: Course, read: Read) -> str:
    second = "toUnixTimestamp(ts) + 1"  # so that 0 is no second
    event = f"bitOr(bitShiftLeft(toUInt64({second}), {MARK_BITS}), {marks_sql(read.marks)})"
    if course.needs_arrival:
        behind = f"bitOr(bitShiftLeft(toUInt128(seq), {SEQ_AT}), {marks_sql(read.marks)})"
        event = f"bitOr(bitShiftLeft(toUInt128({second}), {SEQ_AT + SEQ_BITS}), {behind})"
    if course.value_of is not None:
        event = f"({event}, {read.value})"
    return HAPPENED.format(
        who=read.who,
        held=f"[{', '.join(read.held)}]" if course.held else "0",
        person="person, held" if course.held else "person",
        event=event,
        counts="person != 0 AND NOT has(held, '')" if course.held else "person != 0",
        anonymous=read.anonymous,
        scan=read.scan,
    )


def _sorted_sql(course: Course, happened: str) -> str:
    """`seconds` and `marks` in the order in which they are walked through; `arrived` are the marks
    in the order of arrival, with their `values`."""
    bits = (1 << MARK_BITS) - 1
    second_at = SEQ_AT + SEQ_BITS if course.needs_arrival else MARK_BITS
    if course.value_of is None:
        sql = over(happened, "arraySort(happened) AS numbers")
    else:
        sql = over(happened, "arraySort(one -> one.1, happened) AS sorted")
        sql = over(sql, "tupleElement(sorted, 1) AS numbers", "tupleElement(sorted, 2) AS values")
    seconds = f"arrayMap(number -> toUInt32(bitShiftRight(number, {second_at})), numbers)"
    marks = f"arrayMap(number -> toUInt32(bitAnd(number, {bits})), numbers)"
    if course.by_arrival or not course.needs_arrival:
        return over(sql, f"{seconds} AS seconds", f"{marks} AS marks", "marks AS arrived")
    sql = over(sql, f"{seconds} AS seconds", f"{marks} AS arrived")
    best = (f"arraySort((mark, second) -> bitOr(bitShiftLeft(toUInt64(second), {MARK_BITS}), mark),"
            " arrived, seconds)")  # fmt: skip
    return over(sql, f"{best} AS marks")


def _values(course: Course) -> Iterator[str]:
    """`named_n`: what the event of each step says; empty where it was not reached. Of several in
    one second the one that arrived first speaks."""
    for step in range(1, course.steps + 1):
        if course.by_arrival:
            yield f"values[place_{step}] AS named_{step}"
            continue
        when = f"second {'>= since' if course.order == 'any' else f'= at_{step}'}"
        first = f"arrayFirstIndex((second, mark) -> {when} AND {{is_it}}, seconds, arrived)"
        of_step = first.format(is_it=f"bitTest(mark, {step - 1})")
        yield f"if(depth < {step}, '', values[{of_step}]) AS named_{step}"
    if course.order == "any":
        of_any = first.format(is_it="bitAnd(mark, bitShiftLeft(1, depth) - 1) != 0")
        yield f"if(depth = 0, '', values[{of_any}]) AS named_entry"


def _value(course: Course) -> str:
    if course.value_of is None:
        return "''"
    every = [f"named_{step}" for step in range(1, course.steps + 1)]
    if course.value_of == "entry":
        value = "named_entry" if course.order == "any" else "named_1"
    elif isinstance(course.value_of, int):
        value = f"named_{course.value_of}"
    else:
        in_turn = every if course.value_of == "first" else every[::-1]
        value = f"arrayFirst(name -> name NOT IN ('', '{NONE}'), [{', '.join(in_turn)}])"
    return f"if(depth = 0, '', ifNull(nullIf({value}, ''), '{NONE}'))"


def _rank(course: Course) -> str:
    """The least is the way that counts."""
    back = "arrayReverse(arraySlice(at, 1, depth))"
    way = ("arrayMap((second, place) -> if(place = 1, toInt64(second), -toInt64(second)),"
           f" {back}, arrayEnumerate({back}))")  # fmt: skip
    rank = f"-toInt8(depth), {way}, {_value(course)}"
    if not course.first_entry:
        return rank
    entry = "times[began]"
    if course.by_arrival:
        entry = "bitShiftRight(numbers[began], 32)"
    return f"began = 0, {entry}, {rank}"


def _took(step: int) -> str:
    return f"toInt64(at[{step}]) - at[{step - 1}], depth >= {step}"
