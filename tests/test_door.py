"""The door: the same answers as the whole HTTP face gives, in order, to everybody."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from endu.stores.sqlite import connect
from tests.door_world import ORDINARY, Served, head, is_let_in, line, line_to, serving
from tests.running import running

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOBODY = {"p_user_id": None, "platform_type": None}
WALLET = {"chain_type": "ethereum", "chain_account": "0x6b175474e89094c44da98b954eedeac495271d0f"}
VARIATIONS: list[dict[str, Any]] = [
    {},
    {**NOBODY, "blockchain": WALLET},
    {"blockchain": WALLET},
    {**NOBODY, "fingerprint": "DPxGQ6tsZU3wGGZPJhDa"},
    {"c_user_id": "7316394029362"},
    {"fingerprint": "undefined"},
    {"message_id": "m-1"},
    {"event_type": "NEVER_REGISTERED"},
    {"organization_id": "848WN4oEUgisKrV9dY9Ni6"},
    {"timestamp": "soon", "property_id": ""},
    {"event_data": {"text": "x" * 40_000}},
]
METRICS = b"GET /metrics HTTP/1.1\r\nHost: endu\r\n\r\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with serving(tmp_path_factory.mktemp("door")) as opened:
        yield opened


@pytest.mark.parametrize("event", VARIATIONS, ids=lambda event: " ".join(event) or "base")
async def test_the_door_answers_as_the_http_face_does(
    served: Served, event: dict[str, Any]
) -> None:
    request = served.request(**event)
    async with line_to(served) as line:
        await line.ask(served.request(ORDINARY, **event))  # adopts a number, uses a message_id
        ordinary = await line.ask(served.request(ORDINARY, **event))
        for _ in range(2):  # a head that is parsed, then one that is known
            assert (await line.ask(request)).shape == ordinary.shape
        assert (await line.ask(request[:50], request[50:-9], request[-9:])).shape == ordinary.shape


async def test_the_usual_event_goes_no_further_than_the_door(served: Served) -> None:
    async with line_to(served) as line:
        await line.ask(served.request())
        before = served.face.asked
        for name in ("1", "22", "333"):  # the same head with other lengths
            assert (await line.ask(served.request(fingerprint=name))).status == 200
        for said in (b"Connection: keep-alive\r\n", b"connection: Keep-Alive\r\n"):
            assert (await line.ask(served.request(said))).status == 200
        request = served.request()
        pieces = [request[start : start + 9] for start in range(0, len(request), 9)]
        assert (await line.ask(*pieces)).status == 200
        assert served.face.asked == before


async def test_heads_may_change_from_request_to_request(served: Served) -> None:
    other = b"X-Trace: 1\r\n"
    async with line_to(served) as line:
        await line.ask(served.request())
        await line.ask(served.request(other))
        before = served.face.asked
        for more in (b"", other, b"", b"", other, other):
            assert (await line.ask(served.request(more, p_user_id="4711"))).status == 200
        unlike = served.request().replace(b"/events/record ", b"/events/records ")
        assert (await line.ask(unlike)).status == 404
    assert served.face.asked == before + 1


async def test_what_is_sent_is_what_is_kept(served: Served) -> None:
    inbox = served.world.running.parts.inbox
    async with line_to(served) as line:
        for name in ("one", "three"):
            before = inbox.end
            await line.ask(served.request(event_data={"name": name}))
            (found,) = await inbox.take(before, 1)
            assert b'{"name":"%s"}' % name.encode() in found.record


@pytest.mark.parametrize("order", ["ss", "so", "os", "sos", "oso", "ssss", "soos"])
async def test_pipelined_requests_are_answered_in_their_order(served: Served, order: str) -> None:
    roads = {"s": b"", "o": ORDINARY}
    wanted = [(200, 422)[place % 2] for place in range(len(order))]
    types = {200: "BEGIN_EVENT", 422: "NEVER_REGISTERED"}
    requests = [
        served.request(roads[road], event_type=types[status])
        for road, status in zip(order, wanted, strict=True)
    ]
    async with line_to(served) as line:
        await line.ask(served.request())
        for pieces in ([b"".join(requests)], requests):
            await line.send(*pieces)
            assert [(await line.answer()).status for _ in order] == wanted


async def test_a_refusal_has_the_envelope_and_is_counted_once(served: Served) -> None:
    outcomes = served.world.running.parts.metrics.outcomes
    async with line_to(served) as line:
        before = outcomes + served.door.counts()
        refused = await line.ask(served.request(event_type="NEVER_REGISTERED"))
        await line.ask(served.request())
    said = json.loads(refused.body)
    assert (said["success"], said["error"]) == (False, "UNKNOWN_EVENT_TYPE")
    assert len(said["data"]["failed_event_id"]) == 22
    assert outcomes + served.door.counts() - before == {"UNKNOWN_EVENT_TYPE": 1, "accepted": 1}


async def test_a_chunked_body_is_read(served: Served) -> None:
    body = json.dumps(served.world.event()).encode()
    chunks = b"%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (9, body[:9], len(body) - 9, body[9:])
    async with line_to(served) as line:
        assert (
            await line.ask(served.head(b"Transfer-Encoding: chunked\r\n") + chunks)
        ).status == 200


async def test_who_wants_no_more_is_let_go(served: Served) -> None:
    async with line_to(served) as line:
        answer = await line.ask(served.request(b"Connection: close\r\n"))
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert await line.is_closed()
    async with line_to(served) as line:
        old = served.request().replace(b"HTTP/1.1", b"HTTP/1.0", 1)
        assert (await line.ask(old)).headers["connection"] == "close"


async def test_a_length_that_is_too_small_is_no_event(served: Served) -> None:
    """What is left of the body is no request: uvicorn says that, and closes."""
    for road in (b"", ORDINARY):
        request = served.request(road)
        length = len(request.partition(b"\r\n\r\n")[2])
        cut = request.replace(b"Length: %d" % length, b"Length: %d" % (length - 5))
        async with line_to(served) as line:
            await line.ask(request)
            assert (await line.ask(cut)).status == 400
            assert await line.is_closed()


async def test_a_length_that_is_too_great_keeps_nothing(served: Served) -> None:
    inbox = served.world.running.parts.inbox
    async with line_to(served) as line:
        await line.ask(served.request())
        end = inbox.end
        await line.send(served.request()[:-1])
        line.end()
        assert await line.is_closed()
        assert inbox.end == end


async def test_who_hangs_up_has_recorded_all_the_same(served: Served) -> None:
    inbox = served.world.running.parts.inbox
    end = inbox.end
    async with line_to(served) as line:
        await line.send(served.request())
    await asyncio.wait_for(inbox.arrival(end), 5)


async def test_a_revoked_key_is_dead_on_a_known_head(served: Served) -> None:
    key = await served.world.key(kind="secret")
    request = served.request().replace(served.world.secret.encode(), key["key"].encode())
    async with line_to(served) as line:
        assert [(await line.ask(request)).status for _ in range(2)] == [200, 200]
        await served.world.ask("DELETE", f"/keys/{key['key_id']}")
        assert (await line.ask(request)).status == 401


async def test_an_event_type_can_be_sent_as_soon_as_it_is_registered(served: Served) -> None:
    async with line_to(served) as line:
        for letter in "ABCDEFGH":
            name = f"TYPE_{letter}"
            assert (await line.ask(served.request(event_type=name))).status == 422
            body = {"event_type": name, "event_display_name": name}
            await served.world.ask("POST", "/events/create/eventid", json=body)
            before = served.face.asked
            assert (await line.ask(served.request(event_type=name))).status == 200
            assert served.face.asked == before


async def test_a_number_that_is_known_is_known_at_the_door(served: Served) -> None:
    async with line_to(served) as line:
        first = await line.ask(served.request(c_user_id="900719925474"))
        assert first.headers["endu-warning"] == "NEW_C_USER_ID"
        await served.world.timeline("900719925474")  # it has settled now
        before = served.face.asked
        again = await line.ask(served.request(c_user_id="900719925474"))
        assert (again.status, "endu-warning" in again.headers) == (200, False)
        assert served.face.asked == before


async def test_who_asks_for_a_while_without_listening_is_answered_then(served: Served) -> None:
    request, sent, answered = served.request(), 0, 0
    async with line_to(served) as line:
        try:
            async with asyncio.timeout(0.2):
                while True:
                    sent += 1
                    await line.send(request)
        except TimeoutError:
            pass
        while answered < sent:
            answered += await line.answers()


async def test_who_sends_far_ahead_is_answered_by_whoever_takes_over(served: Served) -> None:
    """The door reads much more at once than the whole HTTP face would, and hands all of it over."""
    ahead = 600
    async with line_to(served) as line:
        await line.send(served.request(ORDINARY) * ahead)
        answered = 0
        while answered < ahead:
            answered += await line.answers()


async def test_what_could_not_be_kept_is_to_be_sent_again(served: Served) -> None:
    async with line_to(served) as line:
        await line.ask(served.request())
        with closing(connect(served.log)) as other:
            other.execute(
                "CREATE TRIGGER full BEFORE INSERT ON frames BEGIN SELECT raise(FAIL, 'full'); END"
            )
            refused = await line.ask(served.request())
            other.execute("DROP TRIGGER full")
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert json.loads(refused.body)["error"] == "NOT_DURABLE"
        assert (await line.ask(served.request())).status == 200


async def test_what_is_on_its_way_when_the_server_is_told_to_stop_is_answered(
    tmp_path: Path,
) -> None:
    """The log is held until nobody is let in any more; a door that had to wait for it once does not
    stand still for it again."""
    with running(tmp_path) as server:
        event = {"organization_id": server.organization_id, "property_id": "p", "timestamp": "1"}
        body = json.dumps({**event, "event_type": "BEGIN_EVENT", "fingerprint": "a1b2"}).encode()
        key, length = server.secret_key, b"Content-Length: %d\r\n" % len(body)
        port = int(server.address.rpartition(":")[2])
        async with line(port) as first, line(port) as second, line(port) as third:
            with closing(connect(tmp_path / "inbox.db")) as other:
                other.execute("BEGIN IMMEDIATE")
                await first.send(head(key, length) + body)
                await asyncio.sleep(0.1)
                other.execute("ROLLBACK")
                assert (await first.answer()).status == 200
                other.execute("BEGIN IMMEDIATE")
                await first.send(head(key, length) + body)
                await second.send(head(key, ORDINARY + length) + body)
                await third.ask(METRICS)  # what was sent before that has been read now
                server.stop()
                while await is_let_in(port):
                    await asyncio.sleep(0.005)
                other.execute("ROLLBACK")
            for each in (first, second):
                assert (await each.answer()).status == 200
                assert await each.is_closed()
