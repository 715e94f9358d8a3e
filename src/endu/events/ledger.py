"""Where settled events are kept and questions about them are asked."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from endu.events.event import Event, Seq
from endu.identities.identifier import Subject


class SettledEvent(Struct, frozen=True, gc=False):
    """An event with the subjects of its identifiers. None of this ever changes.

    `subject` is that of the deciding identifier, 0 where nobody is named. `others` are those of
    its other strong identifiers, `fingerprint` that of its fingerprint, 0 without one.
    """

    seq: Seq
    event: Event
    check: int  # CRC-32 of the record in the log
    reused: bool
    subject: Subject
    others: tuple[Subject, ...]
    fingerprint: Subject


class OwnerChange(Struct, frozen=True):
    """From now on `subject` is `identity`. Versions grow; the greatest one holds."""

    subject: Subject
    identity: Subject
    version: int


class VisitChange(Struct, frozen=True):
    """An event of a shared device: it is `subject`'s, or its own subject's again (0)."""

    seq: Seq
    subject: Subject
    version: int


class LedgerDamaged(Exception):
    """What was written is not what is there: the batch has to be tried again."""


class TooDear(Exception):
    """The question ran into a limit of time, memory or number; its text says which."""


class Ledger(Protocol):
    async def append(self, source: int, rows: Sequence[SettledEvent]) -> None:
        """Writes the rows in one insert and reads them back (count and sum of checks, no empty
        file). Raises LedgerDamaged, or the store's own error, with any part of them written:
        the caller asks `present` before it tries again."""

    async def present(self, source: int, first: Seq, last: Seq) -> set[int]:
        """Which places of the range are in the ledger."""

    async def last(self, source: int) -> int:
        """The greatest place that is in the ledger; 0 without any."""

    async def set_owners(self, changes: Sequence[OwnerChange]) -> None:
        """Writing a change again changes nothing."""

    async def set_visits(self, changes: Sequence[VisitChange]) -> None:
        """Writing a change again changes nothing."""

    async def versions(self) -> tuple[int, int]:
        """The greatest versions of owners and of visits that are written; 0 without any."""

    async def refresh(self) -> None:
        """Every later question sees all owners and visits that are written."""

    async def ask(self, sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """ClickHouse SQL with {name:Type} placeholders, the same embedded and clustered.

        Read-only and bounded in time and memory: raises TooDear. `endu.events` is the table; see
        `stores/ledger_tables.py` for its columns, and for WHO, whose an event is.
        """
