"""How far each person came through a funnel, in SQL, and which group they are in."""

from collections.abc import Iterator

from endu.journeys.draft import NONE
from endu.journeys.funnel_course import SEQ_AT, Course
from endu.journeys.funnel_events import Read, events_sql, number_of
from endu.journeys.funnel_walk import walked_sql
from endu.journeys.funnel_window import windowed_sql
from endu.journeys.layers import lines, over

# Of a person's ways through, one for each held value: the one that goes furthest; of several,
# that which was completed first, and of those the one whose steps before came last.
FURTHEST = """
SELECT person, events, anonymous, contested,
       best.1 AS depth, best.2 AS at, best.3 AS value
  FROM (
    SELECT person,
           sum(events) AS events, sum(anonymous) AS anonymous, sum(contested) AS contested,
           argMin((depth, at, value), rank) AS best
      FROM ({reached})
     GROUP BY person
  )
"""

COUNTED = ("events", "anonymous", "contested")

UNSAID = number_of(f"'{NONE}'")


def reached_sql(course: Course, read: Read) -> str:
    """Rows of (person, events, anonymous, contested, depth, at, value), the value as a number:
    depth 0 is nobody's, and theirs who did not come in; their value is 0, as is everybody's
    without need."""
    walked = windowed_sql if course.order == "any" else walked_sql
    sql = walked(course, events_sql(course, read))
    value = "toUInt128(0)"
    if course.value_of is not None:
        sql = over(sql, *_speaking(course))
        value = f"if(depth = 0, 0, {_said(course)})"
    columns = ["person", *COUNTED, "depth", "at", f"{value} AS value"]
    if course.held:
        columns.append(f"({', '.join(_rank(course))}) AS rank")
    sql = f"SELECT {lines(columns)}\n  FROM (\n{sql}\n)"
    return FURTHEST.format(reached=sql) if course.held else sql


def _speaking(course: Course) -> Iterator[str]:
    """`event_n`: the place, by arrival, of the event that speaks for each step; 0 where it was not
    reached. Of several in one second it is the one that arrived first."""
    for step in range(1, course.steps + 1):
        event = f"place_{step}"
        if not course.by_arrival:
            when = "second >= since" if course.order == "any" else f"second = at_{step}"
            event = _first(f"{when} AND bitTest(mark, {step - 1})")
        yield f"if(depth < {step}, 0, {event}) AS event_{step}"
    if course.order == "any":
        done = "bitAnd(mark, bitShiftLeft(1, depth) - 1) != 0"
        yield f"if(depth = 0, 0, {_first(f'second >= since AND {done}')}) AS event_entry"


def _first(condition: str) -> str:
    return f"arrayFirstIndex((second, mark) -> {condition}, seconds, arrived)"


def _said(course: Course) -> str:
    if course.value_of == "entry":
        return f"says[{_entry(course)}]"
    if isinstance(course.value_of, int):
        event = f"event_{course.value_of}"
        return f"if({event} = 0, {UNSAID}, says[{event}])"
    steps = range(1, course.steps + 1)
    in_turn = ", ".join(
        f"says[event_{n}]" for n in (steps if course.value_of == "first" else reversed(steps))
    )
    found = f"arrayFirst(value -> value NOT IN (0, {UNSAID}), [{in_turn}])"
    return f"if({found} = 0, {UNSAID}, {found})"


def _entry(course: Course) -> str:
    return "event_entry" if course.order == "any" else "event_1"


def _rank(course: Course) -> Iterator[str]:
    """The least is the way that counts. Of equal ones, which only a group can tell apart, it is
    the one whose entry arrived first."""
    if course.first_entry:
        yield "began = 0"
        yield f"bitShiftRight(numbers[began], {SEQ_AT})" if course.by_arrival else "times[began]"
    yield "-toInt8(depth)"
    back = "arrayReverse(arraySlice(at, 1, depth))"
    yield ("arrayMap((second, place) -> if(place = 1, toInt64(second), -toInt64(second)),"
           f" {back}, arrayEnumerate({back}))")  # fmt: skip
    if course.value_of is not None:
        yield f"toUInt64(bitShiftRight(numbers[{_entry(course)}], {SEQ_AT}))"
