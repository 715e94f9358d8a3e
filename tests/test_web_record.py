"""POST /events/record over HTTP: who may, what comes back, how large it may be."""

import gzip
import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from backports import zstd

from tests.web_world import World, bearer, world_on

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = {"Origin": "https://shop.example"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world_on(tmp_path_factory.mktemp("record")) as opened:
        yield opened


async def test_an_accepted_event_is_an_empty_200_with_its_record_id(world: World) -> None:
    answer = await world.record()
    assert (answer.status_code, answer.content) == (200, b"")
    assert len(answer.headers["endu-record-id"]) == 22
    assert "endu-warning" not in answer.headers
    assert "access-control-allow-origin" not in answer.headers


async def test_what_is_worth_knowing_comes_as_codes(world: World) -> None:
    blockchain = {"chain_type": "solana", "chain_account": "0x0"}
    answer = await world.record(blockchain=blockchain, fingerprint="undefined")
    codes = set(answer.headers["endu-warning"].split(", "))
    assert codes == {"CHAIN_ACCOUNT_FORMAT", "BLOCKED_IDENTIFIER"}


async def test_the_same_message_is_stored_once_by_field_or_by_header(world: World) -> None:
    first = await world.record(message_id="m-1")
    again = await world.record(message_id="m-1")
    by_header = await world.client.post(
        "/events/record", json=world.event(), headers={"Idempotency-Key": "m-1"}
    )
    ids = {answer.headers["endu-record-id"] for answer in (first, again, by_header)}
    assert len(ids) == 1


async def test_a_refusal_is_an_envelope_and_names_the_failed_event(world: World) -> None:
    answer = await world.record(event_type="NEVER_REGISTERED")
    said = answer.json()
    assert (answer.status_code, said["error"]) == (422, "UNKNOWN_EVENT_TYPE")
    assert (said["success"], len(said["data"]["failed_event_id"])) == (False, 22)


async def test_all_of_a_broken_event_is_told_at_once(world: World) -> None:
    answer = await world.record(timestamp="soon", property_id="")
    paths = {problem["path"] for problem in answer.json()["data"]["problems"]}
    assert (answer.status_code, paths) == (422, {"timestamp", "property_id"})


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Authorization": ""}, 401, "UNKNOWN_KEY"),
        ({"Authorization": "Bearer"}, 401, "UNKNOWN_KEY"),
        ({"Authorization": "Basic dXNlcjpwYXNz"}, 401, "UNKNOWN_KEY"),
        (bearer("endu_sk_abc"), 401, "UNKNOWN_KEY"),
        (bearer("\u00e9\u00ff"), 401, "UNKNOWN_KEY"),
    ],
)
async def test_without_a_live_key_nothing_is_taken(
    world: World, headers: dict[str, str], status: int, code: str
) -> None:
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = await world.client.post("/events/record", json=world.event(), headers=raw)
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_cut_key_is_told_from_an_unknown_one(world: World) -> None:
    event = world.event()
    cut = await world.client.post("/events/record", json=event, headers=bearer(world.secret[:-3]))
    assert "not a whole API key" in cut.json()["error_text"]


async def test_a_revoked_key_is_dead_for_the_next_request(world: World) -> None:
    key = await world.key(kind="secret")
    headers = bearer(key["key"])
    assert (
        await world.client.post("/events/record", json=world.event(), headers=headers)
    ).is_success
    await world.ask("DELETE", f"/keys/{key['key_id']}")
    refused = await world.client.post("/events/record", json=world.event(), headers=headers)
    assert (refused.status_code, refused.json()["error"]) == (401, "UNKNOWN_KEY")


async def test_a_key_without_the_scope_records_nothing(world: World) -> None:
    key = await world.key(kind="secret", scopes=["read"])
    headers = bearer(key["key"])
    for path, body in (("/events/record", world.event()), ("/events/record/batch", [])):
        refused = await world.client.post(path, json=body, headers=headers)
        assert (refused.status_code, refused.json()["error"]) == (403, "KEY_NOT_ALLOWED")


async def test_another_organizations_event_is_refused(world: World) -> None:
    answer = await world.record(organization_id="848WN4oEUgisKrV9dY9Ni6")
    assert (answer.status_code, answer.json()["error"]) == (403, "WRONG_ORGANIZATION")


async def test_the_operator_records_for_the_organization_it_names(world: World) -> None:
    other, _ = await world.other_organization("operated")
    headers = {**bearer(world.operator), "Endu-Organization": other}
    event = world.event(organization_id=other)
    assert (await world.client.post("/events/record", json=event, headers=headers)).is_success
    headers["Endu-Organization"] = "nobody"
    refused = await world.client.post("/events/record", json=event, headers=headers)
    assert (refused.status_code, refused.json()["error"]) == (404, "NOT_FOUND")


async def without_headers(world: World, path: str, content: bytes, **headers: str) -> Any:
    """As a beacon sends it: no Authorization."""
    request = world.client.build_request("POST", path, content=content, headers=headers)
    del request.headers["authorization"]
    return await world.client.send(request)


async def test_a_publishable_key_may_be_in_the_body(world: World) -> None:
    event = world.event(api_key=world.publishable)
    text = json.dumps(event).replace("{", "{ // from a page\n", 1).encode()
    kept = await without_headers(world, "/events/record", text)
    assert (kept.status_code, kept.headers["endu-warning"]) == (200, "NON_STRICT_JSON")
    lines = json.dumps(event).encode() + b"\n" + json.dumps(world.event()).encode()
    for body in (lines, json.dumps([event]).encode()):
        batch = await without_headers(world, "/events/record/batch", body)
        assert batch.json()["data"]["results"][0]["result"] == "ok"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"api_key": 1}', b'{"api_key": ""}', b"\xff"])
async def test_a_body_without_a_key_is_nobodys(world: World, body: bytes) -> None:
    for path in ("/events/record", "/events/record/batch"):
        answer = await without_headers(world, path, body)
        assert (answer.status_code, answer.json()["error"]) == (401, "UNKNOWN_KEY")


async def test_a_secret_key_does_not_belong_into_a_body(world: World) -> None:
    body = json.dumps(world.event(api_key=world.secret)).encode()
    answer = await without_headers(world, "/events/record", body)
    assert (answer.status_code, answer.json()["error"]) == (403, "KEY_NOT_ALLOWED")


async def test_a_key_serves_only_its_origins(world: World) -> None:
    key = await world.key(kind="publishable", origins=["https://Shop.example"])
    headers = bearer(key["key"])
    served = await world.client.post(
        "/events/record", json=world.event(), headers={**headers, **PAGE}
    )
    assert served.status_code == 200
    assert served.headers["access-control-allow-origin"] == "*"
    assert "endu-record-id" in served.headers["access-control-expose-headers"]
    for origin in ({"Origin": "https://evil.example"}, {}):
        refused = await world.client.post(
            "/events/record", json=world.event(), headers={**headers, **origin}
        )
        assert (refused.status_code, refused.json()["error"]) == (403, "KEY_NOT_ALLOWED")


@pytest.mark.parametrize("path", ["/events/record", "/events/record/batch"])
async def test_pages_may_ask_before_they_send(world: World, path: str) -> None:
    asked = await world.client.options(
        path, headers={**PAGE, "Access-Control-Request-Method": "POST"}
    )
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == "*"
    assert "authorization" in asked.headers["access-control-allow-headers"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/events/record", "/events/record/batch"])
async def test_other_methods_are_told_which_one_is_right(
    world: World, method: str, path: str
) -> None:
    answer = await world.client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "OPTIONS, POST")
    if method != "HEAD":
        assert answer.json()["error"] == "METHOD_NOT_ALLOWED"


PACKERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstd.compress,
    "identity": bytes,
}


@pytest.mark.parametrize("encoding", PACKERS)
async def test_packed_bodies_are_read(world: World, encoding: str) -> None:
    body = PACKERS[encoding](json.dumps(world.event()).encode())
    answer = await world.client.post(
        "/events/record", content=body, headers={"Content-Encoding": encoding}
    )
    assert answer.status_code == 200


async def test_deflate_without_its_head_is_read_too(world: World) -> None:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    body = packer.compress(json.dumps(world.event()).encode()) + packer.flush()
    answer = await world.client.post(
        "/events/record", content=body, headers={"Content-Encoding": "deflate"}
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
async def test_a_bomb_costs_no_more_than_the_limit(world: World, encoding: str) -> None:
    bomb = PACKERS[encoding](b" " * 10_000_000)
    answer = await world.client.post(
        "/events/record", content=bomb, headers={"Content-Encoding": encoding}
    )
    said = answer.json()
    assert (answer.status_code, said["error"]) == (413, "TOO_LARGE")
    assert said["data"] == {"field": "body", "size": None, "limit": 32 * 1024}


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
async def test_a_packed_body_that_is_not_whole_is_refused(world: World, encoding: str) -> None:
    whole = PACKERS[encoding](json.dumps(world.event()).encode())
    for body in (whole[:-5], whole + b"more", b"", b"\x00\x01nonsense"):
        answer = await world.client.post(
            "/events/record", content=body, headers={"Content-Encoding": encoding}
        )
        assert (answer.status_code, answer.json()["error"]) == (400, "INVALID_REQUEST")


async def test_an_encoding_that_nobody_knows_is_refused(world: World) -> None:
    for encoding in ("br", "gzip, gzip"):
        answer = await world.client.post(
            "/events/record", content=b"", headers={"Content-Encoding": encoding}
        )
        assert (answer.status_code, answer.json()["error"]) == (415, "UNSUPPORTED_ENCODING")
