"""Health, metrics, the description of the API, and answers to what no endpoint expects."""

import json
import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from msgspec import structs

from endu.refusals import Reason, Refusal
from endu.web.api import every_endpoint, http_face
from endu.web.parts import Parts
from endu.web.recording import RECORD, RECORD_BATCH
from tests.web_world import World, world_on

pytestmark = pytest.mark.asyncio(loop_scope="module")

DOCS = Path(__file__).parent.parent / "docs"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world_on(tmp_path_factory.mktemp("operating")) as opened:
        yield opened


def face_of(parts: Parts) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=http_face(parts))
    return httpx.AsyncClient(transport=transport, base_url="http://endu")


def no_space() -> Refusal:
    return Refusal(Reason.DISK_FULL, "One megabyte is free.", retry_after_seconds=5)


async def test_health_needs_no_key_and_says_why_not(world: World) -> None:
    live, ready = [await world.client.get(f"/health/{which}") for which in ("live", "ready")]
    assert (live.json()["data"], ready.json()["data"]) == ({"status": "live"}, {"status": "ready"})
    sick = structs.replace(world.running.parts, why_not_ready=no_space)
    async with face_of(sick) as client:
        answer = await client.get("/health/ready")
    assert (answer.status_code, answer.json()["error"]) == (503, "DISK_FULL")
    assert answer.json()["error_text"] == "One megabyte is free."
    assert answer.headers["retry-after"] == "5"


async def test_metrics_count_what_became_of_events(world: World) -> None:
    await world.record()
    await world.record(event_type="NEVER_REGISTERED")
    await world.client.get("/limits")
    answer = await world.client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    counts = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if line[0] != "#")
    assert counts['endu_events_total{outcome="accepted"}'] == "1.0"
    assert counts['endu_events_total{outcome="UNKNOWN_EVENT_TYPE"}'] == "1.0"
    assert counts['endu_requests_total{endpoint="get_limits",status="200"}'] == "1.0"


async def test_what_is_not_there_is_told_in_the_envelope(world: World) -> None:
    for path in ("/", "/events", "/no/such", "/events/record/", "/identities/1/nothing"):
        answer = await world.client.post(path, json={})
        assert answer.json()["error"] in ("NOT_FOUND", "METHOD_NOT_ALLOWED")
        assert answer.json()["success"] is False
    wrong = await world.client.delete("/limits")
    allowed = set(wrong.headers["allow"].split(", "))
    assert (wrong.status_code, allowed) == (405, {"GET", "OPTIONS"})


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=ten", "limit"),
        ("limit=1&limit=2", "limit"),
        ("fresh=maybe", "fresh"),
        ("cursor=nonsense", "cursor"),
        ("cursor=", "cursor"),
        ("curser=x", ""),
        ("limit=%ff", ""),
    ],
)
async def test_a_misspelt_question_is_an_error(world: World, query: str, path: str) -> None:
    answer = await world.client.get(f"/event-types?{query}")
    said = answer.json()
    assert (answer.status_code, said["error"]) == (400, "INVALID_REQUEST")
    assert [problem["path"] for problem in said["data"].get("problems", [{"path": ""}])] == [path]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "MALFORMED_JSON"),
        (b"{", "MALFORMED_JSON"),
        (b'{"a": "\xff"}', "MALFORMED_JSON"),
        (b'{"a": "\\ud800"}', "MALFORMED_JSON"),
        (b"[" * 100_000, "INVALID_REQUEST"),
        (b'{"a": "discord:1"}', "INVALID_REQUEST"),
        (b'{"a": 1, "b": "x"}', "INVALID_REQUEST"),
        (b"[]", "INVALID_REQUEST"),
        (b" " * 300_000, "TOO_LARGE"),
    ],
)
async def test_a_body_that_cannot_be_read_is_an_error(world: World, body: bytes, code: str) -> None:
    answer = await world.client.post("/identities/explain", content=body)
    assert answer.json()["error"] == code
    assert answer.status_code == Reason[code].status


@pytest.mark.parametrize(
    ("levels", "code"),
    [(30_000, "MALFORMED_JSON"), (900, "INVALID_SCHEMA"), (200, "INVALID_SCHEMA")],
)
async def test_a_deep_body_is_refused_in_time(world: World, levels: int, code: str) -> None:
    deep = b'{"a":' * levels + b'"string"' + b"}" * levels
    body = b'{"event_type": "DEEP", "event_display_name": "", "event_data_schema": %s}' % deep
    answer = await world.client.post("/events/create/eventid", content=body)
    assert answer.status_code < 500
    assert answer.json()["error"] == code


class BrokenRules:
    """A part that fails in a way that nobody foresaw."""

    async def all(self, organization_id: str) -> None:
        raise ZeroDivisionError(f"a mistake about {organization_id}")


async def test_our_own_mistakes_are_told_with_an_id_that_the_log_has(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    broken = structs.replace(world.running.parts, rules=BrokenRules(), recorder=None)
    headers = {"Authorization": f"Bearer {world.secret}"}
    async with face_of(broken) as client:
        for method, path in (("GET", "/rules"), ("POST", "/events/record")):
            caplog.clear()
            answer = await client.request(method, path, headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (500, "INTERNAL")
            assert answer.json()["data"]["request_id"] in caplog.text
            assert "Traceback" in caplog.text
            assert world.secret not in caplog.text


class Fetches(HTMLParser):
    """Everything on a page that a browser would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "img", "link", "iframe", "object", "embed"):
            self.found.append(tag)
        self.found += [f"{name}={value}" for name, value in attrs if name == "src"]
        self.found += [name for name, _ in attrs if name.startswith("on")]


async def test_the_page_of_docs_loads_nothing_and_names_every_endpoint(world: World) -> None:
    answer = await world.client.get("/docs")
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    page = Fetches()
    page.feed(answer.text)
    assert page.found == []
    assert "url(" not in answer.text
    for described in (RECORD, RECORD_BATCH, *(each.description for each in every_endpoint())):
        assert f"<code>{described.path}</code>" in answer.text


def headings(document: str, level: int) -> set[str]:
    return set(re.findall(rf"^{'#' * level} (.+)$", (DOCS / document).read_text(), re.MULTILINE))


async def test_every_error_has_a_paragraph() -> None:
    assert headings("errors.md", 3) == {reason.name for reason in Reason}
    for reason in Reason:
        paragraph = (DOCS / "errors.md").read_text().partition(f"### {reason.name}\n")[2]
        assert paragraph.startswith(f"{reason.status}")
        assert len(paragraph.partition("\n\n")[0]) > 80


async def test_every_endpoint_is_in_the_documents() -> None:
    described = [RECORD, RECORD_BATCH, *(each.description for each in every_endpoint())]
    assert headings("api.md", 3) == {f"{each.method} {each.path}" for each in described}


async def test_examples_of_json_in_the_documents_are_json() -> None:
    for document in ("api.md", "errors.md"):
        for block in re.findall(r"```json\n(.*?)```", (DOCS / document).read_text(), re.DOTALL):
            assert isinstance(json.loads(block), dict | list)
