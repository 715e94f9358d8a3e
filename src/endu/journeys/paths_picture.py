"""What the ledger counted of paths, as nodes, links and sequences to be drawn; and the way back,
from one of these to the people behind it."""

from collections.abc import Iterable, Sequence
from typing import Annotated

from msgspec import Meta, Struct, field

from endu.journeys.paths_items import Items, Kind

NAME_LENGTH_AT_MOST = 200
DEPTH_AT_MOST = 10

# No event type has such a name, with a platform or without.
NO_FURTHER, NO_EARLIER = "(no further action)", "(no earlier action)"

Name = Annotated[str, Meta(max_length=NAME_LENGTH_AT_MOST, examples=["ITEM_PURCHASED"])]
Place = Annotated[tuple[int, Name], Meta(description="Position and name.")]
Steps = Annotated[list[Name], Meta(min_length=1, max_length=DEPTH_AT_MOST)]

# How many people and transitions, both below zero, and of which item.
Entry = tuple[int, int, int]


class NodePlace(Struct, frozen=True, forbid_unknown_fields=True):
    position: int
    name: Name


class LinkPlace(Struct, frozen=True, forbid_unknown_fields=True):
    origin: Place = field(name="from")
    target: Place = field(name="to")


class PathNode(Struct, frozen=True, kw_only=True):
    """`transitions` counts the paths that have it there, `people` those whose paths they are."""

    position: int
    name: Name
    people: int
    transitions: int


class PathLink(Struct, frozen=True, kw_only=True):
    """From a node to the one right behind it."""

    origin: Place = field(name="from")
    target: Place = field(name="to")
    people: int
    transitions: int


class PathSequence(Struct, frozen=True, kw_only=True):
    """A whole path, in the order of time; `transitions` counts how often it was taken."""

    steps: list[Name]
    people: int
    transitions: int


class NotInPicture(Exception):
    """`part` is the fault's place in what was asked for."""

    def __init__(self, part: str, message: str) -> None:
        super().__init__(message)
        self.part = part


class Picture(Struct, frozen=True):
    """`backwards`, paths are told from their last node on, and positions go down from 0."""

    items: Items
    backwards: bool

    def nodes(self, entries: Iterable[Entry]) -> list[PathNode]:
        """By position, then in the order of entries."""
        nodes = []
        for entry in self._in_order(entries):
            ((position, name),) = self._places(entry)
            nodes.append(PathNode(position=position, name=name, **_numbers(entry)))
        return sorted(nodes, key=lambda node: node.position)

    def links(self, entries: Iterable[Entry]) -> list[PathLink]:
        links = []
        for entry in self._in_order(entries):
            origin, target = self._places(entry)
            links.append(PathLink(origin=origin, target=target, **_numbers(entry)))
        return links

    def sequences(self, entries: Iterable[Entry]) -> list[PathSequence]:
        sequences = []
        for entry in self._in_order(entries):
            names = [name for _, name in self._places(entry) if name != self.items.end]
            sequences.append(PathSequence(steps=names, **_numbers(entry)))
        return sequences

    def item_of(self, shown: NodePlace | LinkPlace | Steps) -> int:
        """Raises NotInPicture."""
        if isinstance(shown, NodePlace):
            return self._of_node(shown)
        return self._of_link(shown) if isinstance(shown, LinkPlace) else self._of_sequence(shown)

    def _of_node(self, node: NodePlace) -> int:
        return self._item(Kind.NODE, [(node.position, node.name)], [(".position", ".name")])

    def _of_link(self, link: LinkPlace) -> int:
        if link.target[0] != link.origin[0] + 1:
            raise NotInPicture(".to[0]", "is the position right behind that of `from`")
        parts = [(".from[0]", ".from[1]"), (".to[0]", ".to[1]")]
        return self._item(Kind.LINK, [link.origin, link.target], parts)

    def _of_sequence(self, steps: Steps) -> int:
        items = self.items
        if len(steps) > items.depth:
            raise NotInPicture("", f"has at most {items.depth} steps, which is `depth`")
        if items.end in steps:
            raise NotInPicture(f"[{steps.index(items.end)}]", "is no step: nothing happened there")
        told = [*reversed(steps)] if self.backwards else [*steps]
        told += [items.end] if len(steps) < items.depth else []
        placed = [(-place if self.backwards else place, name) for place, name in enumerate(told)]
        parts = [("", f"[{steps.index(name) if name in steps else 0}]") for name in told]
        return self._item(Kind.SEQUENCE, placed, parts)

    def _in_order(self, entries: Iterable[Entry]) -> list[Entry]:
        """Most people first, then most transitions, nearest to the beginning, and by name."""
        return sorted(entries, key=lambda e: (e[0], e[1], min(self.items.names_of(e[2])), e[2]))

    def _places(self, entry: Entry) -> list[tuple[int, str]]:
        """Positions and names, in the order of time."""
        names = self.items.names_of(entry[2])
        if self.backwards:
            return [(-place, name) for place, name in reversed(names.items())]
        return list(names.items())

    def _item(
        self,
        kind: Kind,
        placed: Sequence[tuple[int, str]],
        parts: Sequence[tuple[str, str]],
    ) -> int:
        """`parts` say what positions and names are called in the question."""
        names = {-at if self.backwards else at: name for at, name in placed}
        for (place, name), (position_part, name_part) in zip(names.items(), parts, strict=True):
            if not 0 <= place < self.items.depth:
                raise NotInPicture(position_part, "is a position of the answer")
            if name not in self.items.names:
                raise NotInPicture(name_part, f"is a node of the answer: {name} is none")
        return self.items.item(kind, names)


def _numbers(entry: Entry) -> dict[str, int]:
    return {"people": -entry[0], "transitions": -entry[1]}
