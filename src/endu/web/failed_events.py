"""Failed events over HTTP: listed, replayed, let go."""

from typing import Annotated

from msgspec import Meta, Struct

from endu.events.event import FailedEventsDropped, RecordId
from endu.events.failed import Failure
from endu.events.inbox import NOT_ACKNOWLEDGED
from endu.journeys.scope import Time, rfc3339
from endu.organizations.keyring import KeyKind, Scope
from endu.organizations.organization import OrganizationId
from endu.refusals import Problem, Reason, Refusal
from endu.web.endpoint import Call, Nothing, endpoint
from endu.web.lists import Cursor, Fresh, Limit, Page, read_cursor, write_cursor
from endu.web.log import id_of, keep, seq_of
from endu.web.parts import Parts

GROUP = "Failed events"

IDS_AT_MOST = 1_000
DROPPED_AT_ONCE = 1_000

FailedFor = Annotated[
    str | None, Meta(description="The code they were refused with, such as UNKNOWN_EVENT_TYPE.")
]


class FailedEventShown(Struct, frozen=True, kw_only=True):
    """`body` is what came, as text."""

    failed_event_id: RecordId
    received_at: Time
    reason: str
    text: str
    problems: list[Problem]
    body: str
    key_kind: KeyKind


class FailedEventsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    reason: FailedFor = None
    limit: Limit = 100
    cursor: Cursor = None
    fresh: Fresh = False


class WhichToDrop(Struct, frozen=True, forbid_unknown_fields=True):
    reason: FailedFor = None
    failed_event_id: str | None = None


class WhichToReplay(Struct, frozen=True, forbid_unknown_fields=True):
    """Either their ids or a reason."""

    reason: str | None = None
    ids: Annotated[list[str], Meta(max_length=IDS_AT_MOST)] | None = None
    dry_run: bool = False


class ReplayedOfReason(Struct, frozen=True):
    """`refused` counts those that fail still, by the reason of now."""

    reason: str
    tried: int
    passed: int
    refused: dict[str, int]


class ReplayAnswer(Struct, frozen=True):
    """After a dry run, `passed` is how many would."""

    dry_run: bool
    tried: int
    passed: int
    reasons: list[ReplayedOfReason]


class DropAnswer(Struct, frozen=True):
    dropped: int


@endpoint("GET", "/failed-events", group=GROUP, needs=Scope.READ)
async def list_failed_events(call: Call[FailedEventsQuery, None]) -> Page[FailedEventShown]:
    """Events that were refused and have not passed since, whole, oldest first."""
    query = call.query
    (after,) = read_cursor(query.cursor, (0,))
    found = await call.parts.failed_events.all(
        call.organization_id, query.reason, after, query.limit + 1
    )
    shown = found[: query.limit]
    return Page(
        [failed_event_shown(call.parts, failure) for failure in shown],
        write_cursor(shown[-1].seq) if len(found) > len(shown) else None,
    )


@endpoint(
    "POST",
    "/failed-events/replay",
    group=GROUP,
    needs=Scope.MANAGE,
    refusals=(Reason.NOT_FOUND, *NOT_ACKNOWLEDGED, Reason.NOT_SETTLED),
)
async def replay_failed_events(call: Call[Nothing, WhichToReplay]) -> ReplayAnswer:
    """Send failed events through again, by id or by the reason they failed for.

    What passed once does not pass twice. With `dry_run` nothing is changed.
    """
    parts, body, organization = call.parts, call.body, call.caller.organization
    if (body.reason is None) == (body.ids is None):
        raise _either("ids or a reason")
    await parts.fresh()
    if body.ids is None:
        results = await parts.replay.of_reason(
            organization, body.reason, parts.now_ms(), body.dry_run
        )
    else:
        seqs = await _places(parts, call.organization_id, body.ids)
        results = await parts.replay.of_places(organization, seqs, parts.now_ms(), body.dry_run)
    reasons = [
        ReplayedOfReason(reason, each.tried, each.passed, dict(each.refused))
        for reason, each in sorted(results.items())
    ]
    return ReplayAnswer(
        body.dry_run,
        sum(each.tried for each in reasons),
        sum(each.passed for each in reasons),
        reasons,
    )


@endpoint(
    "DELETE",
    "/failed-events",
    group=GROUP,
    needs=Scope.MANAGE,
    refusals=(Reason.NOT_FOUND, *NOT_ACKNOWLEDGED, Reason.NOT_SETTLED),
)
async def drop_failed_events(call: Call[WhichToDrop, None]) -> DropAnswer:
    """Let go of failed events: of one, by its id, or of all that failed for a reason."""
    parts, query, organization_id = call.parts, call.query, call.organization_id
    if (query.reason is None) == (query.failed_event_id is None):
        raise _either("failed_event_id or reason")
    await parts.fresh()
    if query.failed_event_id is not None:
        seqs = await _places(parts, organization_id, [query.failed_event_id])
    else:
        seqs = await _places_of_reason(parts, organization_id, query.reason)
    for begin in range(0, len(seqs), DROPPED_AT_ONCE):
        record = FailedEventsDropped(
            organization_id=organization_id,
            received_at_ms=parts.now_ms(),
            seqs=tuple(seqs[begin : begin + DROPPED_AT_ONCE]),
        )
        await keep(parts, record)
    await parts.fresh()
    return DropAnswer(len(seqs))


ENDPOINTS = (list_failed_events, replay_failed_events, drop_failed_events)


def _either(which: str) -> Refusal:
    text = f"Say which: either {which}."
    return Refusal(Reason.INVALID_REQUEST, text, problems=[Problem("", text)])


async def _places(parts: Parts, organization_id: OrganizationId, ids: list[str]) -> list[int]:
    """Raises Refusal NOT_FOUND where one of them is not a failed event of the organization."""
    seqs = [seq_of(parts, text) for text in ids]
    known = [seq for seq in seqs if seq is not None]
    found = await parts.failed_events.find(organization_id, known)
    there = {str(id_of(parts, each.seq, each.event.received_at_ms)): each.seq for each in found}
    missing = [text for text in ids if text not in there]
    if missing:
        raise Refusal(Reason.NOT_FOUND, f"Your organization has no failed event {missing[0][:40]}.")
    return sorted(set(there.values()))


async def _places_of_reason(
    parts: Parts, organization_id: OrganizationId, reason: str | None
) -> list[int]:
    seqs: list[int] = []
    while page := await parts.failed_events.all(
        organization_id, reason, seqs[-1] if seqs else 0, DROPPED_AT_ONCE
    ):
        seqs += [failure.seq for failure in page]
    return seqs


def failed_event_shown(parts: Parts, failure: Failure) -> FailedEventShown:
    event = failure.event
    return FailedEventShown(
        failed_event_id=id_of(parts, failure.seq, event.received_at_ms),
        received_at=rfc3339(event.received_at_ms),
        reason=event.reason,
        text=event.text,
        problems=[Problem(path, message) for path, message in event.problems],
        body=event.body.decode(errors="replace"),
        key_kind=KeyKind(event.key_kind),
    )
