"""Who hangs together, and by which way: disjoint sets and shortest paths over subjects."""

from collections.abc import Iterable, Mapping, Sequence

from endu.identities.identifier import Subject


class Groups:
    """Disjoint sets with path halving; a set's root is its smallest subject."""

    def __init__(self, subjects: Iterable[Subject]) -> None:
        self._parent = {subject: subject for subject in subjects}

    def root(self, subject: Subject) -> Subject:
        parent = self._parent
        while parent[subject] != subject:
            parent[subject] = subject = parent[parent[subject]]
        return subject

    def join(self, a: Subject, b: Subject) -> Subject:
        low, high = sorted((self.root(a), self.root(b)))
        self._parent[high] = low
        return low


def shortest_path(
    neighbours: Mapping[Subject, Sequence[Subject]], start: Subject, end: Subject
) -> list[Subject]:
    """From start to end, both included; empty where there is no way."""
    came_from: dict[Subject, Subject] = {start: start}
    frontier = [start]
    while frontier and end not in came_from:
        reached = []
        for here in frontier:
            for there in neighbours.get(here, ()):
                if there not in came_from:
                    came_from[there] = here
                    reached.append(there)
        frontier = reached
    if end not in came_from:
        return []
    path = [end]
    while path[-1] != start:
        path.append(came_from[path[-1]])
    return path[::-1]
