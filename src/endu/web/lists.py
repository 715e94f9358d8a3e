"""Parts that questions over HTTP share: pages, cursors, freshness."""

import base64
import binascii
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct

from endu.refusals import Problem, Reason, Refusal

T = TypeVar("T")

Limit = Annotated[int, Meta(ge=1, le=1000, description="How many at most.")]
Cursor = Annotated[
    str | None, Meta(description="`data.next` of the page before; nothing for the first page.")
]
Fresh = Annotated[
    bool,
    Meta(description="Answer only after everything acknowledged before this request has settled."),
]


class Page(Struct, Generic[T], frozen=True):
    """Part of a list. `next` is the cursor of the page behind it, null at the end."""

    items: list[T]
    next: str | None = None


def write_cursor(*place: int) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(place)).decode().rstrip("=")


def read_cursor(cursor: str | None, start: tuple[int, ...]) -> tuple[int, ...]:
    """The place a cursor stands for, as many numbers as `start`, which a first page begins at."""
    if cursor is None:
        return start
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
        place = msgspec.msgpack.decode(packed, type=tuple[int, ...])
    except (binascii.Error, ValueError, msgspec.MsgspecError) as fault:
        raise _unusable_cursor() from fault
    if len(place) != len(start) or any(not 0 <= number < 1 << 63 for number in place):
        raise _unusable_cursor()
    return place


def _unusable_cursor() -> Refusal:
    problem = Problem("cursor", "Give the data.next of an answer, as it was, or leave it out.")
    return Refusal(Reason.INVALID_REQUEST, "That cursor is not one of ours.", problems=[problem])
