"""The log of the process: for people or machines, with ids of requests, never with keys."""

import json
import logging
from pathlib import Path

import httpx
import pytest
from msgspec import structs

from endu.logs import JsonLines
from endu.web.api import http_face
from endu.web.exchange import Exchange
from tests.running import CLEAN, endu
from tests.web_world import bearer, world_on


async def test_every_answer_of_the_http_face_names_its_request(tmp_path: Path) -> None:
    async with world_on(tmp_path) as world:
        given = await world.client.get("/limits", headers={"Endu-Request-Id": "from-a-proxy-1"})
        assert given.headers["endu-request-id"] == "from-a-proxy-1"
        for bad in ("short", "x" * 65, "two words here", "a\tb-and-more"):
            answer = await world.client.get("/no/such", headers={"Endu-Request-Id": bad})
            assert len(answer.headers["endu-request-id"]) == 22
        assert "endu-request-id" in (await world.record(event_type="UNKNOWN")).headers
        kept = await world.record()
        assert "endu-record-id" in kept.headers


class Broken:
    async def all(self, organization_id: str) -> None:
        raise ZeroDivisionError


async def test_a_request_that_fails_is_one_line_of_json_without_a_key(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with world_on(tmp_path) as world:
        parts = structs.replace(world.running.parts, rules=Broken())
        transport = httpx.ASGITransport(app=http_face(parts))
        async with httpx.AsyncClient(transport=transport, base_url="http://endu") as client:
            caplog.clear()
            answer = await client.get("/rules?limit=7", headers=bearer(world.secret))
        assert answer.status_code == 500
        lines = [JsonLines().format(record) for record in caplog.records]
        assert world.secret not in "".join(lines)
    said = [json.loads(line) for line in lines if "request" in line]
    assert {each["request_id"] for each in said} == {answer.headers["endu-request-id"]}
    assert said[0]["trace"].endswith("ZeroDivisionError")
    assert (said[-1]["path"], said[-1]["status"], said[-1]["level"]) == ("/rules", 500, "warning")
    assert answer.json()["data"]["request_id"] == said[0]["request_id"]


async def test_a_request_that_takes_long_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    times = iter([0.0, 7.5, 7.5])

    async def send(message: object) -> None:
        pass

    scope = {"type": "http", "method": "GET", "path": "/events", "headers": []}
    exchange = Exchange(scope, send, lambda: "an-id-of-its-own", lambda: next(times))
    await exchange.send({"type": "http.response.start", "status": 200})
    with caplog.at_level(logging.WARNING):
        exchange.end()
    assert "an-id-of-its-own: GET /events answered 200 after 7.500 s" in caplog.text


def test_a_format_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    given = {**CLEAN, "ENDU_LOG_FORMAT": "xml"}
    said = endu("up", "--data", str(tmp_path / "data"), env=given)
    assert said.returncode == 2
    assert "text or json" in said.stderr
