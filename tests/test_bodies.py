"""Bodies: what may wait to be unpacked is bounded, and a bomb costs no more than its limit."""

import asyncio
import gzip
import os
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from endu.refusals import Reason, Refusal
from endu.web.body import Bodies

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LIMIT = 2 * 1024 * 1024
GZIP = {b"content-encoding": b"gzip"}
BOMB = gzip.compress(bytes(100_000_000), 9)
LARGE = os.urandom(300_000)  # does not pack: it stays large while it waits
PACKED = gzip.compress(LARGE)


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


async def read(bodies: Bodies, packed: bytes, whose: str = "A", encoding: bytes = b"gzip") -> bytes:
    async def receive() -> Any:
        return {"type": "http.request", "body": packed, "more_body": False}

    return await bodies.read(receive, {b"content-encoding": encoding}, LIMIT, whose)


async def outcome(bodies: Bodies, packed: bytes, whose: str = "A") -> Reason | bytes:
    try:
        return await read(bodies, packed, whose)
    except Refusal as refusal:
        return refusal.reason


async def test_many_bombs_at_once_take_less_memory_than_the_limit_of_one() -> None:
    bodies = Bodies(packed_bytes_at_most=40 * len(BOMB))
    tracemalloc.start()
    try:
        outcomes = await asyncio.gather(*(outcome(bodies, BOMB) for _ in range(20)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert outcomes == [Reason.TOO_LARGE] * 20
    assert peak < LIMIT


@pytest.mark.parametrize("packed", [gzip.compress, zlib.compress, raw_deflate, zstd.compress])
async def test_a_body_of_many_pieces_comes_out_as_it_went_in(
    packed: Callable[[bytes], bytes],
) -> None:
    body = os.urandom(2_000) * 1_000
    name = {gzip.compress: b"gzip", zstd.compress: b"zstd"}.get(packed, b"deflate")
    assert await read(Bodies(), packed(body), encoding=name) == body


async def test_a_bomb_that_is_small_does_not_hold_the_loop() -> None:
    bomb = gzip.compress(bytes(20_000_000), 9)
    reading = asyncio.create_task(outcome(Bodies(), bomb))
    await asyncio.sleep(0)
    assert not reading.done()  # a thread is at it
    assert await reading is Reason.TOO_LARGE


async def test_where_too_much_waits_to_be_unpacked_it_is_to_be_sent_again() -> None:
    bodies = Bodies(packed_bytes_at_most=4 * len(PACKED))
    outcomes = await asyncio.gather(*(outcome(bodies, PACKED) for _ in range(5)))
    assert outcomes == [LARGE, LARGE] + [Reason.RATE_LIMITED] * 3
    assert await read(bodies, PACKED) == LARGE


async def test_who_sends_too_much_takes_no_room_from_others() -> None:
    bodies = Bodies(packed_bytes_at_most=4 * len(PACKED))
    whose = ["A"] * 5 + ["B"] * 2 + ["C"] * 2
    outcomes = await asyncio.gather(*(outcome(bodies, PACKED, each) for each in whose))
    refused = Reason.RATE_LIMITED
    assert outcomes[:5] == [LARGE, LARGE, refused, refused, refused]
    assert outcomes[5:7] == [LARGE, LARGE]
    assert outcomes[7:] == [LARGE, refused]  # everybody can have one there


async def test_a_body_counts_from_its_first_byte() -> None:
    bodies = Bodies(packed_bytes_at_most=len(PACKED))
    second, third = asyncio.Event(), asyncio.Event()

    async def receive_in_two() -> Any:
        if not second.is_set():
            second.set()
            return {"type": "http.request", "body": PACKED[:9], "more_body": True}
        await third.wait()
        return {"type": "http.request", "body": PACKED[9:], "more_body": False}

    slow = asyncio.create_task(bodies.read(receive_in_two, GZIP, LIMIT, "A"))
    await second.wait()
    await asyncio.sleep(0)
    assert await outcome(bodies, PACKED) is Reason.RATE_LIMITED
    third.set()
    assert await slow == LARGE


async def test_what_is_not_packed_has_bounded_room_too() -> None:
    bodies = Bodies(plain_bytes_at_most=4 * len(LARGE))
    ends = asyncio.Event()

    def in_two() -> Any:
        pieces = [(LARGE, True), (b"", False)]

        async def receive() -> Any:
            body, more = pieces.pop(0)
            if not more:
                await ends.wait()
            return {"type": "http.request", "body": body, "more_body": more}

        return receive

    reading = [asyncio.create_task(bodies.read(in_two(), {}, LIMIT, "A")) for _ in range(5)]
    refused, _ = await asyncio.wait(reading, timeout=1, return_when=asyncio.FIRST_EXCEPTION)
    ends.set()
    outcomes = await asyncio.gather(*reading, return_exceptions=True)
    assert [each for each in outcomes if not isinstance(each, Refusal)] == [LARGE, LARGE]
    assert len(refused) == 3


async def test_one_body_is_unpacked_however_little_may_wait() -> None:
    assert await read(Bodies(packed_bytes_at_most=1), PACKED) == LARGE


async def test_nothing_is_read_of_a_body_that_says_it_is_too_large() -> None:
    async def receive() -> Any:
        raise AssertionError("it was read")

    with pytest.raises(Refusal) as refused:
        await Bodies().read(receive, {b"content-length": b"99999999999"}, LIMIT)
    assert refused.value.reason is Reason.TOO_LARGE
    assert refused.value.data["size"] == 99_999_999_999
