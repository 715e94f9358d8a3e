"""Paths over HTTP: their shape, the people behind them page by page, and what is refused."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.web_world import World, world_on

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATHS, PEOPLE = "/journeys/paths", "/journeys/paths/people"
AT = 1_672_536_219  # 2023-01-01T01:23:39Z
RANGE = {"from": "2023-01-01T00:00:00Z", "to": "2023-01-03T00:00:00Z"}
CLICK, BEGIN = "LINK_TRACKING_CLICK", "BEGIN_EVENT"
OVER = "(no further action)"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Three people click; two of them begin afterwards, one of these on Telegram."""
    async with world_on(tmp_path_factory.mktemp("paths")) as opened:
        for account in ("11", "12", "13"):
            await opened.record(event_type=CLICK, timestamp=AT, p_user_id=account)
        await opened.record(timestamp=AT + 60, p_user_id="11")
        joined = {"p_user_id": "22", "platform_type": "Telegram"}
        await opened.record(timestamp=AT + 90, **joined)
        rule = {"rule": "always-link", "a": "discord:12", "b": "telegram:22"}
        await opened.ask("POST", "/rules", json=rule)
        yield opened


async def ask(world: World, path: str = PATHS, **body: Any) -> Any:
    return await world.ask("POST", path, json={**RANGE, "fresh": True, **body})


async def test_paths_are_answered_as_they_are_documented(world: World) -> None:
    data = await ask(world, anchor={"start": {"event_types": [CLICK]}}, depth=3)
    about = data.pop("about")
    assert (about["anonymous_share"], about["contested_share"]) == (0.0, 0.0)
    assert data == {
        "nodes": [
            {"position": 0, "name": CLICK, "people": 3, "transitions": 3},
            {"position": 1, "name": BEGIN, "people": 2, "transitions": 2},
            {"position": 1, "name": OVER, "people": 1, "transitions": 1},
            {"position": 2, "name": OVER, "people": 2, "transitions": 2},
        ],
        "links": [
            {"from": [0, CLICK], "to": [1, BEGIN], "people": 2, "transitions": 2},
            {"from": [1, BEGIN], "to": [2, OVER], "people": 2, "transitions": 2},
            {"from": [0, CLICK], "to": [1, OVER], "people": 1, "transitions": 1},
        ],
        "sequences": [
            {"steps": [CLICK, BEGIN], "people": 2, "transitions": 2},
            {"steps": [CLICK], "people": 1, "transitions": 1},
        ],
        "share_covered": 1.0,
    }


async def test_a_path_leads_from_one_platform_to_another(world: World) -> None:
    data = await ask(world, nodes="platform_and_event_type", top=1)
    assert data["sequences"] == [
        {"steps": [f"discord:{CLICK}"], "people": 1, "transitions": 1},
    ]
    assert data["share_covered"] == pytest.approx(1 / 3)
    data = await ask(world, nodes="platform_and_event_type")
    assert [f"discord:{CLICK}", f"telegram:{BEGIN}"] in [
        each["steps"] for each in data["sequences"]
    ]


async def test_people_are_listed_page_by_page(world: World) -> None:
    node = {"node": {"position": 0, "name": CLICK}}
    first = await ask(world, f"{PEOPLE}?limit=2", **node)
    second = await ask(world, f"{PEOPLE}?limit=2&cursor={first['next']}", **node)
    assert (first["total"], second["total"], second["next"]) == (3, 3, None)
    listed = {each["c_user_id"] for each in (*first["items"], *second["items"])}
    accounts = [(await world.who(discord=name))["c_user_id"] for name in ("11", "12", "13")]
    assert listed == {*accounts}
    link = {"from": [0, CLICK], "to": [1, BEGIN]}
    begun = await ask(world, PEOPLE, link=link)
    assert {each["c_user_id"] for each in begun["items"]} == {*accounts[:2]}
    assert (await ask(world, PEOPLE, sequence=[CLICK]))["items"][0]["c_user_id"] == accounts[2]


@pytest.mark.parametrize(
    ("path", "body", "problem"),
    [
        (PATHS, {"anchor": {"start": {}, "end": {}}}, "anchor"),
        (PATHS, {"session_gap": {}}, "session_gap"),
        (PATHS, {"exclude": [{}]}, "exclude[0]"),
        (PEOPLE, {}, "sequence"),
        (PEOPLE, {"node": {"position": 0, "name": "NO_SUCH_TYPE"}}, "node.name"),
    ],
)
async def test_what_does_not_go_together_is_refused(
    world: World, path: str, body: dict[str, Any], problem: str
) -> None:
    answer = await world.client.post(path, json={**RANGE, **body})
    assert (answer.status_code, answer.json()["error"]) == (422, "INVALID_QUESTION")
    assert [each["path"] for each in answer.json()["data"]["problems"]] == [problem]
