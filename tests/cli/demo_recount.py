"""What the demonstration's events say, counted again in plain Python and without its plan.

Who is whom is worked out from the events alone: identifiers that stand on one event are one
person's, and a browser belongs to whoever it was seen with.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, TypeAlias

from networkx import Graph, connected_components

Event: TypeAlias = dict[str, Any]
Person: TypeAlias = int
Histories: TypeAlias = dict[Person, list[tuple[int, str]]]  # each by time: (seconds, event type)

DAY = 86_400
WEEK = 7 * DAY


def identifiers_of(event: Event) -> list[str]:
    """As the log has them, but for the normalising of the accounts."""
    found = []
    if "c_user_id" in event:
        found.append(f"c_user_id:{event['c_user_id']}")
    if "p_user_id" in event:
        found.append(f"{event['platform_type'].lower()}:{event['p_user_id']}")
    if "blockchain" in event:
        found.append(f"wallet:{event['blockchain']['chain_account']}")
    if "fingerprint" in event:
        found.append(f"fingerprint:{event['fingerprint']}")
    return found


def people_in(events: Iterable[Event]) -> list[set[str]]:
    """The identifiers of each. (A browser that two people use would join them here; the story
    has none, and a test looks that it stays so.)"""
    graph: Graph[str] = Graph()
    for event in events:
        named = identifiers_of(event)
        graph.add_nodes_from(named)
        graph.add_edges_from((named[0], other) for other in named[1:])
    return list(connected_components(graph))


def histories_in(events: Iterable[Event]) -> Histories:
    events = list(events)
    owner = {name: n for n, names in enumerate(people_in(events)) for name in names}
    histories: Histories = defaultdict(list)
    for event in events:
        person = owner[identifiers_of(event)[0]]
        histories[person].append((int(event["timestamp"]), event["event_type"]))
    for history in histories.values():
        history.sort()
    return dict(histories)


def funnel_of(histories: Histories, steps: list[str], within: int) -> list[int]:
    """How many people came to each step. Each step is here a kind of its own."""
    counts = [0] * len(steps)
    for history in histories.values():
        entries = [at for at, event_type in history if event_type == steps[0]]
        reached = max((_reached(history, steps, entry, within) for entry in entries), default=0)
        for step in range(reached):
            counts[step] += 1
    return counts


def _reached(history: list[tuple[int, str]], steps: list[str], entry: int, within: int) -> int:
    step, at = 1, entry
    while step < len(steps):
        later = [t for t, name in history if name == steps[step] and at <= t <= entry + within]
        if not later:
            break
        step, at = step + 1, min(later)
    return step


def retention_of(histories: Histories, start: str, back: str, begins_at: int) -> list[list[int]]:
    """Of those who start in each calendar week: how many there are, then how many come back in
    that week after starting, in the next, and so on."""
    grid: dict[int, list[int]] = defaultdict(lambda: [0] * 14)
    for history in histories.values():
        starts = [at for at, name in history if name == start]
        if not starts:
            continue
        cohort = (min(starts) - begins_at) // WEEK
        weeks = {
            (at - begins_at) // WEEK - cohort
            for at, name in history
            if name == back and at >= min(starts)
        }
        grid[cohort][0] += 1
        for week in weeks:
            grid[cohort][week + 1] += 1
    return [grid[cohort] for cohort in sorted(grid)]


def rates_of(
    histories: Histories, population: str, behaviour: str, goal: str
) -> dict[bool, tuple[int, int]]:
    """With and without the behaviour: people, and those of them who reach the goal, both within
    14 days after they came into the population and the behaviour before the goal."""
    counts: dict[bool, list[int]] = {True: [0, 0], False: [0, 0]}
    for history in histories.values():
        entries = [at for at, name in history if name == population]
        if not entries:
            continue
        span = range(entries[0], entries[0] + 14 * DAY + 1)
        goals = [at for at, name in history if name == goal and at in span]
        did = any(
            name == behaviour and at in span and at < min(goals, default=span.stop)
            for at, name in history
        )
        counts[did][0] += 1
        counts[did][1] += bool(goals)
    return {did: (people, reached) for did, (people, reached) in counts.items()}
