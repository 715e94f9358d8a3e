"""What the SQL of a funnel has to know of the question: the course that people may take."""

from typing import Literal, TypeAlias

from msgspec import Struct

Order = Literal["ordered", "strict", "any"]

# An event's marks: a bit for each step that it is of, then one for each exclusion.
MARK_BITS = 25

# Where the order of arrival matters, an event is one number of 128 bits: second, place, marks.
SEQ_AT = 32
SEQ_BITS = 64

# Whose value names a person's group: that of one step's event, or of the first or last with one.
ValueOf: TypeAlias = int | Literal["entry", "first", "last"] | None


class Void(Struct, frozen=True):
    """What is done between these neighbouring steps, or any two of those in between, ends a way."""

    after: int
    before: int

    @property
    def gaps(self) -> int:
        """A bit for each step that it must not follow."""
        return (1 << (self.before - 1)) - (1 << (self.after - 1))


class Course(Struct, frozen=True, kw_only=True):
    """`shared` are the sets of steps, as bits, that compete for events: see `funnel_shared`. Each
    step alone where no event is of two."""

    steps: int
    within_seconds: int
    order: Order = "ordered"
    first_entry: bool = False
    by_arrival: bool = False
    voids: tuple[Void, ...] = ()
    shared: tuple[int, ...]
    held: bool = False
    value_of: ValueOf = None

    @property
    def all_steps(self) -> int:
        return (1 << self.steps) - 1

    @property
    def can_end(self) -> bool:
        """Whether something in between can end a way."""
        return self.order == "strict" or bool(self.voids)

    @property
    def competes(self) -> bool:
        """Whether an event may be of two steps."""
        return any(some.bit_count() > 1 for some in self.shared)

    @property
    def by_second(self) -> bool:
        """Whether the events of one second are taken as one moment. They need not be where the
        order of the steps is the best one for them."""
        in_any_order = not self.by_arrival and self.order != "any"
        return in_any_order and (self.can_end or self.competes)

    @property
    def needs_arrival(self) -> bool:
        """Whether it matters which of the events of a second arrived first."""
        return self.by_arrival or self.value_of is not None
