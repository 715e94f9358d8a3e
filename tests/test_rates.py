"""Rates hold exactly, whichever process a request comes to, and whoever says it comes."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from endu.web import buckets
from endu.web.buckets import STRANGERS_BURST, Buckets
from endu.web.crowd import Reception
from endu.web.proxies import Proxies
from tests.door_world import ORDINARY, Answer, Line, Served, head, line_to, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

BURST = 12
SPENDINGS = st.lists(st.tuples(st.integers(-50, 3_000), st.integers(1, 25)), max_size=40)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    proxied = Reception(proxies=("127.0.0.0/8", "10.0.0.0/8"))
    async with serving(tmp_path_factory.mktemp("rates"), proxied) as opened:
        yield opened


@given(SPENDINGS, st.integers(1, 20), st.integers(1, 20))
async def test_no_more_comes_in_than_the_rate_and_one_burst(
    spendings: list[tuple[int, int]], per_second: int, burst: int
) -> None:
    """In any stretch of time."""
    bucket, now_ms, let_in = Buckets("p"), 1_000_000, list[tuple[int, int]]()
    for passed_ms, wanted in spendings:
        now_ms, count = now_ms + max(0, passed_ms), min(wanted, burst)
        left = bucket.spend("k", count, per_second, burst, now_ms)
        if left is None or left.allowed:
            let_in.append((now_ms, count))
    for first, (begin_ms, _) in enumerate(let_in):
        total = 0
        for end_ms, count in let_in[first:]:
            total += count
            assert total <= burst + (end_ms - begin_ms) * per_second / 1000 + 1e-6


@given(SPENDINGS, st.integers(1, 20), st.integers(1, 20))
async def test_who_waits_as_long_as_told_comes_in(
    spendings: list[tuple[int, int]], per_second: int, burst: int
) -> None:
    bucket, now_ms = Buckets("p"), 1_000_000
    for passed_ms, count in spendings:
        now_ms += passed_ms  # back, too
        left = bucket.spend("k", count, per_second, burst, now_ms)
        if left is not None and not left.allowed:
            now_ms += left.again_seconds * 1000
            later = bucket.spend("k", count, per_second, burst, now_ms)
            assert later is None or later.allowed


async def test_a_bucket_is_its_own_and_what_is_given_back_is_there_again() -> None:
    bucket = Buckets("p")
    for _ in range(2):
        for name in ("a", "b"):
            left = bucket.spend(name, 5, 1, 5, 0)
            assert left is not None and (left.allowed, left.left) == (True, 0)
            again = bucket.spend(name, 5, 1, 5, 0)
            assert again is not None and (again.allowed, again.again_seconds) == (False, 5)
            bucket.give_back(name, 5)


async def test_strangers_are_forgotten_before_they_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(buckets, "NAMES_AT_MOST", 2_000)
    bucket = Buckets("p")
    for number in range(10_000):
        bucket.spend(str(number), 1, 1, 1, 0)
    assert len(bucket._levels) <= 2_000


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.5, 198.51.100.7, 10.9.9.9", "198.51.100.7"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.2"),
        ("::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8::1%eth0", "", "2001:db8::/64"),
        ("10.0.0.1", "unknown", "None"),
        ("", "", "None"),
    ],
)
async def test_forwarded_addresses_are_believed_as_far_as_proxies_wrote_them(
    peer: str, forwarded: str, address: str
) -> None:
    assert Proxies(["10.0.0.0/8"]).address(peer, forwarded) == address


async def test_one_key_has_one_bucket_in_both_processes(served: Served) -> None:
    """Singles at the door, singles behind it, batches, refused ones: all take from it."""
    roads = {"door": b"", "behind": ORDINARY}
    async with limited(served) as key, line_to(served) as line:
        answers = []
        for road in ("door", "behind", "door", "behind"):
            answers.append(await line.ask(as_key(served.request(roads[road]), key)))
        refused = await line.ask(as_key(served.request(event_type="NEVER_REGISTERED"), key))
        batch = await line.ask(as_key(batch_of(served, BURST - 5), key))
        assert [answer.status for answer in answers] == [200] * 4
        assert (refused.status, batch.status) == (422, 200)
        assert batch.headers["ratelimit-policy"] == f'"events";q={BURST};w={BURST}'
        assert batch.headers["ratelimit"].startswith('"events";r=')
        for request in (served.request(), served.request(ORDINARY), batch_of(served, 6)):
            answer = await refusal_of(line, as_key(request, key))
            assert 1 <= int(answer.headers["retry-after"]) <= BURST
            assert json.loads(answer.body)["error"] == "RATE_LIMITED"
        assert (await line.ask(served.request())).status == 200  # another key


async def test_who_is_near_the_limit_is_told_and_nobody_else(served: Served) -> None:
    async with limited(served) as key, line_to(served) as line:
        answers = [await line.ask(as_key(served.request(), key)) for _ in range(BURST)]
        told = ["ratelimit" in answer.headers for answer in answers]
        assert (told[0], told[-1]) == (False, True)
        assert answers[-1].headers["ratelimit"].startswith('"events";r=')
        assert answers[-1].status == 200


async def test_a_batch_that_is_larger_than_the_bucket_comes_in_once(served: Served) -> None:
    async with limited(served) as key, line_to(served) as line:
        large = as_key(batch_of(served, 3 * BURST), key)
        assert (await line.ask(large)).status == 200
        answer = await refusal_of(line, as_key(served.request(), key))
        assert int(answer.headers["retry-after"]) > BURST


async def test_many_bad_batches_are_too_many_as_well(served: Served) -> None:
    async with limited(served) as key, line_to(served) as line:
        broken = as_key(at_batch(served.with_body(b"[{", ORDINARY)), key)
        statuses = [(await line.ask(broken)).status for _ in range(BURST + 3)]
    assert (statuses[0], statuses[-1]) == (400, 429)


@pytest.mark.parametrize("road", [b"", ORDINARY], ids=["at the door", "behind it"])
async def test_who_guesses_keys_is_turned_away_and_others_are_not(
    served: Served, road: bytes
) -> None:
    outcomes = served.world.running.parts.metrics.outcomes
    sender = b"X-Forwarded-For: 198.51.100.%d\r\n" % (1 + len(road))
    body = b"Content-Length: 2\r\n\r\n{}"
    guess = head("endu_sk_guessed", sender + road)[:-2] + body
    async with line_to(served) as line:
        before = outcomes + served.door.counts()
        statuses = [(await line.ask(guess)).status]
        while statuses[-1] == 401:
            statuses.append((await line.ask(guess)).status)
        assert statuses[-1] == 429
        assert len(statuses) > STRANGERS_BURST
        counted = outcomes + served.door.counts() - before
        assert counted == {"UNKNOWN_KEY": len(statuses) - 1, "RATE_LIMITED": 1}
        other = guess.replace(b"198.51.100.", b"198.51.101.")
        assert (await line.ask(other)).status == 401
        assert (await line.ask(served.request(sender + road))).status == 200


async def test_guessing_is_counted_wherever_a_key_is_wanted(served: Served) -> None:
    ask = b"GET /limits HTTP/1.1\r\nX-Forwarded-For: 198.51.102.1\r\n%s\r\n"
    wrong = ask % b"Authorization: Bearer endu_sk_guessed\r\n"
    async with line_to(served) as line:
        for _ in range(STRANGERS_BURST):
            assert (await line.ask(wrong)).status == 401
        refused = await refusal_of(line, wrong)
        assert refused.headers["ratelimit"].startswith('"unknown-keys";r=0')
        allowed = ask % (b"Authorization: Bearer %s\r\n" % served.world.secret.encode())
        assert (await line.ask(allowed)).status == 200


@asynccontextmanager
async def limited(served: Served) -> AsyncIterator[str]:
    """A key of its own, while the organization's keys may record few events."""
    world = served.world
    await world.limits(events_per_second_at_most=1, events_burst_at_most=BURST)
    yield (await world.key(kind="secret"))["key"]
    await world.limits(events_per_second_at_most=100_000, events_burst_at_most=1_000_000)


def as_key(request: bytes, key: str) -> bytes:
    start, _, rest = request.partition(b"Bearer ")
    return start + b"Bearer " + key.encode() + rest[rest.index(b"\r\n") :]


def batch_of(served: Served, count: int) -> bytes:
    return at_batch(served.with_body(json.dumps([served.world.event()] * count).encode()))


def at_batch(request: bytes) -> bytes:
    return request.replace(b"/events/record", b"/events/record/batch", 1)


async def refusal_of(line: Line, request: bytes) -> Answer:
    """The first: meanwhile a second may have passed, and one more have been let in."""
    for _ in range(50):
        answer = await line.ask(request)
        if answer.status == 429:
            return answer
    raise AssertionError("everything is let in")
