"""The ledger in memory: for tests of whatever writes to it. It answers no questions."""

from collections.abc import Mapping, Sequence
from typing import Any

from endu.events.event import BareEvent, Event, Seq
from endu.events.ledger import (
    Answered,
    BroughtNumber,
    OwnerChange,
    SettledEvent,
    Table,
    VisitChange,
)


class MemoryLedger:
    """`rows` may hold an event twice, as a ledger that was written to twice would."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, SettledEvent]] = []
        self.owners: dict[int, OwnerChange] = {}
        self.visits: dict[int, VisitChange] = {}

    async def append(self, source: int, rows: Sequence[SettledEvent]) -> None:
        self.rows += [(source, row) for row in rows]

    async def present(self, source: int, first: Seq, last: Seq) -> set[int]:
        held = [row.seq for owner, row in self.rows if owner == source]
        return {seq for seq in held if first <= seq <= last}

    async def set_owners(self, changes: Sequence[OwnerChange]) -> None:
        for change in changes:
            held = self.owners.get(change.subject, change)
            self.owners[change.subject] = max(held, change, key=lambda each: each.version)

    async def set_visits(self, changes: Sequence[VisitChange]) -> None:
        for change in changes:
            held = self.visits.get(change.seq, change)
            self.visits[change.seq] = max(held, change, key=lambda each: each.version)

    async def versions(self) -> tuple[int, int]:
        owners = max((change.version for change in self.owners.values()), default=0)
        return owners, max((change.version for change in self.visits.values()), default=0)

    async def refresh(self) -> None:
        """There is nothing between writing and seeing here."""

    async def ask(self, sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        raise NotImplementedError("The ledger in memory answers no questions.")

    async def answer(self, sql: str, values: Mapping[str, Any]) -> Answered:
        raise NotImplementedError("The ledger in memory answers no questions.")

    async def set_numbers(self, numbers: Sequence[BroughtNumber]) -> None:
        """Nobody can ask for them."""

    async def table(self, sql: str, values: Mapping[str, Any]) -> Table:
        raise NotImplementedError("The ledger in memory answers no questions.")

    async def last(self, source: int) -> int:
        return max((row.seq for owner, row in self.rows if owner == source), default=0)

    async def checks(self, source: int, first: int, last: int) -> list[tuple[Any, ...]]:
        return self._checks(source, first, last, Event)

    async def bare_checks(self, source: int, first: int, last: int) -> list[tuple[Any, ...]]:
        return self._checks(source, first, last, BareEvent)

    async def damaged_parts(self) -> list[tuple[str, str]]:
        return []

    def _checks(
        self, source: int, first: int, last: int, kind: type[Event | BareEvent]
    ) -> list[tuple[Any, ...]]:
        held = [row for owner, row in self.rows if owner == source and isinstance(row.event, kind)]
        return sorted((row.seq, row.check) for row in held if first <= row.seq <= last)
