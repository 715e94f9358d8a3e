"""Sizes, settings and rates, as callers meet them."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from endu.refusals import Reason, Refusal
from endu.web.rates import HourlyRate
from tests.web_world import World, bearer, world_on

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world_on(tmp_path_factory.mktemp("limits")) as opened:
        yield opened


async def test_an_event_that_is_too_large_is_told_its_size(world: World) -> None:
    body = json.dumps(world.event(event_data={"text": "x" * 40_000})).encode()
    answer = await world.client.post("/events/record", content=body)
    assert (answer.status_code, answer.json()["error"]) == (413, "TOO_LARGE")
    assert answer.json()["data"] == {"field": "body", "size": len(body), "limit": 32 * 1024}


async def test_a_body_without_an_end_is_not_read_to_it(world: World) -> None:
    pieces = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal pieces
        while True:
            pieces += 1
            yield b" " * 1024

    answer = await world.client.post("/events/record", content=endless())
    assert (answer.status_code, answer.json()["error"]) == (413, "TOO_LARGE")
    assert pieces < 40


async def test_the_operator_allows_more(world: World) -> None:
    large = {"text": "x" * 40_000}
    before = await world.ask("GET", "/limits")
    assert before["settings"]["event_bytes_at_most"] == 32 * 1024
    after = await world.limits(event_bytes_at_most=64 * 1024)
    assert after["settings"] == {**before["settings"], "event_bytes_at_most": 64 * 1024}
    assert (await world.record(event_data=large)).status_code == 200
    await world.limits(event_bytes_at_most=32 * 1024)
    assert (await world.record(event_data=large)).status_code == 413


async def test_limits_of_identities_are_records_of_the_log(world: World) -> None:
    after = await world.limits(identity={"wallet": 20})
    assert after["identity"] == {"asserted": 1, "discord": 1, "telegram": 1, "wallet": 20}
    again = await world.limits(identity={"discord": 2})
    assert again["identity"] == {"asserted": 1, "discord": 2, "telegram": 1, "wallet": 20}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"event_bytes_at_most": 2 << 20}, "event_bytes_at_most"),
        ({"no_such_setting": 1}, "no_such_setting"),
        ({"identity": {"fingerprint": 3}}, "identity.fingerprint"),
        ({"unknown_c_user_id": "guess"}, "unknown_c_user_id"),
        ({"retention_days": 0}, "retention_days"),
        (
            {"retention_days_by_event_type": {"BEGIN_EVENT": 3, "BEGIN_EVNT": 3}},
            "retention_days_by_event_type.BEGIN_EVNT",
        ),
    ],
)
async def test_a_limit_that_cannot_be_is_refused(
    world: World, change: dict[str, object], path: str
) -> None:
    answer = await world.client.put(
        f"/organizations/{world.organization_id}/limits",
        json=change,
        headers=bearer(world.operator),
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "INVALID_REQUEST")
    assert [problem["path"] for problem in answer.json()["data"]["problems"]] == [path]


async def test_how_long_events_are_kept_is_a_setting_that_can_be_tried_first(world: World) -> None:
    days = {"retention_days": 365, "retention_days_by_event_type": {"BEGIN_EVENT": None}}
    tried = await world.limits(**days, dry_run=True)
    assert tried["would_let_go"] == {"events": 0, "failed_events": 0}
    assert tried == {**await world.ask("GET", "/limits"), "would_let_go": tried["would_let_go"]}
    after = await world.limits(**days)
    assert after["settings"] == {**tried["settings"], **days}
    assert (await world.limits())["settings"] == after["settings"]
    again = await world.limits(retention_days=None, retention_days_by_event_type={})
    assert again["settings"] == tried["settings"]


async def test_always_200_tells_the_code_in_a_header_and_keeps_the_event(world: World) -> None:
    await world.limits(record_always_200=True)
    answers = [
        await world.record(event_type="NEVER_REGISTERED"),
        await world.client.post("/events/record", content=b"{"),
        await world.record(event_data={"text": "x" * 40_000}),
    ]
    stranger = await world.client.post("/events/record", headers={"Authorization": "Bearer x"})
    await world.limits(record_always_200=False)
    codes = [(a.status_code, a.content, a.headers["endu-error"]) for a in answers]
    assert codes == [
        (200, b"", "UNKNOWN_EVENT_TYPE"),
        (200, b"", "MALFORMED_JSON"),
        (200, b"", "TOO_LARGE"),
    ]
    assert stranger.status_code == 401
    failed = await world.ask("GET", "/failed-events", params={"fresh": "true"})
    assert {item["reason"] for item in failed["items"]} == {"UNKNOWN_EVENT_TYPE", "MALFORMED_JSON"}


async def test_a_batch_says_what_became_of_each_event(world: World) -> None:
    events = [world.event(), world.event(event_type="NEVER_REGISTERED"), "nonsense"]
    answer = await world.ask("POST", "/events/record/batch", json=events)
    results = [(each["result"], each.get("error")) for each in answer["results"]]
    assert results == [
        ("ok", None),
        ("refused", "UNKNOWN_EVENT_TYPE"),
        ("refused", "INVALID_EVENT"),
    ]


async def test_a_batch_has_its_own_limits(world: World) -> None:
    await world.limits(batch_bytes_at_most=2048, events_per_batch_at_most=3)
    too_long = await world.client.post("/events/record/batch", content=b" " * 3000)
    too_many = await world.client.post("/events/record/batch", json=[1, 2, 3, 4])
    await world.limits(batch_bytes_at_most=5 << 20, events_per_batch_at_most=2000)
    for answer in (too_long, too_many):
        assert (answer.status_code, answer.json()["error"]) == (413, "TOO_LARGE")


async def create(world: World) -> httpx.Response:
    return await world.client.post("/events/create/identity", json={})


async def test_identities_are_made_so_many_times_an_hour(world: World) -> None:
    await world.limits(identities_created_per_hour=2)
    first, second, third = [await create(world) for _ in range(3)]
    await world.limits(identities_created_per_hour=500)
    assert (first.status_code, second.status_code, third.status_code) == (200, 200, 429)
    assert first.headers["ratelimit-policy"] == '"create-identity";q=2;w=3600'
    assert first.headers["ratelimit"].startswith('"create-identity";r=1;t=')
    assert third.json()["error"] == "RATE_LIMITED"
    assert third.headers["ratelimit"].startswith('"create-identity";r=0;t=')
    assert 3590 <= int(third.headers["retry-after"]) <= 3600


async def test_an_hour_later_there_is_room_again() -> None:
    rate, headers = HourlyRate("p"), dict[str, str]()
    for minute in (0, 30):
        rate.spend("org", 2, minute * 60_000, headers)
    with pytest.raises(Refusal) as refused:
        rate.spend("org", 2, 59 * 60_000, headers)
    assert refused.value.reason is Reason.RATE_LIMITED
    assert refused.value.retry_after_seconds == 60
    rate.spend("another", 2, 59 * 60_000, headers)
    rate.spend("org", 2, 60 * 60_000, headers)
    assert headers["RateLimit"] == '"p";r=0;t=1800'
