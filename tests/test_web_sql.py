"""SQL over HTTP: whose key it is decides whose events there are, in every format."""

import io
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import pytest_asyncio

from tests.web_world import World, bearer, world_on

pytestmark = pytest.mark.asyncio(loop_scope="module")

BROUGHT = "77777777777777777777"  # more than 64 bits have room for


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world_on(tmp_path_factory.mktemp("sql")) as opened:
        await opened.record(event_data={"price": 5})
        await opened.record(event_data={"price": 7}, fingerprint="f1")
        await opened.record(c_user_id=BROUGHT, p_user_id=None, platform_type=None)
        yield opened


async def asked(world: World, sql: str, **more: Any) -> Any:
    body = {"sql": sql, "fresh": True, **more}
    return await world.ask("POST", "/journeys/sql", json=body)


async def refused(world: World, **body: Any) -> dict[str, Any]:
    answer: httpx.Response = await world.client.post("/journeys/sql", json=body)
    said: dict[str, Any] = answer.json()
    assert (answer.status_code, said["error"]) in (
        (400, "INVALID_REQUEST"),
        (422, "INVALID_QUESTION"),
    )
    return said


async def test_a_question_is_answered_with_columns_rows_and_what_was_read(world: World) -> None:
    data = await asked(world, "SELECT event_type, count() AS n FROM events GROUP BY event_type")
    assert data["columns"] == [
        {"name": "event_type", "type": "String"},
        {"name": "n", "type": "UInt64"},
    ]
    assert (data["rows"], data["truncated"]) == ([["BEGIN_EVENT", 3]], False)
    assert data["about"]["rows_read"] >= 3
    assert data["about"]["rules_version"] == 0


async def test_a_c_user_id_is_the_number_that_identities_go_by(world: World) -> None:
    rows = (await asked(world, "SELECT DISTINCT c_user_id FROM events"))["rows"]
    person = await world.who(discord="702877938567086080")
    assert {number for (number,) in rows} == {person["c_user_id"], BROUGHT}
    sql = "SELECT identifiers FROM identities WHERE c_user_id = {n:String}"
    data = await asked(world, sql, parameters={"n": person["c_user_id"]})
    assert data["rows"] == [[["discord:702877938567086080", "fingerprint:f1"]]]
    data = await asked(world, sql, parameters={"n": BROUGHT})
    assert data["rows"] == [[[f"c_user_id:{BROUGHT}"]]]


async def test_a_number_that_is_brought_later_is_seen_too(world: World) -> None:
    await asked(world, "SELECT count() FROM events")
    await world.record(c_user_id="12", p_user_id=None, platform_type=None)
    data = await asked(world, "SELECT count() FROM identities WHERE c_user_id = '12'")
    assert data["rows"] == [[1]]
    await world.record(c_user_id="12", event_data={"joined": True})  # and somebody else's
    data = await asked(world, "SELECT uniq(c_user_id) FROM events WHERE c_user_id = '12'")
    assert data["rows"] == [[1]]


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("ndjson", "application/x-ndjson"), ("csv", "text/csv; header=present; charset=utf-8"),
     ("arrow", "application/vnd.apache.arrow.stream"),
     ("parquet", "application/vnd.apache.parquet")],
)  # fmt: skip
async def test_other_formats_come_as_they_are(world: World, name: str, media_type: str) -> None:
    sql = "SELECT sum(event_data.price::Int64) AS total FROM events"
    answer = await world.client.post("/journeys/sql", json={"sql": sql, "format": name})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type
    assert answer.headers["endu-truncated"] == "false"
    content = answer.content
    read = {
        "ndjson": lambda: answer.json()["total"],
        "csv": lambda: int(answer.text.split("\r\n")[1]),
        "arrow": lambda: pa.ipc.open_stream(content).read_all().to_pylist()[0]["total"],
        "parquet": lambda: pq.read_table(io.BytesIO(content)).to_pylist()[0]["total"],
    }
    assert read[name]() == 12


async def test_another_organization_sees_its_own(world: World) -> None:
    _, key = await world.other_organization("globex")
    body = {"sql": "SELECT count() FROM events", "fresh": True}
    data = await world.ask("POST", "/journeys/sql", json=body, headers=bearer(key))
    assert data["rows"] == [[0]]


async def test_a_key_that_may_only_record_may_not_ask(world: World) -> None:
    body = {"sql": "SELECT 1"}
    answer = await world.client.post("/journeys/sql", json=body, headers=bearer(world.publishable))
    assert answer.status_code == 403


async def test_what_is_refused_says_where_it_stands(world: World) -> None:
    said = await refused(world, sql="SELECT 1,\n  hostName()")
    (problem,) = said["data"]["problems"]
    assert (said["error"], problem["path"]) == ("INVALID_QUESTION", "sql")
    assert "hostName is not allowed (line 2, column 3)" in problem["message"]
    said = await refused(world, sql="SELECT {a:UInt8}", parameters={"a": 300})
    assert said["data"]["problems"][0]["path"] == "parameters.a"
    await refused(world, sql="SELECT 1", format="xlsx")
    await refused(world, sql="SELECT 1", settings={})
    await refused(world, sql="SELECT 1" + " " * 20_000)


async def test_what_takes_too_long_or_too_much_is_ended(world: World) -> None:
    sql = "SELECT length(arrayJoin([groupArray(x)])) FROM (SELECT arrayJoin(range(50000000)) AS x)"
    answer = await world.client.post("/journeys/sql", json={"sql": sql})
    assert (answer.status_code, answer.json()["error"]) == (422, "QUERY_TOO_LARGE")
    assert (await asked(world, "SELECT 1"))["rows"] == [[1]]
