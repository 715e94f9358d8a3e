"""What is older than it is kept leaves answers, ledger and log; everybody stays who they are."""

import asyncio
from pathlib import Path
from typing import Any

from endu.assembly import rebuild, verify
from endu.events.expiry import DAY_MS
from endu.settings import Settings
from tests.erasure_files import in_silence, values_in
from tests.old_events import DAYS, LATELY, LONG_AGO, Past, ago, now_ms
from tests.test_erasure_files import OLD_PARTS
from tests.web_world import World, bearer, world_again, world_on

ROWS = "SELECT event_type, ts, event_data FROM endu.events ORDER BY seq"
COUNT = "SELECT count() FROM endu.events WHERE org = {org:String}"
SAID = "SELECT event_data, details FROM endu.events"


async def test_old_events_go_and_everybody_stays_who_they_are(tmp_path: Path) -> None:
    async with world_on(tmp_path, segment_records=100) as world:
        past = Past(world)
        await past.happen()
        await seal(world, tmp_path)
        other = await of_another_organization(world)
        before = [await past.people(), await past.young_events(), await past.journals()]
        assert [len(page) for page in before[1]] == [1, 2]
        tried = await past.keep(DAYS, dry_run=True)
        assert tried["would_let_go"] == {"events": 5, "failed_events": 0}
        assert tried["settings"]["retention_days"] is None
        await past.let_go()
        assert values_in(tmp_path, past.values) == [past.values[0], past.values[2]]
        await past.keep(DAYS)
        done = (await past.let_go()).counters
        assert (done.events, done.failed_events, done.overdue_seconds) == (5, 0, 0.0)
        await must_be_gone(world, past, tmp_path)
        assert (await world.record(**past.first)).status_code == 200  # once more: it is known
        assert [await past.people(), await past.young_events(), await past.journals()] == before
        assert await world.running.parts.ledger.ask(COUNT, {"org": other}) == [(2,)]


async def test_verify_finds_nothing_and_rebuild_comes_to_the_same(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    async with world_on(tmp_path, segment_records=100) as world:
        past = Past(world)
        await past.happen()
        await seal(world, tmp_path)
        before = [await past.people(), await past.young_events()]
        await past.keep(DAYS)
        await past.let_go()
        rows = await world.running.parts.ledger.ask(ROWS, {})
    assert (await asyncio.to_thread(verify, settings, in_silence, True)).damage == ()
    await asyncio.to_thread(rebuild, settings, in_silence)
    assert (await asyncio.to_thread(verify, settings, in_silence)).damage == ()
    async with world_again(world, settings) as again:
        past.world = again
        assert [await past.people(), await past.young_events()] == before
        assert await again.running.parts.ledger.ask(ROWS, {}) == rows
        await must_be_gone(again, past, tmp_path)


async def test_each_event_type_may_have_days_of_its_own(tmp_path: Path) -> None:
    async with world_on(tmp_path) as world:
        past = Past(world)
        for overwritten in (False, True):
            body = {"event_type": "SOLD", "confirm_overwrite": overwritten}
            await world.ask("POST", "/events/create/eventid", json=body)
            await world.record(event_type="SOLD", timestamp=ago(20))
        await world.record(event_type="SOLD", timestamp=ago(3))
        await world.record(event_type="BEGIN_EVENT", timestamp=ago(400))
        await world.record(event_type="BEGIN_ENTITY", timestamp=ago(20))
        await world.record(event_type="BEGIN_ENTITY", timestamp=ago(40))
        assert (await world.who(discord="702877938567086080"))["identifiers"]
        await past.keep(30, retention_days_by_event_type={"SOLD": 5, "BEGIN_EVENT": None})
        await past.let_go()
        assert await days_left(world) == [3, 400, 20]
        await past.keep(None)
        await past.let_go(days_later=1)
        assert await days_left(world) == [3, 400, 20]
        await past.let_go(days_later=4)
        assert await days_left(world) == [400, 20]
        await past.keep(None, retention_days_by_event_type={})
        await past.let_go(days_later=1_000)
        assert await days_left(world) == [400, 20]


async def test_what_is_just_as_old_as_it_is_kept_stays_and_what_comes_late_goes(
    tmp_path: Path,
) -> None:
    async with world_on(tmp_path) as world:
        past = Past(world)
        for more_ms in (-1, 0, 1):
            await world.record(timestamp=past.ago(DAYS, more_ms))
        await world.who(discord="702877938567086080")
        await past.keep(DAYS)
        assert (await past.let_go()).counters.events == 1
        await world.record(timestamp=ago(LONG_AGO))
        await world.record(timestamp=ago(LATELY))
        await world.who(discord="702877938567086080")
        assert (await past.let_go()).counters.events == 1
        assert (await past.let_go()).counters.events == 0
        assert len(await world.running.parts.ledger.ask(ROWS, {})) == 3


async def test_a_failed_event_that_passed_stays_passed(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    async with world_on(tmp_path) as world:
        past = Past(world)
        await world.record(event_type="SOLD", timestamp=ago(LONG_AGO))
        await world.ask("POST", "/events/create/eventid", json={"event_type": "SOLD"})
        await failed_events(world)
        await world.ask("POST", "/failed-events/replay", json={"reason": "UNKNOWN_EVENT_TYPE"})
        assert await failed_events(world) == []
        await past.keep(DAYS)
        assert (await past.let_go()).counters.events == 1
    assert (await asyncio.to_thread(verify, settings, in_silence, True)).damage == ()


async def test_failed_events_go_once_they_came_so_long_ago(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    async with world_on(tmp_path) as world:
        past = Past(world)
        text = past.values[1]
        await world.record(event_type="NEVER_REGISTERED", event_data={"text": text})
        assert len(await failed_events(world)) == 1
        await past.keep(DAYS)
        assert (await past.let_go()).counters.failed_events == 0
        assert values_in(tmp_path, [text]) == [text]
        assert (await past.let_go(days_later=DAYS + 1)).counters.failed_events == 1
        assert await failed_events(world) == []
        assert values_in(tmp_path, [text]) == []
    assert (await asyncio.to_thread(verify, settings, in_silence, True)).damage == ()


async def test_who_is_erased_leaves_nothing_though_their_events_were_let_go_of(
    tmp_path: Path,
) -> None:
    settings = Settings(data=tmp_path)
    async with world_on(tmp_path) as world:
        past = Past(world)
        await past.happen()
        await past.keep(DAYS)
        await past.let_go()
        number = (await world.who(discord=past.one))["c_user_id"]
        receipt = await world.ask("DELETE", f"/identities/{number}")
        assert receipt["erased"]["events"] == 4
        names = [past.one, past.address]
        assert values_in(tmp_path, names) == []
        seen = "SELECT count() FROM endu.seen WHERE has(identifiers, {name:String})"
        named = {"name": f"discord:{past.one}"}
        assert await world.running.parts.ledger.ask(seen, named) == [(0,)]
    assert (await asyncio.to_thread(verify, settings, in_silence, True)).damage == ()


async def test_somebody_is_erased_while_their_events_are_let_go_of(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    async with world_on(tmp_path) as world:
        past = Past(world)
        await past.happen()
        number = (await world.who(discord=past.one))["c_user_id"]
        await past.keep(DAYS)
        erasing = world.ask("DELETE", f"/identities/{number}")
        await asyncio.gather(past.let_go(), erasing)
        assert values_in(tmp_path, [past.one, past.address, *past.values]) == []
        left = "SELECT DISTINCT identifiers[1] FROM endu.seen WHERE subject <> fingerprint"
        assert await world.running.parts.ledger.ask(left, {}) == [(f"discord:{past.two}",)]
    assert (await asyncio.to_thread(verify, settings, in_silence, True)).damage == ()


async def must_be_gone(world: World, past: Past, data: Path) -> None:
    ledger = world.running.parts.ledger
    assert values_in(data, past.values) == []
    assert not [path for (path,) in await ledger.ask(OLD_PARTS, {}) if Path(path).exists()]
    said = str(await ledger.ask(SAID, {}))
    assert [value for value in past.values if value in said] == []


async def of_another_organization(world: World) -> str:
    """Which keeps everything for ever: two old events."""
    organization_id, key = await world.other_organization("another")
    old = world.event(organization_id=organization_id, timestamp=ago(LONG_AGO))
    for _ in range(2):
        answer = await world.client.post("/events/record", json=old, headers=bearer(key))
        assert answer.status_code == 200, answer.text
    return organization_id


async def days_left(world: World) -> list[int]:
    """How old the events are that are there, in the order in which they came."""
    rows = await world.running.parts.ledger.ask(
        "SELECT toUnixTimestamp64Milli(ts) FROM endu.events ORDER BY seq", {}
    )
    return [round((now_ms() - at_ms) / DAY_MS) for (at_ms,) in rows]


async def failed_events(world: World) -> list[Any]:
    found = await world.ask("GET", "/failed-events", params={"fresh": "true"})
    items: list[Any] = found["items"]
    return items


async def seal(world: World, data: Path) -> None:
    """Until the log's old end is in a segment."""
    async with asyncio.timeout(30):
        while not list(data.glob("segments/*.zst")):
            events = [world.event(timestamp=ago(0)) for _ in range(200)]
            await world.ask("POST", "/events/record/batch", json=events)
