"""People are joined, parted, and taken back through the real door between two askings: every
answer is about them as they are known at that moment.

Whoever is who is asked of the directory, whose policy has properties of its own; whatever follows
from it is worked out by each question's oracle. A question is added in ASKED.
"""

import os
from collections.abc import AsyncIterator, Callable
from itertools import count
from typing import Any

import httpx
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from tests.journeys import (
    oracle_drivers,
    oracle_funnel,
    oracle_paths,
    oracle_retention,
    oracle_trend,
)
from tests.journeys.moments import DAY
from tests.journeys.world import Row
from tests.web_world import World, world_on

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXAMPLES = 30 * int(os.environ.get("ENDU_LONG", "1"))
ACCOUNTS, WALLETS = range(4), range(2)
FIRST_SECOND = 1_704_067_200  # 2024
RANGE = {"from": FIRST_SECOND, "to": FIRST_SECOND + 5 * DAY}

places = count(1)


class Asked(Struct, frozen=True):
    """`of_answer` and `of_rows` give what has to be equal: of the answer's data, and of the events
    as an oracle sees them."""

    path: str
    body: dict[str, Any]
    of_answer: Callable[[Any], Any]
    of_rows: Callable[[dict[str, Any], list[Row]], Any]


def _people_in(data: Any) -> Any:
    return [[point["value"] for point in line["points"]] for line in data["series"]]


def _people_of(asked: dict[str, Any], rows: list[Row]) -> Any:
    lines, _ = oracle_trend.trend(asked, rows, 2 * FIRST_SECOND * 1_000)
    return [[value for _, value, _ in points] for _, _, points in lines]


def _bars_in(data: Any) -> Any:
    parts = ("people", "dropped", "median_seconds", "p90_seconds")
    return [[step[part] for part in parts] for step in data["steps"]]


def _bars_of(asked: dict[str, Any], rows: list[Row]) -> Any:
    steps, _ = oracle_funnel.funnel(asked, rows)
    return [
        [people, dropped, median, p90 and pytest.approx(p90)]
        for people, dropped, median, p90 in steps
    ]


def _cohorts_in(data: Any) -> Any:
    return [[c["people"], *(cell["people"] for cell in c["cells"])] for c in data["cohorts"]]


def _cohorts_of(asked: dict[str, Any], rows: list[Row]) -> Any:
    cohorts, _ = oracle_retention.retention(asked, rows, 2 * FIRST_SECOND * 1_000)
    return [[people, *(count for count, _ in cells)] for _, people, cells in cohorts]


def _driven_in(data: Any) -> Any:
    drivers = {
        d["behaviour"]["at_least"]: [d[name] for name in ("people_with", "reached_with")]
        for d in data["drivers"]
    }
    return [data["people"], data["reached"], data["left_out"], drivers]


def _driven_of(asked: dict[str, Any], rows: list[Row]) -> Any:
    found = oracle_drivers.courses(asked, rows, 2 * FIRST_SECOND * 1_000)
    keys = oracle_drivers.candidates(asked, found)["event_type"]
    splits = {key: oracle_drivers.split(key, found) for key in keys}
    left_out = {"at_once": found.at_once, "unfinished": found.unfinished}
    reached = sum(course.reached for course in found.studied)
    drivers = {key[2]: [*cells[:2]] for key, cells in splits.items() if cells[0] and cells[2]}
    return [len(found.studied), reached, left_out, drivers]


def _paths_in(data: Any) -> Any:
    return {name: data[name] for name in ("nodes", "links", "sequences", "share_covered")}


ASKED = (
    Asked(
        "/journeys/trend",
        {"series": [{"measure": "people"}, {"measure": "events"}], "interval": "day"},
        _people_in,
        _people_of,
    ),
    Asked("/journeys/funnel", {"steps": [{}, {}, {}], "within": {"days": 2}}, _bars_in, _bars_of),
    Asked(
        "/journeys/retention",
        {"start": {}, "period": "day", "periods": 5, "who": "first_time"},
        _cohorts_in,
        _cohorts_of,
    ),
    Asked(
        "/journeys/drivers",
        {
            "goal": {"silent_days": 1},
            "candidates": ["counts"],
            "counts": {"at_least": [1, 2, 3]},
            "within": {"days": 1},
            "minimum_support": 1,
        },
        _driven_in,
        _driven_of,
    ),
    Asked(
        "/journeys/paths",
        {"session_gap": {"hours": 30}, "collapse_repeats": False, "depth": 10},
        _paths_in,
        oracle_paths.answer,
    ),
)

account, wallet = st.sampled_from(ACCOUNTS), st.sampled_from(WALLETS)
changes = st.one_of(
    st.tuples(st.just("sees"), account, wallet),
    st.tuples(st.just("always-link"), account, account),
    st.tuples(st.just("never-link"), account, wallet),
    st.tuples(st.just("take back"), st.integers(0, 3), st.none()),
)
events = st.tuples(account, st.integers(0, 4), st.sampled_from([0, 1, DAY // 2]))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world_on(tmp_path_factory.mktemp("door")) as opened:
        yield opened


class Story:
    """What happens in one example: people of its own, at a property of its own."""

    def __init__(self, door: World) -> None:
        self._door = door
        self._place = next(places)
        self._property_id = f"property-{self._place}"
        self._recorded: list[tuple[str, int]] = []
        self._rules: list[str] = []

    async def record(self, who: dict[str, Any], at_second: int) -> None:
        """`who` as an event names them."""
        answer = await self._door.record(
            timestamp=str(at_second), property_id=self._property_id, event_data={}, **who
        )
        assert answer.status_code == 200, answer.text
        self._recorded.append((who["p_user_id"], at_second))

    async def change(self, change: tuple[str, int, int | None]) -> None:
        kind, one, other = change
        if kind == "sees":
            who = {**self.account(one), **self._wallet(other or 0)}
            await self.record(who, FIRST_SECOND + one * DAY)
        elif kind == "take back":
            if one < len(self._rules):
                await self._door.ask("DELETE", f"/rules/{self._rules.pop(one)}")
        else:
            await self._rule(kind, one, other or 0)

    async def agrees(self) -> None:
        for asked in ASKED:
            mine = [{"field": "property_id", "op": "eq", "value": self._property_id}]
            body = {**RANGE, "where": mine, **asked.body}
            data = await self._door.ask("POST", asked.path, json={**body, "fresh": True})
            rows = await self._rows()
            assert asked.of_answer(data) == asked.of_rows(body, rows), asked.path

    def account(self, number: int) -> dict[str, Any]:
        return {"p_user_id": str(self._place * 1_000 + number + 1), "platform_type": "discord"}

    def _wallet(self, number: int) -> dict[str, Any]:
        address = f"0x{self._place * 1_000 + number + 0xABC00000:040x}"
        return {"blockchain": {"chain_type": "ethereum", "chain_account": address}}

    async def _rule(self, rule: str, one: int, other: int) -> None:
        """One that nothing stands against, or none."""
        b = f"discord:{self.account(other)['p_user_id']}"
        if rule == "never-link":
            b = f"wallet:ethereum:{self._wallet(other)['blockchain']['chain_account']}"
        body = {"rule": rule, "a": f"discord:{self.account(one)['p_user_id']}", "b": b}
        answer: httpx.Response = await self._door.client.post("/rules", json=body)
        if answer.status_code == 200:
            self._rules.append(answer.json()["data"]["rule_id"])

    async def _rows(self) -> list[Row]:
        """With whose each event is, as the directory says."""
        people = {name: int((await self._door.who(discord=name))["c_user_id"])
                  for name in {name for name, _ in self._recorded}}  # fmt: skip
        return [
            Row(
                seq=seq,
                at_ms=second * 1_000,
                person=people[name],
                type_id="BEGIN_EVENT",
                type_name="BEGIN_EVENT",
                platform="discord",
                property_id=self._property_id,
                chain_type="",
                proof=2,
                data={},
                anonymous=False,
                contested=False,
            )
            for seq, (name, second) in enumerate(self._recorded)
        ]


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(events, min_size=1, max_size=8), st.lists(changes, min_size=1, max_size=4))
async def test_an_answer_is_about_people_as_they_are_known_when_it_is_asked(
    door: World, happened: list[tuple[int, int, int]], changed: list[tuple[str, int, int | None]]
) -> None:
    story = Story(door)
    for number, day, second in happened:
        await story.record(story.account(number), FIRST_SECOND + day * DAY + second)
    await story.agrees()
    for change in changed:
        await story.change(change)
        await story.agrees()
