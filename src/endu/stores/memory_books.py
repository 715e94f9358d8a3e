"""Position, failed events and properties in memory: for tests. Nothing survives their end."""

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from endu.events.event import Seq
from endu.events.failed import Dropped, Failure, Passed
from endu.events.position import SetAside
from endu.organizations.organization import OrganizationId, Property, PropertyId


class MemoryPosition:
    def __init__(self) -> None:
        self._watermark = Seq(0)
        self._aside: dict[int, SetAside] = {}

    async def watermark(self) -> Seq:
        return self._watermark

    async def move(self, watermark: Seq) -> None:
        self._watermark = max(self._watermark, watermark)

    async def set_aside(self, record: SetAside) -> None:
        self._aside.setdefault(record.seq, record)

    async def aside(self, after: int, limit: int) -> list[SetAside]:
        return [record for seq, record in sorted(self._aside.items()) if seq > after][:limit]

    async def count_aside(self) -> int:
        return len(self._aside)


class MemoryFailedEvents:
    def __init__(self) -> None:
        self._failures: dict[int, Failure] = {}

    async def keep(
        self, added: Sequence[Failure], passed: Sequence[Passed], dropped: Sequence[Dropped]
    ) -> None:
        for failure in added:
            self._failures.setdefault(failure.seq, failure)
        for each in passed:
            for failure in self._of(each.organization_id, [each.seq]):
                self._failures[failure.seq] = replace(failure, passed=each.passed)
        for drop in dropped:
            for failure in self._of(drop.organization_id, drop.seqs):
                del self._failures[failure.seq]

    async def all(
        self, organization_id: OrganizationId, reason: str | None, after: int, limit: int
    ) -> list[Failure]:
        theirs = self._of(organization_id, sorted(self._failures))
        waiting = [f for f in theirs if f.passed is None and f.seq > after]
        return [f for f in waiting if reason in (None, f.event.reason)][:limit]

    async def find(self, organization_id: OrganizationId, seqs: Sequence[int]) -> list[Failure]:
        return self._of(organization_id, sorted(set(seqs)))

    async def before(
        self, organization_id: OrganizationId, received_before_ms: int, limit: int
    ) -> list[Seq]:
        theirs = self._of(organization_id, sorted(self._failures))
        return [f.seq for f in theirs if f.event.received_at_ms < received_before_ms][:limit]

    async def count_before(self, organization_id: OrganizationId, received_before_ms: int) -> int:
        every = len(self._failures)
        return len(await self.before(organization_id, received_before_ms, every))

    async def counts(self, organization_id: OrganizationId) -> dict[str, int]:
        theirs = self._of(organization_id, sorted(self._failures))
        return dict(Counter(f.event.reason for f in theirs if f.passed is None))

    def _of(self, organization_id: OrganizationId, seqs: Sequence[int]) -> list[Failure]:
        found = [self._failures[seq] for seq in seqs if seq in self._failures]
        return [f for f in found if f.event.organization_id == organization_id]


class MemoryProperties:
    def __init__(self) -> None:
        self._first_seen_ms: dict[tuple[OrganizationId, PropertyId], int] = {}

    async def note(self, first_seen_ms: Mapping[tuple[OrganizationId, PropertyId], int]) -> None:
        for key, at_ms in first_seen_ms.items():
            self._first_seen_ms[key] = min(at_ms, self._first_seen_ms.get(key, at_ms))

    async def of(self, organization_id: OrganizationId) -> list[Property]:
        theirs = [
            Property(property_id, at_ms)
            for (owner, property_id), at_ms in self._first_seen_ms.items()
            if owner == organization_id
        ]
        return sorted(theirs, key=lambda each: (each.first_seen_ms, each.property_id))
