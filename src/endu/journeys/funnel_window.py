"""How far each person came where the steps may be done in any order, in SQL over arrays.

For each moment of a person: the latest second from which on the first n steps have been done by
then, each by an event of its own. They count where that is no longer ago than the window allows.
"""

from collections.abc import Iterator

from endu.journeys.funnel_course import Course
from endu.journeys.layers import over


def windowed_sql(course: Course, happened: str) -> str:
    """`happened` is a SELECT with arrays `seconds` and `marks`, in order. Gives it the columns
    `depth`, how many steps were done, `at_1` … and `at`, the second by which that many were or 0,
    `since`, the second at which the window begins, and `began`, 1 where there is an event."""
    steps = range(1, course.steps + 1)
    depth = " + ".join(f"(first_{n} > 0)" for n in steps)
    sql = over(
        happened,
        *_moments(course),
        *(column for place, some in enumerate(course.shared) for column in _latest(place, some)),
        *(_done(course, step) for step in steps),
    )
    sql = over(sql, *(_first(course, step) for step in steps))
    sql = over(sql, f"{depth} AS depth", "notEmpty(times) AS began",
               f"times[{_of_depth(course, 'first_{}')}] AS ended")  # fmt: skip
    sql = over(sql, "arrayLastIndex(second -> second <= ended, times) AS last")
    since = "times[1]" if course.first_entry else _of_depth(course, "done_{}[last]")
    sql = over(sql, f"{since} AS since")
    at = (f"if(first_{n} > 0, times[arrayFirstIndex(from -> from >= since, done_{n})], 0) AS at_{n}"
          for n in steps)  # fmt: skip
    return over(over(sql, *at), f"[{', '.join(f'at_{n}' for n in steps)}] AS at")


def _moments(course: Course) -> Iterator[str]:
    if not course.first_entry:
        yield "marks AS hits"
        yield "seconds AS times"
        return
    soon = f"second <= seconds[1] + {course.within_seconds}"
    yield f"arrayFilter((mark, second) -> {soon}, marks, seconds) AS hits"
    yield f"arrayFilter(second -> {soon}, seconds) AS times"


def _latest(place: int, some: int) -> Iterator[str]:
    """When the last event of a set was, and the one before that, and so on: for each moment."""
    for nth in range(1, some.bit_count() + 1):
        second = f"if(bitAnd(hit, {some}) != 0, second, 0)"
        seconds = "times"
        if nth > 1:
            before = f"latest_{place}_{nth - 1}"
            seconds = f"arrayPopBack(arrayPushFront({before}, toUInt32(0)))"
        yield (f"arrayFill(second -> second != 0, arrayMap((hit, second) -> {second}, hits,"
               f" {seconds})) AS latest_{place}_{nth}")  # fmt: skip


def _done(course: Course, step: int) -> str:
    """The steps up to this one have been done where each set of them has as many events."""
    given = {"before": f"done_{step - 1}"} if step > 1 else {}
    for place, some in enumerate(course.shared):
        if some >> (step - 1) & 1:
            needed = (some & ((1 << step) - 1)).bit_count()
            given[f"n{place}"] = f"latest_{place}_{needed}"
    if len(given) == 1:
        return f"{next(iter(given.values()))} AS done_{step}"
    names, arrays = ", ".join(given), ", ".join(given.values())
    least = next(iter(given))
    for name in list(given)[1:]:
        least = f"least({least}, {name})"
    return f"arrayMap(({names}) -> {least}, {arrays}) AS done_{step}"


def _first(course: Course, step: int) -> str:
    soon = "" if course.first_entry else f" AND second <= from + {course.within_seconds}"
    return (f"arrayFirstIndex((from, second) -> from != 0{soon}, done_{step}, times)"
            f" AS first_{step}")  # fmt: skip


def _of_depth(course: Course, of_step: str) -> str:
    """What a pattern says for the last step that was done."""
    steps = reversed(range(1, course.steps + 1))
    cases = ", ".join(f"first_{n} > 0, {of_step.format(n)}" for n in steps)
    return f"multiIf({cases}, 0)"
