"""Identities over HTTP: made, looked up, their timelines, rules and their undoing."""

from collections.abc import AsyncIterator
from itertools import count
from time import time
from typing import Any

import pytest
import pytest_asyncio

from tests.web_world import World, bearer, world_on

pytestmark = pytest.mark.asyncio(loop_scope="module")

accounts = (str(number) for number in count(700_000_000_000_000_000))
addresses = (f"0x{number:040x}" for number in count(0x52908400098527886E0F7030069857D2E4169EE7))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world_on(tmp_path_factory.mktemp("identities")) as opened:
        yield opened


def wallet(address: str) -> dict[str, Any]:
    return {"blockchain": {"chain_type": "ethereum", "chain_account": address}}


async def test_the_same_prefill_answers_the_same_number(world: World) -> None:
    account, address = next(accounts), next(addresses)
    prefill = {"p_user_id": account, "platform_type": "discord", **wallet(address)}
    first = await world.ask("POST", "/events/create/identity", json={"prefill": prefill})
    again = await world.ask("POST", "/events/create/identity", json={"prefill": prefill})
    part = await world.ask("POST", "/events/create/identity", json={"prefill": wallet(address)})
    assert (first["created"], again["created"], part["created"]) == (True, False, False)
    assert first["c_user_id"] == again["c_user_id"] == part["c_user_id"]
    assert (await world.who(discord=account))["c_user_id"] == first["c_user_id"]


async def test_a_blank_identity_is_always_another_one(world: World) -> None:
    numbers = {
        (await world.ask("POST", "/events/create/identity", json=body))["c_user_id"]
        for body in ({}, {"prefill": {}})
    }
    assert len(numbers) == 2


async def test_prefilled_identifiers_of_two_people_are_a_conflict(world: World) -> None:
    one, other = next(accounts), next(addresses)
    await world.record(p_user_id=one)
    await world.record(p_user_id=None, platform_type=None, **wallet(other))
    prefill = {"p_user_id": one, "platform_type": "discord", **wallet(other)}
    answer = await world.client.post("/events/create/identity", json={"prefill": prefill})
    assert (answer.status_code, answer.json()["error"]) == (409, "IDENTITY_CONFLICT")
    assert answer.json()["data"]["conflict"]["same"] is False


@pytest.mark.parametrize(
    ("prefill", "path"),
    [
        ({"p_user_id": "1"}, "prefill.p_user_id"),
        ({"p_user_id": "ada", "platform_type": "Discord"}, "prefill.p_user_id"),
        ({"p_user_id": 1, "platform_type": "a", "property_type": "b"}, "prefill.p_user_id"),
        ({"fingerprint": "undefined"}, "prefill.fingerprint"),
        ({"c_user_id": "x"}, "prefill.c_user_id"),
        ({"blockchain": {"chain_type": "eth"}}, "prefill.blockchain.chain_account"),
        ({"email": "a@b"}, "prefill.email"),
    ],
)
async def test_a_prefill_that_cannot_be_is_refused(
    world: World, prefill: dict[str, Any], path: str
) -> None:
    answer = await world.client.post("/events/create/identity", json={"prefill": prefill})
    assert (answer.status_code, answer.json()["error"]) == (400, "INVALID_REQUEST")
    assert [problem["path"] for problem in answer.json()["data"]["problems"]] == [path]


async def test_a_person_is_shown_with_every_identifier(world: World) -> None:
    account, address = next(accounts), next(addresses)
    await world.record(p_user_id=account, **wallet(address))
    await world.record(p_user_id=None, timestamp="1672539999", **wallet(address))
    person = await world.who(wallet=address, chain_type="ethereum")
    assert person["redirected_from"] is None
    assert (person["first_seen"], person["last_seen"]) == (
        "2023-01-01T01:23:39.000Z",
        "2023-01-01T02:26:39.000Z",
    )
    shown = {each["kind"]: each for each in person["identifiers"]}
    assert (shown["discord"]["value"], shown["discord"]["events"]) == (account, 1)
    assert (shown["wallet"]["value"], shown["wallet"]["events"]) == (f"eip155:{address}", 2)
    assert shown["wallet"]["proof"] == 2


@pytest.mark.parametrize(
    "asked", [{}, {"discord": "1", "telegram": "1"}, {"chain_type": "eth"}, {"discord": "ada"}]
)
async def test_a_look_up_names_exactly_one(world: World, asked: dict[str, str]) -> None:
    answer = await world.client.get("/identities", params=asked)
    assert (answer.status_code, answer.json()["error"]) == (400, "INVALID_REQUEST")


async def test_nobody_is_found_by_what_nobody_goes_by(world: World) -> None:
    for path in ("/identities?discord=1", "/identities/1", "/identities/not-a-number/timeline"):
        answer = await world.client.get(path)
        assert (answer.status_code, answer.json()["error"]) == (404, "NOT_FOUND")


async def test_a_joined_number_says_where_it_went(world: World) -> None:
    account, address = next(accounts), next(addresses)
    now = time()  # what is older than a week is taken for a week old, all of it
    await world.record(p_user_id=account, timestamp=now - 60)
    await world.record(p_user_id=None, timestamp=now, **wallet(address))
    former = (await world.who(wallet=address))["c_user_id"]
    await world.record(p_user_id=account, timestamp=now, **wallet(address))
    person = await world.ask("GET", f"/identities/{former}", params={"fresh": "true"})
    assert person["redirected_from"] == former != person["c_user_id"]
    assert person["c_user_id"] == (await world.who(discord=account))["c_user_id"]


async def test_a_timeline_is_newest_first_and_says_why(world: World) -> None:
    account, address = next(accounts), next(addresses)
    first = await world.record(p_user_id=account, **wallet(address), message_id="t-1", extra=[1])
    await world.record(
        p_user_id=None, timestamp=1672539999.25, event_data={"n": 1.50}, **wallet(address)
    )
    number = (await world.who(discord=account))["c_user_id"]
    newer, older = (await world.timeline(number))["items"]
    assert (newer["timestamp"], older["timestamp"]) == (
        "2023-01-01T02:26:39.250Z",
        "2023-01-01T01:23:39.000Z",
    )
    assert older["record_id"] == first.headers["endu-record-id"]
    assert (newer["because"], older["because"]) == (
        f"wallet:eip155:{address}",
        f"discord:{account}",
    )
    assert (newer["event_type"], newer["event_data"]) == ("BEGIN_EVENT", {"n": 1.5})
    assert (older["message_id"], older["unknown"]) == ("t-1", {"extra": [1]})
    assert {newer["relation"], older["relation"]} == {"own"}
    assert not newer["contested"]
    assert "message_id" not in newer


async def test_the_pages_of_a_timeline_are_the_whole_of_it(world: World) -> None:
    account = next(accounts)
    kept = [
        (await world.record(p_user_id=account, timestamp=1672536219 + n // 3)).headers[
            "endu-record-id"
        ]
        for n in range(7)
    ]
    number = (await world.who(discord=account))["c_user_id"]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await world.timeline(number, limit=3, **cursor)
        seen += [item["record_id"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == kept[::-1]


async def test_another_persons_event_with_my_wallet_is_related(world: World) -> None:
    mine, theirs, address = next(accounts), next(accounts), next(addresses)
    await world.record(p_user_id=mine, **wallet(address))
    await world.record(p_user_id=theirs, **wallet(address), timestamp="1672539999")
    number = (await world.who(discord=mine))["c_user_id"]
    newer, older = (await world.timeline(number))["items"]
    assert (newer["relation"], newer["because"]) == ("related", f"wallet:eip155:{address}")
    assert (newer["contested"], older["contested"]) == (True, False)
    (owned,) = (await world.timeline((await world.who(discord=theirs))["c_user_id"]))["items"]
    assert (owned["relation"], owned["contested"]) == ("own", True)
    conflicts = await world.ask("GET", "/conflicts")
    assert f"discord:{theirs}" in str(conflicts["items"])


async def test_events_of_a_shared_device_go_to_who_used_it(world: World) -> None:
    one, other, device = next(accounts), next(accounts), "shared-device-1"
    anonymous = {"p_user_id": None, "platform_type": None}
    await world.record(p_user_id=one, fingerprint=device, timestamp=1672536000)
    await world.record(**anonymous, fingerprint=device, timestamp=1672536060)
    await world.record(p_user_id=other, fingerprint=device, timestamp=1672600000)
    await world.record(**anonymous, fingerprint=device, timestamp=1672599990)
    for account, times in ((one, ["01:21:00", "01:20:00"]), (other, ["19:06:40", "19:06:30"])):
        number = (await world.who(discord=account))["c_user_id"]
        items = (await world.timeline(number))["items"]
        assert [item["timestamp"][11:19] for item in items] == times
        assert {item["relation"] for item in items} == {"own"}
    alone = await world.who(fingerprint=device)
    assert "own" not in {
        item["relation"] for item in (await world.timeline(alone["c_user_id"]))["items"]
    }


async def test_the_journal_names_the_event_that_caused_a_change(world: World) -> None:
    account, address = next(accounts), next(addresses)
    await world.record(p_user_id=account)
    joined = await world.record(p_user_id=account, **wallet(address))
    number = (await world.who(discord=account))["c_user_id"]
    journal = await world.ask("GET", f"/identities/{number}/journal", params={"limit": 2})
    assert joined.headers["endu-record-id"] in {line["record_id"] for line in journal["items"]}


async def test_a_link_is_explained_by_the_event_that_showed_it(world: World) -> None:
    account, address = next(accounts), next(addresses)
    joined = await world.record(p_user_id=account, **wallet(address))
    two = {"a": f"discord:{account}", "b": f"wallet:ethereum:{address}"}
    answer = await world.ask("POST", "/identities/explain", json=two, params={"fresh": "true"})
    assert answer["same"] is True
    (link,) = answer["path"]
    assert (link["proof"], link["record_id"]) == (2, joined.headers["endu-record-id"])
    number = (await world.who(discord=account))["c_user_id"]
    by_number = await world.ask("POST", "/identities/explain", json={"a": number, "b": two["b"]})
    assert by_number["same"] is True


async def test_a_rule_is_tried_made_and_taken_back(world: World) -> None:
    account, address = next(accounts), next(addresses)
    await world.record(p_user_id=account, **wallet(address))
    await world.record(p_user_id=None, **wallet(address))
    never = {"rule": "never-link", "a": f"discord:{account}", "b": f"wallet:eth:{address}"}
    before = await world.who(wallet=address)
    tried = await world.ask("POST", "/rules", json={**never, "dry_run": True})
    assert (tried["rule_id"], tried["events_moved"]) == (None, 1)
    assert await world.who(wallet=address) == before
    assert await world.ask("GET", "/rules") == {"items": [], "next": None}
    made = await world.ask("POST", "/rules", json={**never, "reason": "a shared wallet"})
    assert made["moves"] == tried["moves"]
    apart = [await world.who(wallet=address), await world.who(discord=account)]
    assert apart[0]["c_user_id"] != apart[1]["c_user_id"]
    opposite = await world.client.post("/rules", json={**never, "rule": "always-link"})
    assert (opposite.status_code, opposite.json()["error"]) == (409, "RULE_CONFLICT")
    await world.ask("DELETE", f"/rules/{made['rule_id']}")
    await world.ask("DELETE", f"/rules/{made['rule_id']}")
    assert await world.who(wallet=address) == before
    rules = {rule["rule_id"]: rule for rule in (await world.ask("GET", "/rules"))["items"]}
    rule = rules[made["rule_id"]]
    assert (rule["reason"], rule["taken_back_at"] is None) == ("a shared wallet", False)
    assert rule["author"].startswith("secret key ")


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ({"rule": "never-link", "a": "discord:1"}, "b"),
        ({"rule": "never-link", "a": "discord:1", "b": "discord:1"}, "b"),
        ({"rule": "block", "a": "discord:1", "b": "discord:2"}, "b"),
        ({"rule": "shared", "a": "discord:1"}, "a"),
        ({"rule": "block", "a": "email:x"}, "a"),
        ({"rule": "merge", "a": "discord:1"}, "rule"),
    ],
)
async def test_a_rule_that_cannot_be_is_refused(
    world: World, rule: dict[str, Any], path: str
) -> None:
    answer = await world.client.post("/rules", json=rule)
    assert (answer.status_code, answer.json()["error"]) == (400, "INVALID_REQUEST")
    assert [problem["path"] for problem in answer.json()["data"]["problems"]] == [path]


async def test_a_hub_joins_nobody_and_is_listed(world: World) -> None:
    treasury = next(addresses)
    for account in [next(accounts) for _ in range(6)]:
        await world.record(p_user_id=account, **wallet(treasury))
    await world.who(wallet=treasury)
    hubs = await world.ask("GET", "/hubs")
    assert f"wallet:eip155:{treasury}" in {hub["identifier"] for hub in hubs["items"]}


async def test_a_publishable_key_links_nobody(world: World) -> None:
    account, address = next(accounts), next(addresses)
    event = world.event(p_user_id=account, **wallet(address))
    kept = await world.client.post("/events/record", json=event, headers=bearer(world.publishable))
    assert kept.status_code == 200
    person = await world.who(discord=account)
    assert [each["kind"] for each in person["identifiers"]] == ["discord"]
