"""Sending failed events through admission again, as if they came now from the same kind of key."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence

from msgspec import Struct, field

from endu.events.admission import Admitted, Replayed
from endu.events.event import RecordId
from endu.events.failed import FailedEvents, Failure
from endu.events.recorder import Recorder, Sent
from endu.ids import Scramble, record_id
from endu.organizations.caller import Caller
from endu.organizations.keyring import MAY, KeyId, KeyKind
from endu.organizations.organization import Organization
from endu.refusals import Refusal

AT_A_TIME = 100  # about a millisecond: then other requests have their turn


class Tried(Struct):
    """What became of the failed events of one reason. `refused` counts by the reason of now."""

    tried: int = 0
    passed: int = 0
    refused: Counter[str] = field(default_factory=Counter)


class Replay:
    """What passed once does not pass twice: each attempt carries the failed event's own id."""

    def __init__(
        self, failed_events: FailedEvents, recorder: Recorder, scramble: Scramble, source: int
    ) -> None:
        self._failed_events = failed_events
        self._recorder = recorder
        self._scramble = scramble
        self._source = source

    async def of_reason(
        self, organization: Organization, reason: str | None, now_ms: int, dry_run: bool
    ) -> dict[str, Tried]:
        """All of one reason, or of any, that have not passed yet. By the reason they failed for."""
        results: dict[str, Tried] = {}
        async for failures in self._pages(organization, reason):
            await self._try(organization, failures, now_ms, dry_run, results)
        return results

    async def of_places(
        self, organization: Organization, seqs: Sequence[int], now_ms: int, dry_run: bool
    ) -> dict[str, Tried]:
        """Those at these places of the log; what has passed or is not here is left out."""
        results: dict[str, Tried] = {}
        found = await self._failed_events.find(organization.organization_id, seqs)
        failures = [failure for failure in found if failure.passed is None]
        for begin in range(0, len(failures), AT_A_TIME):
            page = failures[begin : begin + AT_A_TIME]
            await self._try(organization, page, now_ms, dry_run, results)
        return results

    async def _pages(
        self, organization: Organization, reason: str | None
    ) -> AsyncIterator[list[Failure]]:
        after = 0
        while page := await self._failed_events.all(
            organization.organization_id, reason, after, AT_A_TIME
        ):
            yield page
            after = page[-1].seq

    async def _try(
        self,
        organization: Organization,
        failures: Sequence[Failure],
        now_ms: int,
        dry_run: bool,
        results: dict[str, Tried],
    ) -> None:
        """What passes is kept in one append, and counted once it is."""
        await asyncio.sleep(0)
        passing: list[tuple[Tried, Admitted]] = []
        for failure in failures:
            result = results.setdefault(failure.event.reason, Tried())
            result.tried += 1
            try:
                admitted = await self._admit(failure, organization, now_ms)
            except Refusal as refusal:
                result.refused[refusal.reason.name] += 1
            else:
                passing.append((result, admitted))
        if not dry_run:
            await self._recorder.keep([admitted for _, admitted in passing], organization)
        for result, _ in passing:
            result.passed += 1

    async def _admit(self, failure: Failure, organization: Organization, now_ms: int) -> Admitted:
        event = failure.event
        failed_event_id = RecordId(
            record_id(self._scramble, self._source, failure.seq, event.received_at_ms)
        )
        sent = Sent(now_ms, event.message_id, Replayed(failed_event_id, event.received_at_ms))
        return await self._recorder.admit(event.body, _sender_of(failure, organization), sent)


def _sender_of(failure: Failure, organization: Organization) -> Caller:
    kind = KeyKind(failure.event.key_kind)
    return Caller(organization, kind, MAY[kind], KeyId(""))
