"""Nodes, links and sequences of paths as whole numbers: counting those takes the ledger half the
time that lists of names would."""

from collections.abc import Mapping, Sequence
from enum import IntEnum

from msgspec import Struct

SIZES = (64, 128, 256)  # of ClickHouse's unsigned numbers, in bits


class Kind(IntEnum):
    """Those from EVENTS on are no parts of paths: how many a person has travels along."""

    SEQUENCE = 1
    NODE = 2
    LINK = 3
    EVENTS = 4
    ANONYMOUS = 5
    CONTESTED = 6


KIND_BITS = max(Kind).bit_length()


class Items(Struct, frozen=True):
    """An item is its kind and, behind it, what stands at each place of a path, in as many bits as
    any node needs: a whole path for a sequence, one place for a node, two for a link. Places are
    counted from 0; those that are no part of it are empty.

    `names` are those of the nodes, the end of a path first and the others in their order, so that
    items of one kind compare like their names, place by place.
    """

    names: Sequence[str]
    depth: int

    @property
    def end(self) -> str:
        """What a path is over with where it is shorter than its depth."""
        return self.names[0]

    @property
    def width(self) -> int:
        """Of a node, in bits."""
        return len(self.names).bit_length()

    @property
    def size(self) -> int:
        """The fewest bits with room enough; the most have it for 10 places of 33 million names."""
        bits = self.width * self.depth + KIND_BITS
        return next(size for size in SIZES if bits <= size)

    @property
    def sql_type(self) -> str:
        return f"UInt{self.size}"

    @property
    def kind_at(self) -> int:
        """How many bits there are behind the kind."""
        return self.size - KIND_BITS

    def item(self, kind: Kind, names: Mapping[int, str]) -> int:
        """Of the nodes at these places. Raises ValueError where there is no node of a name."""
        placed = [self.names.index(name) + 1 << self._at(place) for place, name in names.items()]
        return (kind << self.kind_at) + sum(placed)

    def names_of(self, item: int) -> dict[int, str]:
        """By their places, which ascend."""
        any_node = (1 << self.width) - 1
        codes = [item >> self._at(place) & any_node for place in range(self.depth)]
        return {place: self.names[code - 1] for place, code in enumerate(codes) if code}

    def _at(self, place: int) -> int:
        return self.width * (self.depth - 1 - place)
