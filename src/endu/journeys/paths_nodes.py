"""What paths lead over: the kinds of events, or these and the platforms on which they happen."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from endu.event_types.event_type import EventType
from endu.journeys.draft import NONE, OTHER
from endu.journeys.values import Values


class Nodes(Struct, frozen=True):
    """Event types that bear one name are one node. Made by `nodes_of`."""

    ids: dict[str, list[str]]  # by the names of event types, in their order
    platforms: dict[str, str]  # what a node's name begins with, in that order

    @property
    def names(self) -> list[str]:
        """In their order."""
        return [f"{beginning}{name}" for beginning in self.platforms.values() for name in self.ids]

    def place_sql(self, values: Values, first: int) -> str:
        """Where an event's node stands among the names, counted from `first`."""
        places = {name: place for place, name in enumerate(self.ids, first)}
        named = [(event_id, places[name]) for name in self.ids for event_id in self.ids[name]]
        of_type = _place_sql("event_type", named, places[OTHER], values)
        if len(self.platforms) == 1:
            return of_type
        rows = [(platform, row * len(self.ids)) for row, platform in enumerate(self.platforms)]
        return f"{of_type} + {_place_sql('platform', rows, dict(rows)[OTHER], values)}"


def nodes_of(kinds: Iterable[EventType], platforms: Iterable[str] | None) -> Nodes:
    """`platforms` are all there are, None where they make no difference. OTHER, of both, is what
    was not there yet when they were listed."""
    kinds = list(kinds)
    ids: dict[str, list[str]] = {name: [] for name in sorted({OTHER, *(k.name for k in kinds)})}
    for kind in kinds:
        ids[kind.name].append(kind.event_id)
    if platforms is None:
        return Nodes(ids, {"": ""})
    beginnings = {platform: f"{platform or NONE}:" for platform in {OTHER, *platforms}}
    return Nodes(ids, dict(sorted(beginnings.items(), key=lambda pair: pair[1])))


def _place_sql(
    column: str, places: Sequence[tuple[str, int]], otherwise: int, values: Values
) -> str:
    known = values.add([value for value, _ in places], "Array(String)")
    numbers = values.add([place for _, place in places], "Array(UInt32)")
    return f"transform({column}, {known}, {numbers}, toUInt32({otherwise}))"
