"""What people may have done on their way: the candidates that are tried, and their names."""

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from endu.journeys.question import GROUPS_AT_MOST, TEXT_LENGTH_AT_MOST, Field

TIMES_AT_MOST = 1_000
DAYS_AT_MOST = 3_650
SEVERAL_AT_MOST = 10

Times = Annotated[int, Meta(ge=1, le=TIMES_AT_MOST)]
Days = Annotated[int, Meta(ge=1, le=DAYS_AT_MOST)]


class ValuesOf(Struct, frozen=True, forbid_unknown_fields=True):
    """Having an event on which the field has a value: one candidate for each of the values that
    most people have, so many of them at most."""

    field: Field
    limit: Annotated[int, Meta(ge=1, le=GROUPS_AT_MOST)] = 10


class Counts(Struct, frozen=True, forbid_unknown_fields=True):
    """How often and how soon, for the candidates "counts": each number of times with each number of
    days from a person's start; without `days`, within the whole of `within`."""

    at_least: Annotated[list[Times], Meta(min_length=1, max_length=SEVERAL_AT_MOST)]
    days: Annotated[list[Days], Meta(max_length=SEVERAL_AT_MOST)] = []


USUAL_COUNTS = Counts([2, 3, 5, 10])

Candidate: TypeAlias = Literal["event_types", "counts", "platforms"] | ValuesOf


class Behaviour(Struct, frozen=True, forbid_unknown_fields=True):
    """Having, so many times at least, an event on which the field has the value; within so many
    days of the start where `days` is given. The value of an event type is its name."""

    field: Field
    value: Annotated[str, Meta(max_length=TEXT_LENGTH_AT_MOST)]
    at_least: Times = 1
    days: Days | None = None

    @property
    def text(self) -> str:
        if self.field == "event_type":
            said = f"did {self.value}"
        elif self.field == "platform":
            said = f"came through {self.value}"
        else:
            said = f"had {self.field} {self.value}"
        if self.at_least > 1:
            said += f" at least {self.at_least} times"
        return said if self.days is None else f"{said} within {self.days} days"


class Often(Struct, frozen=True):
    """So many times at least, within so many days of the start; None: as long as the clock runs."""

    at_least: int
    days: int | None


class Family(Struct, frozen=True):
    """The behaviours of one field: of each of at most `limit` values, so often."""

    field: str
    limit: int
    often: tuple[Often, ...]


def families_of(candidates: Sequence[Candidate], counts: Counts) -> list[Family]:
    """Each field once, in the order in which they are first named."""
    found: dict[str, Family] = {}
    for candidate in candidates:
        new = _family_of(candidate, counts)
        old = found.get(new.field, new)
        often = tuple(dict.fromkeys((*old.often, *new.often)))
        found[new.field] = Family(new.field, max(old.limit, new.limit), often)
    return list(found.values())


def _family_of(candidate: Candidate, counts: Counts) -> Family:
    once = (Often(1, None),)
    if isinstance(candidate, ValuesOf):
        return Family(candidate.field, candidate.limit, once)
    if candidate == "platforms":
        return Family("platform", GROUPS_AT_MOST, once)
    if candidate == "counts":
        days: Sequence[int | None] = counts.days or [None]
        often = tuple(Often(times, within) for within in days for times in counts.at_least)
        return Family("event_type", GROUPS_AT_MOST, often)
    return Family("event_type", GROUPS_AT_MOST, once)
