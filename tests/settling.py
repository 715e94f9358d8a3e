"""A settler over stores in memory, or whichever a test puts in their place."""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from endu.events.ledger import SettledEvent
from endu.events.settler import Parts, Settler
from endu.stores.memory_books import MemoryFailedEvents, MemoryPosition, MemoryProperties
from endu.stores.memory_inbox import MemoryInbox
from endu.stores.memory_ledger import MemoryLedger
from endu.stores.trouble import of_storage
from tests.log_world import NOON, SCRAMBLE, NoVisits, PlainResolver


def parts_in_memory(**changes: Any) -> Parts:
    resolver = changes.pop("resolver", PlainResolver())
    parts = Parts(
        inbox=MemoryInbox(),
        resolver=resolver,
        ledger=MemoryLedger(),
        owners=resolver.owners,
        visits=NoVisits(),
        failed=MemoryFailedEvents(),
        properties=MemoryProperties(),
        position=MemoryPosition(),
        scramble=SCRAMBLE,
    )
    return replace(parts, **changes)


async def a_settler(parts: Parts, at_each_step: Callable[[str], None] = str) -> Settler:
    settler = Settler(parts, lambda: NOON, of_storage, at_each_step)
    await settler.start()
    return settler


async def settle_all(parts: Parts, limit: int = 20_000) -> Settler:
    settler = await a_settler(parts)
    while await settler.settle_once(limit):
        pass
    return settler


async def seqs_in(parts: Parts) -> list[int]:
    ledger: Any = parts.ledger
    return [row[0] for row in await ledger.checks(0, 1, 1 << 40)]


class TornLedger(MemoryLedger):
    """Writes a part of what it is given and then fails, a number of times."""

    def __init__(self, failures: list[Exception]) -> None:
        super().__init__()
        self._failures = failures

    async def append(self, source: int, rows: Sequence[SettledEvent]) -> None:
        if self._failures:
            await super().append(source, rows[::2])
            raise self._failures.pop()
        await super().append(source, rows)
