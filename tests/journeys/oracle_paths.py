"""What the answer to a question about paths is, in plain Python, from insight.md and the
questions' documentation."""

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from itertools import groupby
from typing import Any, TypeAlias

from msgspec import Struct, field

from tests.journeys import oracle_frame as frame
from tests.journeys.world import Row

NO_FURTHER, NO_EARLIER = "(no further action)", "(no earlier action)"
SECONDS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}

Place: TypeAlias = tuple[int, str]
Path: TypeAlias = list[str]  # as far as it is told, from the anchor on where there is one


class Counts(Struct):
    """Of nodes, of links, of sequences: each by whatever names it."""

    people: dict[Hashable, set[int]] = field(default_factory=dict)
    transitions: Counter[Hashable] = field(default_factory=Counter)

    def add(self, key: Hashable, person: int) -> None:
        self.people.setdefault(key, set()).add(person)
        self.transitions[key] += 1


class Told(Struct):
    nodes: Counts = field(default_factory=Counts)
    links: Counts = field(default_factory=Counts)
    sequences: Counts = field(default_factory=Counts)


def about_these(asked: dict[str, Any], rows: Sequence[Row]) -> list[Row]:
    """The events that the question is about: what is excluded is left out."""
    return [
        row
        for row in rows
        if frame.in_scope(row, asked)
        and not any(frame.is_of(step, row) for step in asked.get("exclude", []))
    ]


def counted(asked: dict[str, Any], rows: Sequence[Row]) -> Told:
    told = Told()
    for person, path in paths(asked, rows):
        nodes = positioned(asked, path)
        for node in nodes:
            told.nodes.add(node, person)
        for link in zip(nodes, nodes[1:], strict=False):
            told.links.add(link, person)
        told.sequences.add(tuple(name for _, name in nodes if "action)" not in name), person)
    return told


def paths(asked: dict[str, Any], rows: Sequence[Row]) -> Iterator[tuple[int, Path]]:
    """Whose each is, and what stands in it."""
    mine = about_these(asked, rows)
    for person in sorted({row.person for row in mine} - {0}):
        events = [row for row in mine if row.person == person]
        for session in sessions(asked, events):
            begun = from_anchor(asked, session)
            names = [name_of(asked, row) for row in begun]
            if asked.get("collapse_repeats", True):
                names = [name for name, _ in groupby(names)]
            if names:
                yield person, names


def sessions(asked: dict[str, Any], events: Sequence[Row]) -> Iterator[list[Row]]:
    ((unit, count),) = asked.get("session_gap", {"minutes": 30}).items()
    session: list[Row] = []
    for event in sorted(events, key=lambda row: (row.second, row.seq)):
        if session and event.second - session[-1].second > count * SECONDS[unit]:
            yield session
            session = []
        session.append(event)
    if session:
        yield session


def from_anchor(asked: dict[str, Any], session: list[Row]) -> list[Row]:
    """What is told of a session: backwards where the anchor is its end."""
    anchor = asked.get("anchor")
    if anchor is None:
        return session
    ((which, step),) = anchor.items()
    told = session if which == "start" else session[::-1]
    places = [place for place, row in enumerate(told) if frame.is_of(step, row)]
    return told[places[0] :] if places else []


def positioned(asked: dict[str, Any], path: Path) -> list[Place]:
    """The nodes in the order of time, with the one that says that there is nothing more."""
    depth = asked.get("depth", 5)
    backwards = "end" in (asked.get("anchor") or {})
    shown = path[:depth]
    if len(shown) < depth:
        shown = [*shown, NO_EARLIER if backwards else NO_FURTHER]
    if backwards:
        return [(-place, name) for place, name in enumerate(shown)][::-1]
    return list(enumerate(shown))


def name_of(asked: dict[str, Any], row: Row) -> str:
    if asked.get("nodes") == "platform_and_event_type":
        return f"{row.platform or '(none)'}:{row.type_name}"
    return row.type_name


def answer(asked: dict[str, Any], rows: Sequence[Row]) -> dict[str, Any]:
    """All but `about`."""
    told = counted(asked, rows)
    backwards = "end" in (asked.get("anchor") or {})

    def of_places(key: Any) -> Any:
        from_anchor_on = key[::-1] if backwards else key
        return abs(from_anchor_on[0][0]), [name for _, name in from_anchor_on]

    def of_sequence(key: Any) -> Any:
        from_anchor_on = list(key[::-1] if backwards else key)
        short = len(key) < asked.get("depth", 5)
        return (
            [*from_anchor_on, NO_EARLIER if backwards else NO_FURTHER] if short else from_anchor_on
        )

    nodes = ranked(told.nodes, lambda key: (key[1],))
    links = ranked(told.links, of_places)
    sequences = ranked(told.sequences, of_sequence)[: asked.get("top", 50)]
    total = told.sequences.transitions.total() if asked.get("top") != 0 else 0
    return {
        "nodes": [
            {"position": position, "name": name, **numbers}
            for (position, name), numbers in sorted(nodes, key=lambda each: each[0][0])
        ],
        "links": [
            {"from": list(origin), "to": list(target), **numbers}
            for (origin, target), numbers in links
        ],
        "sequences": [{"steps": list(steps), **numbers} for steps, numbers in sequences],
        "share_covered": sum(n["transitions"] for _, n in sequences) / total if total else None,
    }


def ranked(counts: Counts, names: Any) -> list[tuple[Any, dict[str, int]]]:
    """Most people first, then most transitions, then nearest to the anchor and by name."""
    keys = sorted(
        counts.people,
        key=lambda key: (-len(counts.people[key]), -counts.transitions[key], names(key)),
    )
    return [
        (key, {"people": len(counts.people[key]), "transitions": counts.transitions[key]})
        for key in keys
    ]
