"""Which steps compete for the same events, so that one event is never counted as two steps.

Steps can each have an event of their own if and only if every set of them has as many events that
are of any of the set (Hall's theorem). Here are the sets that have to be looked at.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations

KINDS_AT_MOST = 6  # that compete with each other: 63 sets


def competing(marks: Iterable[int], steps: int) -> tuple[int, ...] | None:
    """Sets of steps, as bits, for events with these marks; None where too many compete.

    Steps that the same events are of are one kind: a set has all of a kind or nothing. For steps
    from one to another that are a part of a kind, the whole kind's events are the same ones.
    """
    marks = set(marks)
    sets: list[int] = []
    for kinds in _components(_kinds(marks, steps), marks):
        if len(kinds) > KINDS_AT_MOST:
            return None
        for size in range(1, len(kinds) + 1):
            sets += [sum(some) for some in combinations(kinds, size)]
    return tuple(sorted(sets))


def shares_events(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether an event can be of two steps with these event types, where none means any."""
    return not one or not other or not {*one}.isdisjoint(other)


def _kinds(marks: set[int], steps: int) -> list[int]:
    """Steps without events compete for none."""
    kinds: dict[frozenset[int], int] = {}
    alone: list[int] = []
    for step in range(steps):
        seen = frozenset(mark for mark in marks if mark >> step & 1)
        if seen:
            kinds[seen] = kinds.get(seen, 0) | 1 << step
        else:
            alone.append(1 << step)
    return [*kinds.values(), *alone]


def _components(kinds: Sequence[int], marks: set[int]) -> list[list[int]]:
    """Kinds that an event is of both of are in one component, and what is in one with those."""
    components: list[list[int]] = []
    for kind in kinds:
        near = [mark for mark in marks if mark & kind]
        together, apart = [kind], []
        for component in components:
            touched = any(mark & other for mark in near for other in component)
            if touched:
                together += component
            else:
                apart.append(component)
        components = [*apart, together]
    return components
