"""Everything about one person, an object a line."""

import json
import stat
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.running import running
from tests.web_world import World, bearer, world_on

pytestmark = pytest.mark.asyncio(loop_scope="module")

accounts = (str(number) for number in count(700_000_000_000_000_000))
ADDRESS = "0x52908400098527886E0F7030069857D2E4169EE7"
WALLET = {"blockchain": {"chain_type": "ethereum", "chain_account": ADDRESS}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world_on(tmp_path_factory.mktemp("export")) as opened:
        yield opened


async def exported(world: World, number: str) -> dict[str, list[Any]]:
    """By what it is."""
    answer = await world.client.get(f"/identities/{number}/export?fresh=true")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    found: dict[str, list[Any]] = {}
    for line in answer.text.splitlines():
        said = json.loads(line)
        found.setdefault(said["what"], []).append(said["data"])
    return found


async def test_an_export_has_everything_that_names_a_person_and_says_where_it_ends(
    world: World,
) -> None:
    account, other = next(accounts), next(accounts)
    await world.record(p_user_id=account, **WALLET, event_data={"n": 1})
    await world.record(p_user_id=other, **WALLET, event_data={"n": 2})
    await world.record(p_user_id=account, event_type="NEVER_REGISTERED")
    block = {"rule": "never-link", "a": f"discord:{account}", "b": f"discord:{other}"}
    await world.ask("POST", "/rules", json={**block, "reason": "two people"})
    person = await world.who(discord=account)

    found = await exported(world, person["c_user_id"])
    assert found["identity"] == [person]
    assert [event["event_data"] for event in found["event"]] == [{"n": 1}]
    assert {change["change"] for change in found["change"]} >= {"created", "contested", "rule"}
    assert [rule["reason"] for rule in found["rule"]] == ["two people"]
    assert [conflict["link"]["verdict"] for conflict in found["conflict"]] == ["refused"]
    assert [json.loads(each["body"])["p_user_id"] for each in found["failed_event"]] == [account]
    (end,) = found["end"]
    assert end == {what: len(found[what]) for what in end}


async def test_an_export_goes_on_over_as_many_events_as_there_are(world: World) -> None:
    account = next(accounts)
    events = [world.event(p_user_id=account, event_data={"n": n}) for n in range(450)]
    await world.ask("POST", "/events/record/batch", json=events)
    number = (await world.who(discord=account))["c_user_id"]
    found = await exported(world, number)
    assert {event["event_data"]["n"] for event in found["event"]} == set(range(450))
    assert found["end"][0]["event"] == 450


async def test_visits_to_a_shared_device_are_in_the_visitors_export_alone(world: World) -> None:
    one, other = next(accounts), next(accounts)
    device: dict[str, Any] = {"fingerprint": "a shared device"}
    await world.record(p_user_id=one, timestamp="1672536000", **device)
    await world.record(p_user_id=other, timestamp="1672546000", **device)
    await world.record(p_user_id=None, timestamp="1672536060", event_data={"n": 9}, **device)
    exports = [
        await exported(world, (await world.who(discord=account))["c_user_id"])
        for account in (one, other)
    ]
    assert [[e["event_data"] for e in found["event"]] for found in exports] == [
        [{"n": 9}, {}],
        [{}],
    ]


async def test_a_person_is_exported_under_every_number_they_have(world: World) -> None:
    account = next(accounts)
    await world.record(p_user_id=account)
    issued = (await world.who(discord=account))["c_user_id"]
    await world.record(c_user_id="424242", p_user_id=account)
    found = await exported(world, issued)
    assert found["identity"][0]["c_user_id"] == "424242"
    assert found["identity"][0]["redirected_from"] == issued


async def test_another_organizations_key_exports_nobody(world: World) -> None:
    account = next(accounts)
    await world.record(p_user_id=account)
    number = (await world.who(discord=account))["c_user_id"]
    _, key = await world.other_organization("elsewhere")
    path = f"/identities/{number}/export"
    assert (await world.client.get(path, headers=bearer(key))).status_code == 404
    denied = await world.client.get(path, headers=bearer(world.publishable))
    assert denied.status_code == 403


async def test_the_command_saves_a_file_that_only_its_owner_may_read(tmp_path: Path) -> None:
    with running(tmp_path / "data") as server:
        who = {"p_user_id": "700000000000000000", "platform_type": "Discord"}
        event = {"property_id": "D#1", "event_type": "BEGIN_EVENT", **who}
        server.endu("record", input=json.dumps(event))
        file = tmp_path / "person.ndjson"
        said = server.json("export", "discord:700000000000000000", "--to", str(file))
        assert said["event"] == 1
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        assert [line["what"] for line in lines[:2]] == ["identity", "event"]
        assert lines[-1]["what"] == "end"
        shown = server.endu("export", "discord:700000000000000000")
        assert shown.stdout == file.read_text()
        assert server.endu("export", "discord:700000000000000009").returncode == 1
