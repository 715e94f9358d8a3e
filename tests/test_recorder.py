"""Letting events in: admission, the log, duplicates, batches, and what is kept of refusals."""

from typing import Any

import pytest

from endu.event_types.event_type import SchemaMode
from endu.events.admission import Replayed
from endu.events.recorder import Sent
from endu.identities.identifier import Number
from endu.ids import place_of_record
from endu.organizations.caller import Caller
from endu.organizations.keyring import KeyId, KeyKind, Scope
from endu.refusals import Reason, Refusal
from tests.hostile import HOSTILE
from tests.recording import (
    HAPPENED_AT_MS,
    NOW_MS,
    ORGANIZATION_ID,
    PLATFORM,
    SCRAMBLE,
    Desk,
    FailingInbox,
    body,
    caller,
    details,
    sent,
)

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
EVENT = body(**PLATFORM)


async def refusal_of(desk: Desk, written: bytes, by: Caller, how: Sent | None = None) -> Refusal:
    with pytest.raises(Refusal) as refused:
        await desk.recorder.record(written, by, how or sent())
    return refused.value


async def test_an_accepted_event_lies_in_the_log_under_its_record_id() -> None:
    desk = Desk()
    recorded = await desk.recorder.record(EVENT, caller(), sent())
    assert place_of_record(SCRAMBLE, recorded.record_id) == (desk.inbox.source, 1)
    (event,) = await desk.events()
    assert event.event_type == "id of ITEM_PURCHASED"
    assert event.organization_id == ORGANIZATION_ID
    assert (event.received_at_ms, event.proof, event.details) == (NOW_MS, 2, b"")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"p_user_id": ...}, Reason.NOBODY_NAMED),
        ({"event_type": "NEVER_HEARD_OF"}, Reason.UNKNOWN_EVENT_TYPE),
        ({"timestamp": "soon"}, Reason.INVALID_EVENT),
        ({"organization_id": ...}, Reason.INVALID_EVENT),
    ],
)
async def test_a_refused_event_is_kept_whole(fields: dict[str, Any], reason: Reason) -> None:
    desk, written = Desk(), body(**PLATFORM | fields)
    refusal = await refusal_of(desk, written, caller(), sent(key="k"))
    assert refusal.reason is reason
    (failed,) = await desk.failed()
    assert (failed.body, failed.reason, failed.message_id) == (written, reason.name, "k")
    assert failed.problems == tuple((each.path, each.message) for each in refusal.problems)
    assert place_of_record(SCRAMBLE, refusal.data["failed_event_id"]) == (desk.inbox.source, 1)


async def test_what_is_not_json_is_kept_too() -> None:
    desk = Desk()
    refusal = await refusal_of(desk, b'{"a": \xff', caller())
    assert refusal.reason is Reason.MALFORMED_JSON
    assert [failed.body for failed in await desk.failed()] == [b'{"a": \xff']


@pytest.mark.parametrize(
    ("written", "by", "reason"),
    [
        (body(**PLATFORM, organization_id="another"), caller(), Reason.WRONG_ORGANIZATION),
        (body(**PLATFORM, note="x" * 40_000), caller(), Reason.TOO_LARGE),
        (
            EVENT,
            Caller(caller().organization, KeyKind.SECRET, frozenset({Scope.READ}), KeyId("k")),
            Reason.KEY_NOT_ALLOWED,
        ),
    ],
)
async def test_a_refusal_of_the_sender_keeps_nothing(
    written: bytes, by: Caller, reason: Reason
) -> None:
    desk = Desk()
    refusal = await refusal_of(desk, written, by)
    assert refusal.reason is reason
    assert await desk.records() == []


async def test_the_wrong_organization_is_said_before_anything_else() -> None:
    refusal = await refusal_of(Desk(), body(organization_id="another", timestamp=0), caller())
    assert refusal.reason is Reason.WRONG_ORGANIZATION


async def test_the_settings_of_the_organization_bound_an_event() -> None:
    large = body(**PLATFORM, note="x" * 40_000)
    await Desk().recorder.record(large, caller(event_bytes_at_most=100_000), sent())
    refusal = await refusal_of(Desk(), large, caller())
    assert str(len(large)) in str(refusal) and "32768" in str(refusal)


async def test_an_event_that_cannot_be_kept_is_to_be_sent_again() -> None:
    for written in (EVENT, b"{"):
        refusal = await refusal_of(Desk(FailingInbox()), written, caller())
        assert refusal.reason is Reason.NOT_DURABLE
        assert refusal.retry_after_seconds == 1


async def test_an_event_of_placeholders_alone_is_kept_and_belongs_to_nobody() -> None:
    desk = Desk()
    recorded = await desk.recorder.record(body(fingerprint="undefined"), caller(), sent())
    assert recorded.warnings == ("BLOCKED_IDENTIFIER",)
    (event,) = await desk.events()
    assert event.identifiers == ()
    assert details(event).blocked == ("fingerprint:undefined",)


@pytest.mark.parametrize(
    ("kind", "proof"),
    [(KeyKind.PUBLISHABLE, 1), (KeyKind.SECRET, 2), (KeyKind.IMPORT, 2), (KeyKind.OPERATOR, 2)],
)
async def test_a_key_decides_what_an_event_proves(kind: KeyKind, proof: int) -> None:
    desk = Desk()
    await desk.recorder.record(EVENT, caller(kind), sent())
    assert [event.proof for event in await desk.events()] == [proof]


@pytest.mark.parametrize(
    ("kind", "received_at_ms", "claimed_at_ms"),
    [
        (KeyKind.SECRET, HAPPENED_AT_MS + MINUTE_MS, HAPPENED_AT_MS),
        (KeyKind.SECRET, HAPPENED_AT_MS + 30 * DAY_MS, HAPPENED_AT_MS + 23 * DAY_MS),
        (KeyKind.SECRET, HAPPENED_AT_MS - 30 * MINUTE_MS, HAPPENED_AT_MS - 25 * MINUTE_MS),
        (KeyKind.IMPORT, HAPPENED_AT_MS + 30 * DAY_MS, HAPPENED_AT_MS),
    ],
)
async def test_a_claim_is_clamped_unless_it_is_imported(
    kind: KeyKind, received_at_ms: int, claimed_at_ms: int
) -> None:
    desk = Desk()
    await desk.recorder.record(EVENT, caller(kind), sent(received_at_ms))
    (event,) = await desk.events()
    assert (event.happened_at_ms, event.claimed_at_ms) == (HAPPENED_AT_MS, claimed_at_ms)


async def test_a_new_number_is_adopted_once_and_then_known() -> None:
    desk = Desk()
    first = await desk.recorder.record(body(c_user_id="5"), caller(), sent())
    second = await desk.recorder.record(body(c_user_id="5"), caller(), sent())
    assert (first.warnings, second.warnings) == (("NEW_C_USER_ID",), ())
    assert desk.numbers.asked == 1


async def test_only_an_event_that_names_a_number_asks_for_it() -> None:
    desk = Desk()
    await desk.recorder.record(EVENT, caller(), sent())
    assert desk.numbers.asked == 0


@pytest.mark.parametrize(
    "by",
    [caller(KeyKind.PUBLISHABLE), caller(unknown_c_user_id="refuse")],
    ids=["publishable", "setting"],
)
async def test_an_unknown_number_is_refused_where_none_is_adopted(by: Caller) -> None:
    desk = Desk()
    refusal = await refusal_of(desk, body(c_user_id="5"), by)
    assert refusal.reason is Reason.UNKNOWN_C_USER_ID
    desk.numbers.add((ORGANIZATION_ID, Number("5")))
    assert (await desk.recorder.record(body(c_user_id="5"), by, sent())).warnings == ()


async def test_the_same_message_is_stored_once() -> None:
    desk, written = Desk(), body(**PLATFORM, message_id="m")
    first = await desk.recorder.record(written, caller(), sent())
    again = await desk.recorder.record(written, caller(), sent(NOW_MS + MINUTE_MS))
    by_header = await desk.recorder.record(EVENT, caller(), sent(key="m"))
    assert again.duplicate and by_header.duplicate
    assert {first.record_id} == {again.record_id, by_header.record_id}
    assert len(await desk.events()) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"timestamp": 1672536219, "p_user_id": 702877938567086080},
        {"event_data": {"item_id": "8258727671"}, "platform_type": "DISCORD"},
        {"api_key": "endu_pk_x"},
    ],
)
async def test_the_same_event_in_other_words_is_the_same_message(fields: dict[str, Any]) -> None:
    desk = Desk()
    await desk.recorder.record(body(**PLATFORM, message_id="m"), caller(), sent())
    written = body(**PLATFORM | fields, message_id="m")
    assert (await desk.recorder.record(written, caller(KeyKind.PUBLISHABLE), sent())).duplicate


@pytest.mark.parametrize(
    "fields",
    [
        {"event_data": {"item_id": 8258727671}},
        {"property_id": "D#2"},
        {"timestamp": "1672536220"},
        {"p_user_id": "1"},
        {"note": 1},
        {"event_type": "PAGE_VIEW"},
    ],
)
async def test_another_event_under_a_used_message_id_is_kept_and_flagged(
    fields: dict[str, Any],
) -> None:
    desk = Desk()
    await desk.recorder.record(body(**PLATFORM, message_id="m"), caller(), sent())
    written = body(**PLATFORM | fields, message_id="m")
    recorded = await desk.recorder.record(written, caller(), sent())
    assert not recorded.duplicate
    assert recorded.warnings == ("MESSAGE_ID_REUSED",)
    assert len(await desk.events()) == 2


async def test_without_a_message_id_equal_events_are_two() -> None:
    desk = Desk()
    for _ in range(2):
        await desk.recorder.record(EVENT, caller(), sent())
    assert len(await desk.events()) == 2


async def test_violations_are_kept_with_a_flagged_event_and_refuse_another() -> None:
    desk = Desk()
    desk.register("FLAGGED", {"price": "number"}, SchemaMode.FLAG)
    desk.register("REFUSED", {"price": "number"}, SchemaMode.REFUSE)
    desk.register("LET_BE", {"price": "number"}, SchemaMode.OFF)
    flagged = await desk.recorder.record(body(**PLATFORM, event_type="FLAGGED"), caller(), sent())
    let_be = await desk.recorder.record(body(**PLATFORM, event_type="LET_BE"), caller(), sent())
    refusal = await refusal_of(desk, body(**PLATFORM, event_type="REFUSED"), caller())
    assert (flagged.warnings, let_be.warnings) == (("SCHEMA_VIOLATION",), ())
    assert details((await desk.events())[0]).violations == ("event_data.price: is missing",)
    assert refusal.reason is Reason.SCHEMA_VIOLATION
    assert [problem.path for problem in refusal.problems] == ["event_data.price"]


async def test_what_few_events_have_is_kept_with_them() -> None:
    desk = Desk()
    written = body(**PLATFORM, message_id="m", session=1)[:-1] + b",} // as pasted"
    recorded = await desk.recorder.record(written, caller(), sent())
    (event,) = await desk.events()
    assert recorded.warnings == ("NON_STRICT_JSON",)
    kept = details(event)
    assert (kept.message_id, kept.unknown, kept.warnings) == (
        *("m", {"session": 1}),
        recorded.warnings,
    )


async def test_a_replayed_event_keeps_its_claim_and_passes_once() -> None:
    desk = Desk()
    failed = Replayed("id of the failed one", HAPPENED_AT_MS)  # type: ignore[arg-type]
    how = Sent(HAPPENED_AT_MS + 30 * DAY_MS, None, failed)
    first = await desk.recorder.record(EVENT, caller(), how)
    again = await desk.recorder.record(EVENT, caller(), how)
    assert again.duplicate and again.record_id == first.record_id
    (event,) = await desk.events()
    assert event.claimed_at_ms == HAPPENED_AT_MS
    assert details(event).replay_of == "id of the failed one"


@pytest.mark.parametrize("written", HOSTILE)
async def test_a_hostile_body_is_accepted_or_refused(written: bytes) -> None:
    desk = Desk()
    try:
        await desk.recorder.record(written, caller(event_bytes_at_most=2 << 20), sent())
    except Refusal as refusal:
        assert refusal.reason.status in (400, 422)
        assert [failed.body for failed in await desk.failed()] == [written]
    else:
        assert len(await desk.events()) == 1
