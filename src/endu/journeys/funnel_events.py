"""The events of a funnel in SQL: each person's in arrays, in the order in which they count."""

from collections.abc import Sequence

from msgspec import Struct

from endu.journeys.about import contested_sql
from endu.journeys.funnel_course import MARK_BITS, SEQ_AT, SEQ_BITS, Course
from endu.journeys.layers import over

# Nobody is no person: such events are counted, and nothing else.
HAPPENED = """
SELECT {who} AS person,
       {held} AS held,
       groupArrayIf({event}, {counts}) AS happened,{said}
       count() AS events,
       countIf({anonymous}) AS anonymous,
       countIf({contested}) AS contested
  FROM endu.events
 WHERE {scan}
 GROUP BY {person}
"""
SAID = """
       groupArrayIf({says}, {counts}) AS said,"""


class Read(Struct, frozen=True, kw_only=True):
    """What is read of the events' table, in SQL. `marks` are the conditions of the steps and then
    of the exclusions; `held` has the JSON of what is held, `value` what names a group."""

    who: str
    scan: str
    anonymous: str
    marks: Sequence[str]
    held: Sequence[str]
    value: str


def marks_sql(conditions: Sequence[str]) -> str:
    """A bit for each that holds of an event."""
    return " + ".join(f"{1 << place} * {is_it}" for place, is_it in enumerate(conditions))


def number_of(text: str) -> str:
    """A text as 128 bits that no other has: arrays of text cost four times as much."""
    return f"reinterpretAsUInt128(sipHash128({text}))"


def events_sql(course: Course, read: Read) -> str:
    """Rows of (person, held, events, anonymous, contested) with arrays: `numbers` and `arrived`,
    the events and their marks in the order of arrival within a second, and what each `says`;
    `seconds`; and `marks` in the order in which they are walked through. Without need of it there
    is no order of arrival, and nothing said."""
    sql = _happened_sql(course, read)
    bits = (1 << MARK_BITS) - 1
    second_at = SEQ_AT + SEQ_BITS if course.needs_arrival else MARK_BITS
    columns = ["arraySort(happened) AS numbers"]
    if course.value_of is not None:
        columns.append("arraySort((one, number) -> number, said, happened) AS says")
    sql = over(sql, *columns)
    best = (f"arraySort((mark, second) -> bitOr(bitShiftLeft(toUInt64(second), {MARK_BITS}), mark),"
            " arrived, seconds)")  # fmt: skip
    as_they_came = course.by_arrival or not course.needs_arrival
    return over(
        sql,
        f"arrayMap(number -> toUInt32(bitShiftRight(number, {second_at})), numbers) AS seconds",
        f"arrayMap(number -> toUInt32(bitAnd(number, {bits})), numbers) AS arrived",
        f"{'arrived' if as_they_came else best} AS marks",
    )


def _happened_sql(course: Course, read: Read) -> str:
    second = "toUnixTimestamp(ts) + 1"  # so that 0 is no second
    event = f"bitOr(bitShiftLeft(toUInt64({second}), {MARK_BITS}), {marks_sql(read.marks)})"
    if course.needs_arrival:
        behind = f"bitOr(bitShiftLeft(toUInt128(seq), {SEQ_AT}), {marks_sql(read.marks)})"
        event = f"bitOr(bitShiftLeft(toUInt128({second}), {SEQ_AT + SEQ_BITS}), {behind})"
    held, person, counts = "0", "person", "person != 0"
    if course.held:
        values = f"[{', '.join(read.held)}]"
        held = f"if(has({values}, ''), 0, {number_of(values)})"
        person, counts = "person, held", "person != 0 AND held != 0"
    return HAPPENED.format(
        who=read.who,
        held=held,
        person=person,
        event=event,
        said=""
        if course.value_of is None
        else SAID.format(says=number_of(read.value), counts=counts),
        counts=counts,
        anonymous=read.anonymous,
        contested=contested_sql("person"),
        scan=read.scan,
    )
