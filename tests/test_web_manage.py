"""Event types, failed events, keys, organizations and properties over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.web_world import World, bearer, world_on

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEED = {
    "event_type": "MY_NEW_EVENT",
    "event_display_name": "My New Event",
    "event_data_schema": {
        "key_1": "string",
        "key_2": "array",
        "key_3": "number",
        "key_4": {"sub_key_1": "string"},
    },
    "confirm_overwrite": False,
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world_on(tmp_path_factory.mktemp("manage")) as opened:
        yield opened


async def register(world: World, name: str, **more: Any) -> Any:
    body = {**SEED, "event_type": name, **more}
    return await world.ask("POST", "/events/create/eventid", json=body)


async def test_registering_answers_as_the_seed_says(world: World) -> None:
    created = await world.client.post("/events/create/eventid", json=SEED)
    event_id = created.json()["data"]["event_id"]
    assert created.json() == {
        "success": True,
        "data": {"event_id": event_id},
        "error": "",
        "error_text": "",
    }
    again = await world.client.post("/events/create/eventid", json=SEED)
    assert again.status_code == 409
    assert again.json() == {
        "success": False,
        "data": {},
        "error": "DUPLICATE_EVENT_TYPE",
        "error_text": "A event_type of that name already exists. "
        "Overwriting it may have extreme negative consequences.",
    }
    over = await register(world, "MY_NEW_EVENT", confirm_overwrite=True)
    assert over["event_id_previous"] == event_id != over["event_id"]
    invalid = await world.client.post(
        "/events/create/eventid", json={**SEED, "event_type": "My_Event"}
    )
    assert invalid.json() == {
        "success": False,
        "data": {},
        "error": "INVALID_FORMAT",
        "error_text": "The format for event_type or event_displayname is invalid, "
        "or contains too many characters.",
    }


async def test_types_are_listed_with_their_chain(world: World) -> None:
    first = await register(world, "CHAINED")
    second = await register(world, "CHAINED", confirm_overwrite=True)
    every: list[Any] = []
    cursor: dict[str, Any] = {"limit": 3}
    while True:
        page = await world.ask("GET", "/event-types", params=cursor)
        assert len(page["items"]) <= 3
        every += page["items"]
        if page["next"] is None:
            break
        cursor["cursor"] = page["next"]
    assert [each["is_global"] for each in every[:5]] == [True] * 4 + [False]
    chain = [each for each in every if each["event_type"] == "CHAINED"]
    assert [(each["event_id"], each["is_current"]) for each in chain] == [
        (first["event_id"], False),
        (second["event_id"], True),
    ]
    one = await world.ask("GET", f"/event-types/{second['event_id']}")
    assert one == chain[1]
    assert one["event_id_previous"] == first["event_id"]


async def test_a_schema_is_tried_on_what_is_there(world: World) -> None:
    event_id = (await register(world, "TRIED", event_data_schema={}))["event_id"]
    for price in ("12", "34", 56):
        await world.record(event_type="TRIED", event_data={"price": price})
    await world.ask("GET", "/event-types", params={"fresh": "true"})
    path = f"/event-types/{event_id}/schema"
    change = {"event_data_schema": {"price": "number"}, "mode": "refuse"}
    tried = await world.ask("PUT", path, json={**change, "dry_run": True})
    assert (tried["checked"], tried["violating"], tried["version"]) == (3, 2, None)
    assert (await world.record(event_type="TRIED", event_data={"price": "1"})).status_code == 200
    await world.ask("GET", "/event-types", params={"fresh": "true"})
    put = await world.ask("PUT", path, json=change)
    assert (put["checked"], put["violating"], len(put["examples"])) == (4, 3, 3)
    refused = await world.record(event_type="TRIED", event_data={"price": "1"})
    assert refused.json()["error"] == "SCHEMA_VIOLATION"
    shown = await world.ask("GET", f"/event-types/{event_id}")
    assert (shown["schema"]["version"], shown["schema"]["mode"]) == (put["version"], "refuse")


async def test_a_schema_that_cannot_be_changes_nothing(world: World) -> None:
    event_id = (await register(world, "UNCHANGED"))["event_id"]
    path = f"/event-types/{event_id}/schema"
    for body, code in (
        ({"event_data_schema": {"a": "text"}}, "INVALID_SCHEMA"),
        ({"event_data_schema": {}, "mode": "shout"}, "INVALID_REQUEST"),
    ):
        refused = await world.client.put(path, json=body)
        assert refused.json()["error"] == code
    shown = await world.ask("GET", f"/event-types/{event_id}")
    assert shown["schema"]["event_data_schema"] == SEED["event_data_schema"]


async def test_failed_events_are_replayed_once_their_type_exists(world: World) -> None:
    refused = await world.record(event_type="LATE", p_user_id="800", event_data={"n": 1})
    failed_id = refused.json()["data"]["failed_event_id"]
    page = await world.ask("GET", "/failed-events?reason=UNKNOWN_EVENT_TYPE&fresh=true")
    (item,) = [each for each in page["items"] if each["failed_event_id"] == failed_id]
    assert '"LATE"' in item["body"]
    replay = {"reason": "UNKNOWN_EVENT_TYPE", "dry_run": True}
    too_early = await world.ask("POST", "/failed-events/replay", json=replay)
    assert (too_early["passed"], too_early["reasons"][0]["refused"]) == (
        0,
        {"UNKNOWN_EVENT_TYPE": too_early["tried"]},
    )
    await register(world, "LATE", event_data_schema={})
    tried = await world.ask("POST", "/failed-events/replay", json=replay)
    done = await world.ask("POST", "/failed-events/replay", json={"ids": [failed_id]})
    again = await world.ask("POST", "/failed-events/replay", json={"ids": [failed_id]})
    assert (tried["passed"], done["passed"], again["tried"]) == (1, 1, 0)
    (event,) = (await world.timeline((await world.who(discord="800"))["c_user_id"]))["items"]
    assert (event["event_type"], event["replay_of"]) == ("LATE", failed_id)
    page = await world.ask("GET", "/failed-events?fresh=true")
    assert failed_id not in {each["failed_event_id"] for each in page["items"]}


async def test_failed_events_can_be_let_go(world: World) -> None:
    refused = [await world.record(p_user_id=None, platform_type=None) for _ in range(3)]
    ids = [answer.json()["data"]["failed_event_id"] for answer in refused]
    one = await world.ask("DELETE", f"/failed-events?failed_event_id={ids[0]}")
    rest = await world.ask("DELETE", "/failed-events?reason=NOBODY_NAMED")
    gone = await world.client.delete(f"/failed-events?failed_event_id={ids[0]}")
    assert (one["dropped"], rest["dropped"], gone.status_code) == (1, 2, 404)
    for wrong in ("", "?reason=X&failed_event_id=Y"):
        assert (await world.client.delete(f"/failed-events{wrong}")).status_code == 400


async def test_a_key_is_shown_once_and_can_give_no_more_than_it_has(world: World) -> None:
    made = await world.ask("POST", "/keys", json={"scopes": ["manage", "read"], "name": "desk"})
    listed = (await world.ask("GET", "/keys"))["items"]
    assert made["key"] not in str(listed)
    (shown,) = [each for each in listed if each["key_id"] == made["key_id"]]
    assert (shown["name"], shown["scopes"], shown["hint"]) == (
        "desk",
        ["manage", "read"],
        made["key"][-4:],
    )
    desk = bearer(made["key"])
    more = await world.client.post("/keys", json={"scopes": ["record"]}, headers=desk)
    assert (more.status_code, more.json()["error"]) == (403, "KEY_NOT_ALLOWED")
    same = await world.ask("POST", "/keys", json={}, headers=desk)
    assert same["scopes"] == ["manage", "read"]


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "operator"},
        {"kind": "publishable", "scopes": ["read"]},
        {"kind": "secret", "origins": ["https://a.example"]},
        {"kind": "publishable", "origins": ["a.example/path"]},
        {"scopes": []},
    ],
)
async def test_a_key_that_cannot_be_is_refused(world: World, body: dict[str, Any]) -> None:
    answer = await world.client.post("/keys", json=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "INVALID_REQUEST")


async def test_the_operators_key_is_in_no_list_and_cannot_be_revoked(world: World) -> None:
    operator = bearer(world.operator)
    keys = (await world.ask("GET", "/keys", headers=operator))["items"]
    assert {each["kind"] for each in keys} <= {"secret", "publishable", "import"}


async def test_organizations_are_the_operators(world: World) -> None:
    other, key = await world.other_organization("acme")
    operator = bearer(world.operator)
    page = await world.ask("GET", "/organizations", headers=operator)
    assert [each["name"] for each in page["items"]] == ["default", "acme"]
    assert (await world.ask("GET", "/limits", headers=bearer(key)))["organization_id"] == other
    for request in (("GET", "/organizations"), ("POST", "/organizations")):
        refused = await world.client.request(*request, json={"name": "x"})
        assert (refused.status_code, refused.json()["error"]) == (403, "KEY_NOT_ALLOWED")


async def test_properties_are_known_from_the_events_that_name_them(world: World) -> None:
    await world.record(property_id="W#shop")
    await world.ask("GET", "/event-types", params={"fresh": "true"})
    page = await world.ask("GET", "/properties", params={"fresh": "true"})
    assert "W#shop" in {each["property_id"] for each in page["items"]}
    first = await world.ask("GET", "/properties", params={"limit": 1})
    assert (len(first["items"]), first["next"] is None) == (1, False)


async def test_events_can_be_watched_as_they_settle(world: World) -> None:
    before = await world.ask("GET", "/events", params={"fresh": "true"})
    kept = await world.record(event_data={"watched": True})
    (event,) = (
        await world.ask("GET", "/events", params={"cursor": before["next"], "fresh": "true"})
    )["items"]
    assert event["record_id"] == kept.headers["endu-record-id"]
