"""How much may wait for a commit: bounded, so that a slow disk cannot take all the memory."""

from collections.abc import Sequence

from endu.events.inbox import Entry, NotDurable

ROOM = 64 << 20  # bytes; beyond it callers are told to come again
ENTRY_COSTS = 1_000  # bytes of objects around a waiting record

NO_ROOM = "Too much is waiting for the disk; send it again."


class WaitingRoom:
    def __init__(self) -> None:
        self._taken = 0

    def enter(self, entries: Sequence[Entry]) -> int:
        """The bytes that they take until they leave. Raises NotDurable where those are too many."""
        size = ENTRY_COSTS * len(entries)
        for entry in entries:
            size += len(entry.record)
        if self._taken + size > ROOM:
            raise NotDurable(NO_ROOM)
        self._taken += size
        return size

    def leave(self, size: int) -> None:
        self._taken -= size
