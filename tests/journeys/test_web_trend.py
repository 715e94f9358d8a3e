"""A trend over HTTP: its shape, what stands about it, and what is wrong with a question."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.web_world import World, bearer, world_on

pytestmark = pytest.mark.asyncio(loop_scope="module")

TREND = "/journeys/trend"
AT = 1_672_536_219  # 2023-01-01T01:23:39Z
RANGE = {"from": "2023-01-01T00:00:00Z", "to": "2023-01-03T00:00:00Z"}
ALICE, BOB = "702877938567086080", "702877938567086081"
WALLET = {"blockchain": {"chain_type": "ethereum", "chain_account": f"0x{'ab' * 20}"}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world_on(tmp_path_factory.mktemp("trend")) as opened:
        yield opened


async def ask(world: World, **body: Any) -> Any:
    body = {**RANGE, "series": [{}], "fresh": True, **body}
    return await world.ask("POST", TREND, json=body)


def only(property_id: str) -> dict[str, Any]:
    return {"where": [{"field": "property_id", "op": "eq", "value": property_id}]}


async def test_a_trend_is_answered_as_it_is_documented(world: World) -> None:
    for price in (5, 7):
        await world.record(property_id="shop", timestamp=AT, event_data={"price": price})
    series = [{"event_types": ["BEGIN_EVENT"], "measure": "people"},
              {"measure": "sum", "of": "event_data.price", "label": "Revenue"}]  # fmt: skip
    data = await ask(world, series=series, **only("shop"))
    about = data.pop("about")
    assert data == {
        "series": [
            {
                "label": label,
                "group": None,
                "points": [
                    {"at": "2023-01-01T00:00:00.000Z", "value": value, "complete": True},
                    {"at": "2023-01-02T00:00:00.000Z", "value": 0, "complete": True},
                ],
            }
            for label, value in (("BEGIN_EVENT", 1), ("Revenue", 12))
        ],
        "before": None,
    }
    assert about.pop("elapsed_ms") >= 0
    assert about.pop("rows_read") >= 2
    assert about.pop("rules_version") >= 0
    assert about == {
        "from": "2023-01-01T00:00:00.000Z",
        "to": "2023-01-03T00:00:00.000Z",
        "anonymous_share": 0.0,
        "contested_share": 0.0,
    }


async def test_without_a_range_the_last_thirty_days_are_meant(world: World) -> None:
    data = await world.ask("POST", TREND, json={"series": [{}], "interval": "month"})
    assert len(data["series"][0]["points"]) in (2, 3)
    assert data["series"][0]["points"][-1]["complete"] is False


async def test_an_event_that_two_people_share_is_contested_until_they_are_one(
    world: World,
) -> None:
    mine = {"property_id": "contested", "timestamp": AT}
    await world.record(**mine, p_user_id=ALICE, **WALLET)
    await world.record(**mine, p_user_id=BOB, **WALLET)  # the wallet stays with Alice
    before = (await ask(world, **only("contested")))["about"]
    assert before["contested_share"] == 0.5
    joined = {"rule": "always-link", "a": f"discord:{ALICE}", "b": f"discord:{BOB}"}
    rule = await world.ask("POST", "/rules", json=joined)
    after = (await ask(world, **only("contested")))["about"]
    assert after["contested_share"] == 0.0
    assert after["rules_version"] == before["rules_version"] + 1
    await world.ask("DELETE", f"/rules/{rule['rule_id']}")
    again = (await ask(world, **only("contested")))["about"]
    assert again["contested_share"] == 0.5
    assert again["rules_version"] == before["rules_version"] + 2


async def test_a_device_is_anonymous_until_somebody_is_seen_on_it(world: World) -> None:
    nobody = {"p_user_id": None, "platform_type": None, "fingerprint": "device-1"}
    series = [{"measure": "events"}, {"measure": "people"}]
    await world.record(property_id="site", timestamp=AT, **nobody)
    about = (await ask(world, **only("site")))["about"]
    assert about["anonymous_share"] == 1.0
    await world.record(property_id="site", timestamp=AT + 1, fingerprint="device-1")
    data = await ask(world, series=series, **only("site"))
    assert data["about"]["anonymous_share"] == 0.0
    assert [line["points"][0]["value"] for line in data["series"]] == [2, 1]


async def test_a_visit_to_a_shared_device_is_its_visitors(world: World) -> None:
    shared = {"property_id": "shared", "fingerprint": "device-2"}
    nobody = {"p_user_id": None, "platform_type": None}
    await world.record(**shared, timestamp=AT, p_user_id="702877938567086091")
    await world.record(**shared, timestamp=AT + 86_400, p_user_id="702877938567086092")
    await world.record(**shared, **nobody, timestamp=AT + 86_400 - 60)
    await world.record(**shared, **nobody, timestamp=AT + 40_000)  # hours from anybody
    data = await ask(world, series=[{"measure": "people"}, {"measure": "events"}], **only("shared"))
    people, events = ([point["value"] for point in line["points"]] for line in data["series"])
    assert (people, events) == ([2, 1], [2, 2])
    assert data["about"]["anonymous_share"] == 0.25


async def test_every_problem_is_named_with_its_path(world: World) -> None:
    body = {
        "series": [
            {"event_types": ["NO_SUCH_TYPE"]},
            {"where": [{"field": "platform", "op": "gt", "value": "web"}]},
        ],
        "timezone": "Europe/Nowhere",
    }
    answer = await world.client.post(TREND, json=body)
    assert answer.status_code == 422
    said = answer.json()
    assert said["error"] == "INVALID_QUESTION"
    assert [problem["path"] for problem in said["data"]["problems"]] == [
        "timezone",
        "series[0].event_types[0]",
        "series[1].where[0].op",
    ]


async def test_every_fault_of_shape_is_named_with_its_path(world: World) -> None:
    body = {
        "series": [
            {"measure": "most", "where": [{"field": "proof", "op": "like"}, {"op": 3}]},
            "ITEM_PURCHASED",
        ],
        "interval": "year",
        "breakdown": {"field": "platform", "limit": 1_000},
        "form": "2023-01-01T00:00:00Z",
    }
    answer = await world.client.post(TREND, json=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "INVALID_REQUEST")
    assert [problem["path"] for problem in answer.json()["data"]["problems"]] == [
        "series[0].measure",
        "series[0].where[0].op",
        "series[0].where[1].op",
        "series[0].where[1].field",
        "series[1]",
        "interval",
        "breakdown.limit",
        "form",
    ]


async def test_a_key_must_be_able_to_read(world: World) -> None:
    answer = await world.client.post(
        TREND, json={"series": [{}]}, headers=bearer(world.publishable)
    )
    assert (answer.status_code, answer.json()["error"]) == (403, "KEY_NOT_ALLOWED")


async def test_another_organization_sees_nothing_of_it(world: World) -> None:
    await world.record(timestamp=AT)
    _, key = await world.other_organization("other")
    body = {**RANGE, "series": [{}], "fresh": True}
    data = await world.ask("POST", TREND, json=body, headers=bearer(key))
    assert [point["value"] for point in data["series"][0]["points"]] == [0, 0]
