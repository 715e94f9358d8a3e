"""What every question has in common, as callers write it: a range, filters, steps, a breakdown.

These Structs are the request bodies and their place in the OpenAPI document. What they cannot
say (which event types exist, which op goes with which field) a `Draft` checks.
"""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

VALUES_AT_MOST = 1_000
CONDITIONS_AT_MOST = 50
EVENT_TYPES_AT_MOST = 100
GROUPS_AT_MOST = 100
TEXT_LENGTH_AT_MOST = 1_000

Moment: TypeAlias = Annotated[
    str | int | float,
    Meta(
        description="RFC 3339 with an offset, or Unix seconds.",
        examples=["2023-01-01T00:00:00Z", 1672531200],
    ),
]
Scalar: TypeAlias = (
    Annotated[str, Meta(max_length=TEXT_LENGTH_AT_MOST)] | int | float | bool
)  # fmt: skip
Op = Literal["eq", "ne", "in", "not_in", "gt", "gte", "lt", "lte", "contains", "exists"]
WeekStart = Literal["monday", "sunday"]


class Duration(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How long, in exactly one unit; days are of 24 hours."""

    seconds: int | UnsetType = UNSET
    minutes: int | UnsetType = UNSET
    hours: int | UnsetType = UNSET
    days: int | UnsetType = UNSET

    @property
    def parts(self) -> dict[str, int]:
        """The units that are given, in seconds."""
        given = {unit: getattr(self, unit) for unit in _SECONDS}
        return {u: n * _SECONDS[u] for u, n in given.items() if n is not UNSET}


_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}

Field: TypeAlias = Annotated[
    str,
    Meta(
        description="event_type, property_id, platform, event_data.<path>, proof or chain_type. "
        "The keys of a path are parted by dots; a dot inside a key is written \\.",
        examples=["platform", "event_data.price"],
        max_length=TEXT_LENGTH_AT_MOST,
    ),
]


class Condition(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that has to hold of an event.

    `value` is a list with `in` and `not_in`; with `exists` it is true (the default) or false.
    Values are compared as what they are: numbers with numbers (as 64-bit floating point), text
    with text (gt and so on by code points), true and false with those. `ne` and `not_in` hold of
    whatever `eq` and `in` do not hold of, where the path is missing too; nothing else does there.
    A null is as missing. `contains` looks into a text, or for an element of an array.
    """

    field: Field
    op: Op
    value: (
        Scalar
        | Annotated[list[Scalar], Meta(min_length=1, max_length=VALUES_AT_MOST)]
        | UnsetType
    ) = UNSET  # fmt: skip


Where: TypeAlias = Annotated[
    list[Condition],
    Meta(description="All of them have to hold.", max_length=CONDITIONS_AT_MOST),
]


class Step(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A kind of event. A name means every event type that ever bore it, an id that one alone;
    without `event_types` it is any event."""

    event_types: Annotated[
        list[str],
        Meta(
            description="Names or ids, any of them.",
            examples=[["ITEM_PURCHASED"]],
            max_length=EVENT_TYPES_AT_MOST,
        ),
    ] = []
    where: Where = []
    label: Annotated[str, Meta(max_length=200)] | UnsetType = UNSET


class Breakdown(Struct, frozen=True, forbid_unknown_fields=True):
    """The same answer once more for each of a field's most frequent values, for "(other)", which
    is all the rest, and for "(none)", where the field is missing."""

    field: Field
    limit: Annotated[int, Meta(ge=1, le=GROUPS_AT_MOST)] = 10


class Question(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The part that all questions share. `to` is now if left out, `from` 30 days before it."""

    since: Moment | UnsetType = msgspec.field(name="from", default=UNSET)
    until: Moment | UnsetType = msgspec.field(name="to", default=UNSET)
    timezone: Annotated[str, Meta(description="IANA name.", examples=["Europe/Berlin"])] = "UTC"
    week_start: WeekStart = "monday"
    where: Where = []
    fresh: Annotated[
        bool, Meta(description="Answer only after everything acknowledged before has settled.")
    ] = False
