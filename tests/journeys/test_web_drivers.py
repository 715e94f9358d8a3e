"""Drivers over HTTP: their shape, the pages of people, and what is wrong with a question."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.web_world import World, bearer, world_on

pytestmark = pytest.mark.asyncio(loop_scope="module")

DRIVERS = "/journeys/drivers"
AT = 1_672_536_219  # 2023-01-01T01:23:39Z
ASKED: dict[str, Any] = {
    "from": "2023-01-01T00:00:00Z",
    "to": "2023-01-03T00:00:00Z",
    "goal": {"event_types": ["BLOCKCHAIN_ACCOUNT_SIGN_IN"]},
    "candidates": ["event_types"],
    "within": {"hours": 1},
    "minimum_support": 2,
    "fresh": True,
}
CLICKED = {"field": "event_type", "value": "LINK_TRACKING_CLICK", "at_least": 1, "days": None}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Six people: of the three who clicked two signed in, of the others one."""
    async with world_on(tmp_path_factory.mktemp("drivers")) as opened:
        for person in range(6):
            who = {"p_user_id": str(702877938567086080 + person)}
            await opened.record(timestamp=AT, **who)
            if person < 3:
                await opened.record(timestamp=AT + 1, event_type="LINK_TRACKING_CLICK", **who)
            if person in (1, 2, 3):
                kind = "BLOCKCHAIN_ACCOUNT_SIGN_IN"
                await opened.record(timestamp=AT + 2, event_type=kind, **who)
        yield opened


async def test_drivers_are_answered_as_they_are_documented(world: World) -> None:
    data = await world.ask("POST", DRIVERS, json=ASKED)
    about = data.pop("about")
    (driver,) = data.pop("drivers")
    assert data == {
        "people": 6,
        "reached": 3,
        "rate": 0.5,
        "left_out": {"at_once": 0, "unfinished": 0},
        "minimum_support": 2,
        "candidates": {"found": 2, "tried": 1, "below_support": 1, "cut": 0},
    }
    assert about["anonymous_share"] == 0.0
    odds = (driver.pop("odds_low"), driver.pop("odds_ratio"), driver.pop("odds_high"))
    assert odds == pytest.approx((0.133, 4.0, 119.98), rel=1e-2)
    assert driver == {
        "behaviour": CLICKED,
        "text": "did LINK_TRACKING_CLICK: not clearly associated with reaching the goal",
        "people_with": 3,
        "people_without": 3,
        "reached_with": 2,
        "reached_without": 1,
        "rate_with": pytest.approx(2 / 3),
        "rate_without": pytest.approx(1 / 3),
        "lift": pytest.approx(2),
        "p": 1.0,
        "q": 1.0,
    }


async def test_the_people_of_a_number_come_page_by_page(world: World) -> None:
    body = {**ASKED, "behaviour": CLICKED, "with": True, "reached": None}
    listed: list[str] = []
    cursor = ""
    while True:
        page = await world.ask("POST", f"{DRIVERS}/people?limit=2{cursor}", json=body)
        assert page["total"] == 3
        listed += [person["c_user_id"] for person in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    names = [str(702877938567086080 + person) for person in range(3)]
    assert sorted(listed) == sorted([(await world.who(discord=n))["c_user_id"] for n in names])


async def test_every_problem_is_named_with_its_path(world: World) -> None:
    body = {
        **ASKED,
        "goal": {"event_types": ["NO_SUCH_TYPE"]},
        "within": {"days": 3},
        "counts": {"at_least": [2], "days": [4]},
        "candidates": [{"field": "color"}],
    }
    answer = await world.client.post(DRIVERS, json=body)
    assert (answer.status_code, answer.json()["error"]) == (422, "INVALID_QUESTION")
    assert [problem["path"] for problem in answer.json()["data"]["problems"]] == [
        "goal.event_types[0]",
        "within",
        "counts",
        "counts.days[0]",
        "candidates[0].field",
    ]


async def test_another_organization_sees_nothing_of_it(world: World) -> None:
    _, key = await world.other_organization("other")
    data = await world.ask("POST", DRIVERS, json=ASKED, headers=bearer(key))
    assert (data["people"], data["drivers"], data["rate"]) == (0, [], None)
    body = {**ASKED, "behaviour": CLICKED}
    page = await world.ask("POST", f"{DRIVERS}/people", json=body, headers=bearer(key))
    assert page == {"total": 0, "items": [], "next": None}
