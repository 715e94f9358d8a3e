"""What a disk in trouble cost the ledger, brought back from the log."""

import logging
from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from endu.events.event import BareEvent, Event, Logged, Seq
from endu.events.inbox import Inbox
from endu.events.ledger import Ledger, LostPart
from endu.events.portion import Batch
from endu.events.position import Position, all_aside
from endu.events.reading import Reading
from endu.events.settler import Settler

logger = logging.getLogger(__name__)

AT_ONCE = 20_000  # records that are looked for in the ledger in one question


class Mendable(Protocol):
    """A ledger's parts on the disk."""

    async def mend(self) -> None:
        """Heals what can be, and takes out of the ledger what stays unreadable."""

    async def lost(self) -> Sequence[LostPart]:
        """What was taken out, by this process or another, and not forgotten since."""

    async def forget(self, lost: Sequence[LostPart]) -> None:
        """Their rows are in the ledger again."""


class Settled(Struct, frozen=True):
    """The log, what was settled of it, and how far that is."""

    inbox: Inbox
    ledger: Ledger
    position: Position


class Healing:
    """Works beside a settler that settles. Done again, it changes nothing."""

    def __init__(self, mendable: Mendable, settled: Settled, settler: Settler) -> None:
        self._mendable = mendable
        self._settled = settled
        self._settler = settler
        self.brought_back = 0

    async def heal(self) -> None:
        """Returns once every settled event can be read in the ledger. Raises what storage raises;
        what was lost is found again by the next call, in another process too."""
        await self._mendable.mend()
        lost = await self._mendable.lost()
        if not lost:
            return
        names = ", ".join(f"{part.table} {part.name}" for part in lost)
        logger.error("The ledger lost %s; the log is searched for what was in there", names)
        before = self.brought_back
        await self._bring_back()
        await self._settler.tell_all_again()
        await self._mendable.forget(lost)
        logger.warning("%d events were brought back from the log", self.brought_back - before)

    async def _bring_back(self) -> None:
        watermark = await self._settled.position.watermark()
        aside = {each.seq for each in await all_aside(self._settled.position)}
        reading = Reading(self._settled.inbox)
        after = Seq(0)
        try:
            while after < watermark and (batch := await reading.batch_behind(after, AT_ONCE)).count:
                missing = await self._missing(batch, watermark)
                events = [each for each in missing if each.seq not in aside]
                if events:
                    self.brought_back += await self._settler.bring_back(events)
                after = batch.last
        finally:
            await reading.stop()

    async def _missing(self, batch: Batch, watermark: Seq) -> list[Logged]:
        """The settled events among them that the ledger does not have."""
        events = [each for each in batch.logged if isinstance(each.record, Event | BareEvent)]
        if not events:
            return []
        source = self._settled.inbox.source
        there = await self._settled.ledger.present(source, events[0].seq, events[-1].seq)
        return [each for each in events if each.seq <= watermark and each.seq not in there]
