"""What a funnel's answer is, in plain Python: all choices of events for its steps are tried.

Written from insight.md and the question's documentation. Exponential; for logs of a few events.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from tests.journeys import oracle_frame as frame
from tests.journeys import oracle_trend
from tests.journeys.world import Row

Way = tuple[Row, ...]
SECONDS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}


class Went(Struct, frozen=True):
    """How one person went: the seconds at which each step was reached, and their group."""

    at: tuple[int, ...]
    group: str
    entry: int  # when it arrived


def funnel(asked: dict[str, Any], rows: Sequence[Row]) -> tuple[list[Any], dict[str, list[Any]]]:
    """(people, dropped, median, p90) of each step; and the same by group, in order."""
    everybody = went(asked, rows)
    groups: dict[str, list[Any]] = {}
    if "breakdown" in asked:
        names = shown_names(asked, everybody)
        shown = {person: names[each.group] for person, each in everybody.items()}
        sizes = {each.group: 0 for each in everybody.values()}
        for each in everybody.values():
            sizes[each.group] += 1
        named = frame.ranked(sizes, asked["breakdown"].get("limit", 10))
        for name in (*named, "(other)", "(none)"):
            members = [each for person, each in everybody.items() if shown[person] == name]
            if members:
                groups[name] = _steps(asked, members)
    return _steps(asked, list(everybody.values())), groups


def shown_names(asked: dict[str, Any], everybody: dict[int, Went]) -> dict[str, str]:
    """What each group is called: by its name where it is among the largest."""
    sizes: dict[str, int] = {}
    for each in everybody.values():
        sizes[each.group] = sizes.get(each.group, 0) + 1
    named = frame.ranked(sizes, asked["breakdown"].get("limit", 10))
    return {group: group if group in (*named, "(none)") else "(other)" for group in sizes}


def went(asked: dict[str, Any], rows: Sequence[Row]) -> dict[int, Went]:
    """Everybody who reached the first step."""
    people: dict[int, list[Row]] = {}
    for row in rows:
        if row.person and in_question(asked, row):
            people.setdefault(row.person, []).append(row)
    found = {person: _best(asked, events) for person, events in people.items()}
    return {person: each for person, each in found.items() if each is not None}


def in_question(asked: dict[str, Any], row: Row) -> bool:
    kinds = [*asked["steps"], *asked.get("exclude", [])]
    return frame.in_scope(row, asked) and any(frame.is_of(kind, row) for kind in kinds)


def people_behind(
    asked: dict[str, Any], rows: Sequence[Row], step: int, outcome: str, group: str | None
) -> list[int]:
    everybody = went(asked, rows)
    if group is not None:
        names = shown_names(asked, everybody)
        everybody = {p: each for p, each in everybody.items() if names[each.group] == group}
    if outcome == "converted":
        return sorted(p for p, each in everybody.items() if len(each.at) >= step)
    last = len(asked["steps"])
    return sorted(p for p, each in everybody.items() if len(each.at) == step < last)


def _steps(asked: dict[str, Any], members: Sequence[Went]) -> list[Any]:
    found = []
    for place in range(len(asked["steps"])):
        reached = [each.at for each in members if len(each.at) > place]
        further = [at for at in reached if len(at) > place + 1]
        is_last = place + 1 == len(asked["steps"])
        took = sorted(float(at[place] - at[place - 1]) for at in reached) if place else []
        median, p90 = (oracle_trend.of_numbers(name, took) for name in ("p50", "p90"))
        dropped = 0 if is_last else len(reached) - len(further)
        found.append((len(reached), dropped, median, p90))
    return found


def _best(asked: dict[str, Any], events: Sequence[Row]) -> Went | None:
    """Of a person's ways, one for each combination of what is held."""
    sequences: dict[Any, list[Row]] = {}
    for row in events:
        values = tuple(_held(path, row) for path in asked.get("hold", []))
        if None not in values:
            sequences.setdefault(values, []).append(row)
    ways = [_through(asked, sequence) for sequence in sequences.values()]
    if asked.get("entry") == "first":
        ways = _with_first_entry(asked, list(sequences.values()), ways)
    candidates = [way for way in ways if way is not None]
    return min(candidates, key=_rank, default=None)


def _rank(way: Went) -> tuple[Any, ...]:
    """Furthest; completed first; the steps before as late as possible; then only groups differ."""
    last, *before = way.at[::-1]
    return -len(way.at), last, [-second for second in before], way.entry


def _held(path: str, row: Row) -> Any:
    found = frame._found(path, row)
    if found is frame.MISSING:
        return None
    return repr(found) if isinstance(found, list | dict) else (isinstance(found, bool), found)


def _with_first_entry(
    asked: dict[str, Any], sequences: list[list[Row]], ways: list[Went | None]
) -> list[Went | None]:
    """Only those of sequences with the person's very first entry."""
    firsts = [
        min((_moment(asked, row) for row in _entries(asked, sequence)), default=None)
        for sequence in sequences
    ]
    first = min((each for each in firsts if each is not None), default=None)
    return [way for way, mine in zip(ways, firsts, strict=True) if mine == first]


def _entries(asked: dict[str, Any], events: Sequence[Row]) -> list[Row]:
    of = asked["steps"] if asked.get("order") == "any" else asked["steps"][:1]
    return [row for row in events if any(frame.is_of(step, row) for step in of)]


def _moment(asked: dict[str, Any], row: Row) -> tuple[int, ...]:
    """What is compared: events of one second are one moment, unless they count as they arrived."""
    return (row.second, row.seq) if asked.get("ties") == "arrival" else (row.second,)


def _through(asked: dict[str, Any], events: list[Row]) -> Went | None:
    if asked.get("order") == "any":
        return _through_in_any_order(asked, events)
    ways = list(_ways(asked, events, ()))
    if not ways:
        return None

    def rank(way: Way) -> Any:
        last, *before = [_moment(asked, row) for row in way[::-1]]
        return -len(way), last, [tuple(-part for part in moment) for moment in before]

    way = min(ways, key=rank)
    named = [way[place] if asked.get("ties") == "arrival" else _first_of(asked, events, place, row)
             for place, row in enumerate(way)]  # fmt: skip
    return Went(tuple(row.second for row in way), _group(asked, named, named[0]), named[0].seq)


def _first_of(asked: dict[str, Any], events: Sequence[Row], place: int, chosen: Row) -> Row:
    """Of several in one second, the one that arrived first speaks."""
    step = asked["steps"][place]
    same = [row for row in events if row.second == chosen.second and frame.is_of(step, row)]
    return min(same, key=lambda row: row.seq)


def _ways(asked: dict[str, Any], events: list[Row], way: Way) -> Iterator[Way]:
    """Every way that begins like this one, which is none of them if it is empty."""
    if way:
        yield way
    if len(way) == len(asked["steps"]):
        return
    for row in events:
        if row not in way and frame.is_of(asked["steps"][len(way)], row):
            longer = (*way, row)
            if _allowed(asked, events, longer):
                yield from _ways(asked, events, longer)


def _allowed(asked: dict[str, Any], events: list[Row], way: Way) -> bool:
    """Whether it may end like that; it was allowed before."""
    if len(way) == 1:
        first = min(_moment(asked, row) for row in _entries(asked, events))
        return asked.get("entry") != "first" or _moment(asked, way[0]) == first
    before, last = (_moment(asked, row) for row in way[-2:])
    if last < before or way[-1].second - way[0].second > _within(asked):
        return False
    between = [row for row in events if before < _moment(asked, row) < last]
    return not any(_voids(asked, row, len(way) - 1) for row in between)


def _voids(asked: dict[str, Any], row: Row, after: int) -> bool:
    """Whether it must not happen between step `after`, counted from 1, and the next."""
    steps = asked["steps"]
    if asked.get("order") == "strict":
        kinds = [place for place, step in enumerate(steps, 1) if frame.is_of(step, row)]
        if kinds and not {after, after + 1} & set(kinds):
            return True
    return any(
        each.get("after", 1) <= after < each.get("before", len(steps)) and frame.is_of(each, row)
        for each in asked.get("exclude", [])
    )


def _within(asked: dict[str, Any]) -> int:
    ((unit, number),) = asked.get("within", {"days": 14}).items()
    return int(number * SECONDS[unit])


def _through_in_any_order(asked: dict[str, Any], events: list[Row]) -> Went | None:
    first = min(row.second for row in events)
    if asked.get("entry") == "first":
        events = [row for row in events if row.second <= first + _within(asked)]
    spans = [
        [
            (min(r.second for r in way), max(r.second for r in way))
            for way in _sets(asked, events, n)
        ]
        for n in range(1, len(asked["steps"]) + 1)
    ]
    spans = [[(a, b) for a, b in each if b - a <= _within(asked)] for each in spans]
    depth = sum(bool(each) for each in spans)
    if not depth:
        return None
    done = min(end for _, end in spans[depth - 1])
    since = max(start for start, end in spans[depth - 1] if end == done)
    if asked.get("entry") == "first":
        since = first
    at = tuple(min(end for start, end in each if start >= since) for each in spans[:depth])
    inside = sorted((row for row in events if row.second >= since), key=lambda r: (r.second, r.seq))
    steps = asked["steps"][:depth]
    named = [next(row for row in inside if frame.is_of(step, row)) for step in steps]
    entry = next(row for row in inside if any(frame.is_of(step, row) for step in steps))
    return Went(at, _group(asked, named, entry), entry.seq)


def _sets_of_seconds(
    asked: dict[str, Any], events: Sequence[Row], steps: int
) -> Iterator[list[int]]:
    for way in _sets(asked, events, steps):
        yield [row.second for row in way]


def _sets(asked: dict[str, Any], events: Sequence[Row], steps: int) -> Iterator[Way]:
    """One event for each of the first steps, in any order."""
    if steps == 0:
        yield ()
        return
    for way in _sets(asked, events, steps - 1):
        for row in events:
            if row not in way and frame.is_of(asked["steps"][steps - 1], row):
                yield (*way, row)


def _group(asked: dict[str, Any], named: Sequence[Row], entry: Row) -> str:
    if "breakdown" not in asked:
        return ""
    field, at = asked["breakdown"]["field"], asked["breakdown"].get("at", "entry")
    if at == "entry":
        return frame.group_of(field, entry)
    names = [frame.group_of(field, row) for row in named]
    if at in ("first", "last"):
        said = [name for name in names if name != "(none)"]
        return (said[0] if at == "first" else said[-1]) if said else "(none)"
    place = int(at.removeprefix("step:"))
    return names[place - 1] if place <= len(names) else "(none)"
