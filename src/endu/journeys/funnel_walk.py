"""How far each person came where the steps have an order, in SQL over arrays.

A way is followed through a person's moments, which are events, or seconds with all of their
events. For each step and moment an array has the way that stands at this step then and began
last: it can do whatever others that stand there can, for longer. A way is one number: the second
of its entry, the moment at which it reached the step, and the step at which it stood before this
moment. So a level costs a few passes over flat arrays, however many ways there are.
"""

from collections.abc import Iterator

from endu.journeys.funnel_course import Course
from endu.journeys.layers import in_layers, over

PLACE_BITS = 32 - 5  # of the moment; the step before takes 5
ENTRY = ((1 << 32) - 1) << 32
SOME_WAY = 1 << 32  # less is no way: 0 nothing new, 1 ended
NO_WAY = "toUInt64(0)"

# In one layer, where each is made of the one before in one place only: what is nested more deeply
# is not parsed any more. A layer for each is planned for ten times as long.
STEPS_AT_ONCE = 5


def walked_sql(course: Course, happened: str) -> str:
    """`happened` is a SELECT with arrays `seconds` and `marks`, in order. Gives it the columns
    `depth`, how many steps were reached, `at_1` … and `at`, the second of each of them or 0,
    `place_1` … , the places of their moments, and `began`, the place at which the first step was
    first done or 0."""
    steps = range(1, course.steps + 1)
    depth = " + ".join(f"(first_{n} > 0)" for n in steps)
    began = "arrayFirstIndex(hit -> bitTest(hit, 0), hits) AS began"
    firsts = (f"arrayFirstIndex(way -> way != 0, new_{n}) AS first_{n}" for n in steps)
    sql = over(happened, *_moments(course), began)
    levels = [[*_level(course, step)] for step in steps]
    sql = in_layers(sql, levels, 1 if course.by_second else STEPS_AT_ONCE)
    sql = over(sql, *firsts)
    sql = in_layers(sql, [[_back(course, step)] for step in reversed(steps)], STEPS_AT_ONCE)
    places = (f"{_place(f'way_{n}')} AS place_{n}" for n in steps)
    seconds = (f"times[place_{n}] AS at_{n}" for n in steps)
    at = f"[{', '.join(f'at_{n}' for n in steps)}] AS at"
    return over(sql, *places, *seconds, at, f"{depth} AS depth")


def _moments(course: Course) -> Iterator[str]:
    """`times`, `hits` (the steps) and `ends` (the gaps in which a moment ends ways)."""
    if not course.by_second:
        yield "seconds AS times"
        yield "marks AS hits"
        if course.can_end:
            yield f"{_ends(course)} AS ends"
    else:
        yield "arrayCompact(seconds) AS times"
        yield _by_second("marks") + " AS hit_sets"
        yield f"{_all_of('hit_sets')} AS hits"
        if course.can_end:
            yield f"{_all_of(_by_second(_ends(course)))} AS ends"
    yield "arrayEnumerate(times) AS places"
    for place, some in enumerate(course.shared if course.by_second and course.competes else ()):
        yield (f"arrayMap(one -> arrayCount(mark -> bitAnd(mark, {some}) != 0, one), hit_sets)"
               f" AS events_{place}")  # fmt: skip


def _by_second(values: str) -> str:
    return f"arraySplit((one, change) -> change != 0, {values}, arrayDifference(seconds))"


def _all_of(sets: str) -> str:
    return f"arrayMap(one -> arrayReduce('groupBitOr', one), {sets})"


def _ends(course: Course) -> str:
    """For each event the gaps in which it ends a way, a bit for the step before each."""
    parts = [f"if(bitTest(mark, {course.steps + n}), {void.gaps}, 0)"
             for n, void in enumerate(course.voids)]  # fmt: skip
    if course.order == "strict":
        step = f"bitAnd(mark, {course.all_steps})"
        near = f"bitOr({step}, bitShiftRight({step}, 1))"
        gaps = (1 << (course.steps - 1)) - 1
        parts.append(f"if({step} = 0, 0, bitAnd(bitNot({near}), {gaps}))")
    ends = parts[0]
    for part in parts[1:]:
        ends = f"bitOr({ends}, {part})"
    return f"arrayMap(mark -> toUInt32({ends}), marks)"


def _level(course: Course, step: int) -> Iterator[str]:
    """`new_n`: the way that reaches the step at each moment; `way_n` … `from_n`: the one that
    stands there behind it, and before it."""
    if course.by_second and course.competes:
        yield from _low(course, step)
        yield f"{_shared_arrival(course, step)} AS new_{step}"
    else:
        yield f"{_arrival(course, step)} AS new_{step}"
    if step == course.steps:
        return
    stands = f"new_{step}"
    if course.can_end:
        stands = (f"arrayMap((new, end) -> if(new != 0, new, toUInt64(bitTest(end, {step - 1}))),"
                  f" new_{step}, ends)")  # fmt: skip
    yield f"arrayFill(way -> way != 0, {stands}) AS stood_{step}"
    before = f"stood_{step}"  # no event of the next step can have changed it
    if course.by_second or course.by_arrival:
        before = f"arrayPopBack(arrayPushFront({before}, {NO_WAY}))"
    yield f"{before} AS from_{step}"


def _goes_on(course: Course, way: str) -> str:
    return (f"{way} >= {SOME_WAY} AND second <= bitShiftRight({way}, 32)"
            f" + {course.within_seconds}")  # fmt: skip


def _goes_to(way: str, before: int) -> str:
    entry = f"bitAnd({way}, {ENTRY})" if before else "bitShiftLeft(toUInt64(second), 32)"
    return f"bitOr({entry}, bitOr(bitShiftLeft(toUInt64(place), 5), {before}))"


def _arrival(course: Course, step: int) -> str:
    """No event is of two steps, or moments are events: one way is the best to go on."""
    hit = f"bitTest(hit, {step - 1})"
    given = {"hit": "hits", "second": "times", "place": "places"}
    if step == 1:
        entry = f"{hit} AND place = began" if course.first_entry else hit
        return _mapped(given, f"if({entry}, {_goes_to('', 0)}, {NO_WAY})")
    given["way"] = f"from_{step - 1}"
    goes_on, way = _goes_on(course, "way"), _goes_to("way", step - 1)
    if not course.by_second:
        return _mapped(given, f"if({hit} AND {goes_on}, {way}, {NO_WAY})")
    given["just"] = f"new_{step - 1}"  # the step before was reached within this very second
    cases = f"NOT {hit}, {NO_WAY}, just != 0, just, {goes_on}, {way}"
    return _mapped(given, f"multiIf({cases}, {NO_WAY})")


def _low(course: Course, step: int) -> Iterator[str]:
    """The least step from which this one can be reached within a second by events of its own: of
    each set, as many steps as it has events, counted back from this one."""
    given = {"before": f"low_{step - 1}"} if step > 1 else {"before": "places"}
    lows = ["before" if step > 1 else "0"]
    for place, some in enumerate(course.shared):
        if some >> (step - 1) & 1:
            of_set = [n for n in range(step, 0, -1) if some >> (n - 1) & 1]
            given[f"n{place}"] = f"events_{place}"
            lows.append(f"{of_set}[n{place} + 1]")
    low = lows[0]
    for other in lows[1:]:
        low = f"greatest({low}, {other})"
    yield f"arrayMap(({', '.join(given)}) -> {low}, {', '.join(given.values())}) AS low_{step}"


def _shared_arrival(course: Course, step: int) -> str:
    """From the least step that a way stands at and that is not too low. Where the step before was
    reached from a low one, that is searched for among all: hardly ever, and only there."""
    given = {"second": "times", "place": "places", "low": f"low_{step}"}
    if step == 1:
        entry = "low = 0 AND place = began" if course.first_entry else "low = 0"
        return _mapped(given, f"if({entry}, {_goes_to('', 0)}, {NO_WAY})")
    given["just"] = f"new_{step - 1}"
    search: list[str] = []
    for before in range(1, step):
        way = f"way_{before}"
        given[way] = f"from_{before}"
        here = f"low <= {before} AND {_goes_on(course, way)}"
        search += [here, _goes_to(way, before)]
    cases = [f"low >= {step}", NO_WAY]
    cases += ["just != 0 AND bitAnd(just, 31) >= low", "just"]
    cases += [f"just = 0 OR low = {step - 1}", f"if({here}, {_goes_to(way, step - 1)}, {NO_WAY})"]
    return _mapped(given, f"multiIf({', '.join(cases)}, multiIf({', '.join(search)}, {NO_WAY}))")


def _mapped(given: dict[str, str], value: str) -> str:
    return f"arrayMap(({', '.join(given)}) -> {value}, {', '.join(given.values())})"


def _back(course: Course, step: int) -> str:
    """The way that was completed first, from its end: where it stood before each step."""
    if step == course.steps:
        return f"new_{step}[first_{step}] AS way_{step}"
    later = f"way_{step + 1}"
    if not course.by_second:
        return f"{_stood_before(later, step)} AS way_{step}"
    same = f"later != 0 AND bitAnd(later, 31) < {step}"  # it was reached within the same second
    way = f"if({same}, later, {_stood_before('later', step)})"
    return f"arrayMap(later -> {way}, [{later}])[1] AS way_{step}"


def _stood_before(later: str, step: int) -> str:
    """Without a later way, its place is 0, and that of the first to reach this step is greater."""
    place = f"greatest(toInt64({_place(later)}) - 1, toInt64(first_{step}))"
    return f"stood_{step}[{place}]"


def _place(way: str) -> str:
    return f"bitAnd(bitShiftRight({way}, 5), {(1 << PLACE_BITS) - 1})"
