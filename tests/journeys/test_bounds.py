"""No question takes more than its share: of time, of memory, of handles, of another's answer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.web_world import World, bearer, world_on

pytestmark = pytest.mark.asyncio(loop_scope="module")

SQL = "/journeys/sql"
EVENTS = 60
# 60 to the power of 7 rows: hours.
ENDLESS = "SELECT count() FROM " + ", ".join(f"events AS e{n}" for n in range(7))
LARGE = (
    "SELECT groupArray(concat(a.event_type, b.event_type, c.event_type, d.event_type)) "
    "FROM events AS a, events AS b, events AS c, events AS d"
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    place = tmp_path_factory.mktemp("bounds")
    async with world_on(place, question_seconds=2, question_megabytes=64) as opened:
        for number in range(EVENTS):
            await opened.record(event_data={"n": number, "secret": "acme"})
        await ask(opened, "SELECT count() FROM events", fresh=True)
        yield opened


async def ask(world: World, sql: str, **more: Any) -> httpx.Response:
    headers = more.pop("headers", {})
    return await world.client.post(SQL, json={"sql": sql, **more}, headers=headers)


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


async def test_a_question_that_takes_too_long_is_ended(world: World) -> None:
    answer = await ask(world, ENDLESS)
    assert code_of(answer) == (503, "QUERY_TIMEOUT")
    assert int(answer.headers["retry-after"]) >= 1


async def test_a_question_that_takes_too_much_memory_is_ended(world: World) -> None:
    assert code_of(await ask(world, LARGE)) == (422, "QUERY_TOO_LARGE")


async def test_beyond_so_many_questions_at_once_the_next_is_told_to_come_again(
    world: World,
) -> None:
    asked = [asyncio.create_task(ask(world, ENDLESS)) for _ in range(80)]
    done, waiting = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    turned_down = done.pop().result()
    assert code_of(turned_down) == (429, "TOO_MANY_QUESTIONS")
    assert int(turned_down.headers["retry-after"]) >= 1
    assert (await ask(world, "SELECT count() FROM events")).json()["data"]["rows"] == [[EVENTS]]


async def test_no_row_of_a_question_that_failed_is_in_the_next_answer(world: World) -> None:
    _, key = await world.other_organization("globex")
    failing = "SELECT event_data.secret, intDiv(1, event_data.n::Int32 - 59) FROM events"
    for _ in range(8):  # more often than there are handles
        assert (await ask(world, failing)).status_code == 422
        mine = await ask(world, "SELECT event_type FROM events", headers=bearer(key))
        assert mine.json()["data"]["rows"] == []
