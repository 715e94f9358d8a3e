"""The ledger as far as visits ask it: in memory, so that thousands of worlds cost little."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from endu.events.visits import ON_DEVICE
from endu.identities.evidence import Evidence, Sighting, Whose


class Shelf:
    """What happened on a device, and when."""

    def __init__(self) -> None:
        self._events: dict[int, tuple[Sighting, Whose]] = {}

    def keep(self, batch: Sequence[tuple[int, Evidence]], whose: Sequence[Whose | None]) -> None:
        for (seq, item), found in zip(batch, whose, strict=True):
            if isinstance(item, Sighting) and found is not None:
                self._events[seq] = item, found

    def all(self) -> dict[int, tuple[Sighting, Whose]]:
        """By their places."""
        return self._events

    def take_out(self, places: Collection[int]) -> None:
        for place in places:
            self._events.pop(place, None)

    async def ask(self, sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        assert sql == ON_DEVICE
        return [
            (seq, item.happened_at_ms, found.subject, found.others, found.fingerprint)
            for seq, (item, found) in self._events.items()
            if item.organization_id == values["org"]
            and found.subject in values["subjects"]
            and (not values["devices"] or found.fingerprint in values["devices"])
            and values["from"] <= item.happened_at_ms <= values["to"]
        ]
