"""A batch of events: each has its own result, and one bad event harms no other."""

from typing import Any

import msgspec
import pytest

from endu.events.recorded import Result
from endu.refusals import Reason, Refusal
from tests.hostile import HOSTILE
from tests.recording import PLATFORM, Desk, FailingInbox, body, caller, everyone, sent

EVENT = body(**PLATFORM)


def shown(results: Any) -> list[str]:
    return [result.error or result.result for result in results]


@pytest.mark.parametrize("joined", ["array", "lines"])
async def test_one_bad_event_of_a_batch_harms_no_other(joined: str) -> None:
    desk = Desk()
    events = [
        EVENT,
        body(),
        b'{"a": NaN}',
        body(**PLATFORM, message_id="m"),
        body(**PLATFORM, message_id="m"),
        body(**PLATFORM, organization_id="another"),
        body(c_user_id="5"),
    ]
    batch = b"[" + b",".join(events) + b"]" if joined == "array" else b"\n".join(events)
    results = await desk.recorder.record_batch(batch, caller(), sent(), everyone)
    assert shown(results) == [
        *("ok", "NOBODY_NAMED", "MALFORMED_JSON", "ok", "duplicate"),
        *("WRONG_ORGANIZATION", "ok"),
    ]
    assert results[4].record_id == results[3].record_id
    assert results[6].warnings == ("NEW_C_USER_ID",)
    assert len(await desk.events()) == 3
    assert [failed.body for failed in await desk.failed()] == [events[1], events[2]]
    assert results[1].failed_event_id and not results[5].failed_event_id


async def test_a_hostile_event_in_a_batch_harms_no_other() -> None:
    desk = Desk()
    whole = [written for written in HOSTILE if written.endswith(b"}") and len(written) < 30_000]
    batch = b"\n".join(part for written in whole for part in (written, EVENT))
    by = caller(events_per_batch_at_most=10_000)
    results = await desk.recorder.record_batch(batch, by, sent(), everyone)
    assert shown(results).count("ok") >= len(whole)


async def test_a_batch_is_bounded_in_events_and_bytes() -> None:
    for by in (caller(events_per_batch_at_most=2), caller(batch_bytes_at_most=len(EVENT))):
        with pytest.raises(Refusal) as refused:
            await Desk().recorder.record_batch(b"\n".join([EVENT] * 3), by, sent(), everyone)
        assert refused.value.reason is Reason.TOO_LARGE


async def test_a_batch_that_cannot_be_told_apart_is_kept_as_one_failure() -> None:
    desk = Desk()
    with pytest.raises(Refusal) as refused:
        await desk.recorder.record_batch(b"[{}", caller(), sent(), everyone)
    assert refused.value.reason is Reason.MALFORMED_JSON
    assert [failed.body for failed in await desk.failed()] == [b"[{}"]


async def test_a_batch_that_cannot_be_kept_is_to_be_sent_again() -> None:
    desk = Desk(FailingInbox())
    with pytest.raises(Refusal) as refused:
        await desk.recorder.record_batch(EVENT, caller(), sent(), everyone)
    assert refused.value.reason is Reason.NOT_DURABLE
    results = await desk.recorder.record_batch(b"{}", caller(), sent(), everyone)
    assert [result.result for result in results] == ["retry"]


async def test_an_empty_array_is_a_batch_of_nothing() -> None:
    assert await Desk().recorder.record_batch(b"[]", caller(), sent(), everyone) == []


def test_a_result_says_no_more_than_there_is() -> None:
    assert msgspec.json.encode(Result(result="ok")) == b'{"result":"ok"}'
