"""Letting events in, or saying why not: from a body to a place in the log."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence, Set
from functools import partial
from typing import Any, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from endu.event_types.catalog import Catalog
from endu.event_types.event_type import EventType
from endu.events.admission import Admitted, Candidate, Replayed, admit, number_in
from endu.events.batch import events_in
from endu.events.event import FailedEvent, RecordId, encode_record
from endu.events.failed import KEPT_REASONS
from endu.events.inbox import Entry, Inbox, Kept, NotDurable, refusal_of
from endu.events.numbers import KnownNumbers
from endu.events.recorded import Recorded, Result, result_of, result_of_refusal
from endu.events.request import Said
from endu.events.wire import read_event
from endu.identities.identifier import Number
from endu.ids import Scramble, record_id
from endu.organizations.caller import Caller
from endu.organizations.keyring import Scope, without_keys
from endu.organizations.organization import Organization
from endu.refusals import Problem, Reason, Refusal
from endu.turns import one_by_one

A = TypeVar("A")
B = TypeVar("B")

MESSAGE_ID_REUSED = "MESSAGE_ID_REUSED"

LARGE_BODY = 64 * 1024  # telling the events of a larger one apart takes a thread
PIECE = 100  # events of a batch between two turns of everybody else: about a millisecond


# Awaited with a number of events; raises Refusal where they may not come in now.
LetIn: TypeAlias = Callable[[int], Awaitable[None]]


class Sent(Struct, frozen=True):
    """How a request arrived. `idempotency_key` is the header, None without one."""

    received_at_ms: int
    idempotency_key: str | None = None
    replayed: Replayed | None = None


class Recorder:
    def __init__(
        self, catalog: Catalog, inbox: Inbox, numbers: KnownNumbers, scramble: Scramble
    ) -> None:
        self._catalog = catalog
        self._inbox = inbox
        self.numbers = numbers
        self._scramble = scramble

    async def record(self, body: bytes, caller: Caller, sent: Sent) -> Recorded:
        """Returns once the event would survive a power cut; raises Refusal if it may not come in.

        What is refused for what it says is kept as a failed event before the Refusal is raised,
        and its data has `failed_event_id`.
        """
        caller.must_have(Scope.RECORD)
        try:
            admitted = await self.admit(body, caller, sent)
        except Refusal as refusal:
            await self._keep_failed(refusal, body, caller, sent)
            raise
        (recorded,) = await self.keep([admitted], caller.organization)
        return recorded

    def admit_at_once(self, body: bytes, caller: Caller, sent: Sent) -> Admitted | None:
        """`admit` without waiting, for the usual event. None where it is none: it is refused, or
        names a number that has to be looked up; `record` says what there is to say of it."""
        if Scope.RECORD not in caller.scopes:
            return None
        try:
            said = _read(body, caller, sent)
            number = number_in(said)
            if number is not None and not self._knows(number, caller):
                return None
            return self._judge(said, caller, sent)
        except Refusal:
            return None

    async def record_batch(
        self, body: bytes, caller: Caller, sent: Sent, let_in: LetIn
    ) -> Sequence[Result]:
        """A JSON array or NDJSON: one result for each event, in order. `let_in` is told how many
        there are before any is looked at.

        Raises Refusal only where no event could be told from the next (MALFORMED_JSON), the body
        is too large, the key may not record, or nothing could be kept (NOT_ACKNOWLEDGED).
        """
        caller.must_have(Scope.RECORD)
        events = await self._told_apart(body, caller, sent, let_in)
        outcomes = await self._outcomes(events, caller, sent)
        admitted = [outcome for outcome in outcomes if isinstance(outcome, Admitted)]
        recorded = iter(await self.keep(admitted, caller.organization))
        refused = iter(await self._refused(events, outcomes, caller, sent))
        return [
            result_of(next(recorded)) if isinstance(outcome, Admitted) else next(refused)
            for outcome in outcomes
        ]

    async def admit(self, body: bytes, caller: Caller, sent: Sent) -> Admitted:
        """Reads and judges one event, and keeps nothing. Raises Refusal."""
        said = _read(body, caller, sent)
        await self._learn_numbers([said], caller)
        return self._judge(said, caller, sent)

    async def _learn_numbers(self, saids: Sequence[Said], caller: Caller) -> None:
        named = [number for said in saids if (number := number_in(said)) is not None]
        await self.numbers.learn(caller.organization.organization_id, named)

    def _knows(self, number: Number, caller: Caller) -> bool:
        return self.numbers.knows(caller.organization.organization_id, number)

    def _judge(
        self, said: Said, caller: Caller, sent: Sent, adopted: Set[Number] = frozenset()
    ) -> Admitted:
        organization_id = caller.organization.organization_id
        event_type = self._catalog.current(organization_id, said.event_type)
        number = number_in(said)
        return admit(
            Candidate(
                said,
                caller,
                event_type,
                self._violations(said, event_type) if event_type and event_type.schema else [],
                number,
                number is None or number in adopted or self._knows(number, caller),
                sent.received_at_ms,
                sent.replayed,
            )
        )

    async def keep(
        self, admitted: Sequence[Admitted], organization: Organization
    ) -> list[Recorded]:
        """All of them in one append, in order. Raises Refusal (NOT_ACKNOWLEDGED): none is kept."""
        if not admitted:
            return []
        kept = await self._append([one.entry for one in admitted])
        organization_id = organization.organization_id
        for one in admitted:
            if one.number is not None:
                self.numbers.remember(organization_id, one.number)
        return [self.recorded(one, place) for one, place in zip(admitted, kept, strict=True)]

    def recorded(self, admitted: Admitted, kept: Kept) -> Recorded:
        """What to tell the sender of an event that is kept."""
        warnings = admitted.warnings
        if kept.reused:
            warnings += (MESSAGE_ID_REUSED,)
        return Recorded(self._id_of(kept), kept.duplicate, warnings)

    def _violations(self, said: Said, event_type: EventType) -> list[Problem]:
        check = self._catalog.check_of(event_type)
        if check is None or said.problems:
            return []
        data: dict[str, Any] = msgspec.json.decode(said.data)
        return check(data)

    async def _append(self, entries: Sequence[Entry]) -> list[Kept]:
        try:
            return await self._inbox.append(entries)
        except NotDurable as fault:
            raise refusal_of(fault) from fault

    def _id_of(self, kept: Kept) -> RecordId:
        named = record_id(self._scramble, self._inbox.source, kept.seq, kept.received_at_ms)
        return RecordId(named)

    async def _keep_failed(self, refusal: Refusal, body: bytes, caller: Caller, sent: Sent) -> None:
        """Keeps the event of a refusal where it should be, and says so in the refusal."""
        if refusal.reason in KEPT_REASONS:
            (kept,) = await self._append([_failed(refusal, body, caller, sent)])
            refusal.data["failed_event_id"] = self._id_of(kept)

    async def _told_apart(
        self, body: bytes, caller: Caller, sent: Sent, let_in: LetIn
    ) -> list[bytes]:
        settings = caller.organization.settings
        _must_be_no_larger("batch", body, settings.batch_bytes_at_most)
        try:
            if len(body) > LARGE_BODY:
                events = await asyncio.to_thread(events_in, body)
            else:
                events = events_in(body)
        except Refusal as refusal:
            await let_in(1)
            await self._keep_failed(refusal, body, caller, sent)
            raise
        most = settings.events_per_batch_at_most
        await let_in(max(1, min(len(events), most)))
        if len(events) > most:
            raise Refusal(
                Reason.TOO_LARGE, f"A batch has at most {most} events; this has {len(events)}."
            )
        return events

    async def _outcomes(
        self, events: Sequence[bytes], caller: Caller, sent: Sent
    ) -> list[Admitted | Refusal]:
        read = [_or_refusal(_read, text, caller, sent) async for text in one_by_one(events, PIECE)]
        await self._learn_numbers([said for said in read if isinstance(said, Said)], caller)
        outcomes: list[Admitted | Refusal] = []
        adopted: set[Number] = set()  # by an event before, which is kept if this one is
        judge = partial(self._judge, adopted=adopted)
        async for said in one_by_one(read, PIECE):
            outcome = said if isinstance(said, Refusal) else _or_refusal(judge, said, caller, sent)
            if isinstance(outcome, Admitted) and outcome.number is not None:
                adopted.add(outcome.number)
            outcomes.append(outcome)
        return outcomes

    async def _refused(
        self,
        events: Sequence[bytes],
        outcomes: Sequence[Admitted | Refusal],
        caller: Caller,
        sent: Sent,
    ) -> list[Result]:
        """Keeps what is to be kept of them in one append. What cannot be is to be sent again."""
        refused = [
            (outcome, event)
            for outcome, event in zip(outcomes, events, strict=True)
            if isinstance(outcome, Refusal)
        ]
        entries = [
            _failed(refusal, event, caller, sent)
            for refusal, event in refused
            if refusal.reason in KEPT_REASONS
        ]
        try:
            kept = iter(await self._append(entries) if entries else [])
        except Refusal as not_durable:
            return [result_of_refusal(not_durable, "retry") for _ in refused]
        for refusal, _ in refused:
            if refusal.reason in KEPT_REASONS:
                refusal.data["failed_event_id"] = self._id_of(next(kept))
        return [result_of_refusal(refusal, "refused") for refusal, _ in refused]


def _read(body: bytes, caller: Caller, sent: Sent) -> Said:
    _must_be_no_larger("event", body, caller.organization.settings.event_bytes_at_most)
    return read_event(body, sent.received_at_ms, sent.idempotency_key)


def _or_refusal(
    work: Callable[[A, Caller, Sent], B], what: A, caller: Caller, sent: Sent
) -> B | Refusal:
    try:
        return work(what, caller, sent)
    except Refusal as refusal:
        return refusal


def _must_be_no_larger(what: str, body: bytes, most: int) -> None:
    if len(body) > most:
        raise Refusal(
            Reason.TOO_LARGE, f"The {what} has {len(body)} bytes; at most {most} are allowed."
        )


def _failed(refusal: Refusal, body: bytes, caller: Caller, sent: Sent) -> Entry:
    failed = FailedEvent(
        organization_id=caller.organization.organization_id,
        received_at_ms=sent.received_at_ms,
        reason=refusal.reason.name,
        text=str(refusal),
        problems=tuple((problem.path, problem.message) for problem in refusal.problems),
        body=without_keys(body),
        key_kind=caller.kind,
        message_id=sent.idempotency_key,
    )
    return Entry(encode_record(failed), sent.received_at_ms)
