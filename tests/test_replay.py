"""Failed events are sent through admission again, and pass once."""

import msgspec
import pytest

from endu.events.event import FailedEvent, decode_record
from endu.events.failed import Failure, Passed
from endu.events.replay import Replay, Tried
from endu.ids import place_of_record
from endu.organizations.keyring import KeyKind, make_key
from endu.refusals import Refusal
from endu.stores.memory_books import MemoryFailedEvents
from tests.recording import (
    NOW_MS,
    ORGANIZATION_ID,
    PLATFORM,
    SCRAMBLE,
    Desk,
    body,
    caller,
    details,
    sent,
)

ORGANIZATION = caller().organization
LATER_MS = NOW_MS + 24 * 60 * 60 * 1000


class ReplayDesk(Desk):
    """With the failed events of its log, as a settler would list them."""

    def __init__(self) -> None:
        super().__init__()
        self.failed_events = MemoryFailedEvents()
        self.replay = Replay(self.failed_events, self.recorder, SCRAMBLE, self.inbox.source)

    async def refuse(self, written: bytes, kind: KeyKind = KeyKind.SECRET) -> None:
        try:
            await self.recorder.record(written, caller(kind), sent())
        except Refusal:
            await self.settle()

    async def settle(self) -> None:
        failures: list[Failure] = []
        passed: list[Passed] = []
        for found in await self.inbox.take(0, 1000):  # type: ignore[arg-type]
            record = decode_record(found.record)
            if isinstance(record, FailedEvent):
                failures.append(Failure(found.seq, record))
        for found in await self.inbox.take(0, 1000):  # type: ignore[arg-type]
            record = decode_record(found.record)
            was = details(record).replay_of if not isinstance(record, FailedEvent) else None  # type: ignore[arg-type]
            place = place_of_record(SCRAMBLE, was) if was else None
            if place:
                passed.append(Passed(ORGANIZATION_ID, place[1], found.seq))  # type: ignore[arg-type]
        await self.failed_events.keep(failures, passed, [])

    async def run(self, reason: str | None = None, dry_run: bool = False) -> dict[str, Tried]:
        return await self.replay.of_reason(ORGANIZATION, reason, LATER_MS, dry_run)


async def test_what_passes_by_now_is_recorded_as_what_it_was() -> None:
    desk = ReplayDesk()
    for kind in (KeyKind.SECRET, KeyKind.PUBLISHABLE):
        await desk.refuse(body(**PLATFORM, event_type="LATE"), kind)
    await desk.refuse(b"{")
    desk.register("LATE")
    tried = await desk.run(dry_run=True)
    assert await desk.events() == []
    assert (
        tried
        == await desk.run()
        == {
            "UNKNOWN_EVENT_TYPE": Tried(2, 2),
            "MALFORMED_JSON": Tried(1, 0, msgspec.convert({"MALFORMED_JSON": 1}, dict)),
        }
    )
    events = await desk.events()
    assert [event.proof for event in events] == [2, 1]
    assert {event.received_at_ms for event in events} == {LATER_MS}
    assert {event.claimed_at_ms for event in events} == {events[0].happened_at_ms}


async def test_what_passed_does_not_pass_twice() -> None:
    desk = ReplayDesk()
    await desk.refuse(body(**PLATFORM, event_type="LATE"))
    desk.register("LATE")
    await desk.run()
    await desk.run()  # before anything settled
    assert len(await desk.events()) == 1
    await desk.settle()
    assert await desk.run() == {}


async def test_a_message_sent_again_meanwhile_is_not_recorded_twice() -> None:
    desk = ReplayDesk()
    written = body(**PLATFORM, event_type="LATE", message_id="m")
    await desk.refuse(written)
    desk.register("LATE")
    await desk.recorder.record(written, caller(), sent())
    await desk.run()
    assert len(await desk.events()) == 1


async def test_only_the_reason_or_the_places_asked_for_are_tried() -> None:
    desk = ReplayDesk()
    await desk.refuse(body(**PLATFORM, event_type="LATE"))
    await desk.refuse(body(**PLATFORM, event_type="LATER"))
    await desk.refuse(b"{")
    assert set(await desk.run("MALFORMED_JSON")) == {"MALFORMED_JSON"}
    desk.register("LATE")
    desk.register("LATER")
    tried = await desk.replay.of_places(ORGANIZATION, [2, 99], LATER_MS, False)
    assert tried == {"UNKNOWN_EVENT_TYPE": Tried(1, 1)}
    assert [event.event_type for event in await desk.events()] == ["id of LATER"]


async def test_what_fails_again_is_not_kept_a_second_time() -> None:
    desk = ReplayDesk()
    await desk.refuse(b"{")
    await desk.run()
    assert len(await desk.failed()) == 1


@pytest.mark.parametrize("kind", KeyKind)
async def test_a_key_in_a_refused_body_is_not_kept_and_not_missed(kind: KeyKind) -> None:
    desk, key = ReplayDesk(), make_key(kind, bytes(range(32)))
    await desk.refuse(body(**PLATFORM, event_type="LATE", api_key=key))
    await desk.refuse(b'{"api_key":"%s", nonsense' % key.encode())
    shown = [failed.body for failed in await desk.failed()]
    assert key[8:] not in str(shown)
    assert b'{"api_key":"%s", nonsense' % key[:8].encode() in shown
    desk.register("LATE")
    assert (await desk.run("UNKNOWN_EVENT_TYPE"))["UNKNOWN_EVENT_TYPE"].passed == 1
