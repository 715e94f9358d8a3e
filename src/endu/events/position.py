"""How far the settler has come, and what it had to leave aside."""

from typing import Protocol

from msgspec import Struct

from endu.events.event import Seq


class SetAside(Struct, frozen=True):
    """A record that could not be settled. It stays in the log; a rebuild tries it again."""

    seq: Seq
    reason: str
    at_ms: int


ASIDE_AT_ONCE = 1_000


class Position(Protocol):
    async def watermark(self) -> Seq:
        """Everything up to this place is settled or set aside; 0 at the beginning."""

    async def move(self, watermark: Seq) -> None:
        """Returns once it would survive a power cut. Never goes back."""

    async def set_aside(self, record: SetAside) -> None:
        """Setting it aside again changes nothing."""

    async def aside(self, after: int, limit: int) -> list[SetAside]:
        """Those behind `after`, in order."""

    async def count_aside(self) -> int:
        """How many there are."""


async def all_aside(position: Position) -> list[SetAside]:
    """Every record that could not be settled, in order."""
    found = more = await position.aside(0, ASIDE_AT_ONCE)
    while more:
        more = await position.aside(found[-1].seq, ASIDE_AT_ONCE)
        found = [*found, *more]
    return found
