"""(j) What hostile connections cost: resident memory of both processes, and the others' p99.

    python -m benchmarks.hostile --seconds 10

One kind of attack after the other, each from many connections: heads without an end, header floods,
bodies without an end, bombs, connections that are half open. First with nobody else there: the most
that is resident meanwhile, beyond what was before. Then beside a steady sender: its p99, and the
one without an attack, right before. The store takes and gives back more memory for that sender than
any attack costs, so the two are not measured at once.
"""

import argparse
import asyncio
import gzip
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import repeat
from multiprocessing import get_context
from operator import sub
from pathlib import Path
from statistics import median
from typing import NamedTuple

import uvloop

from benchmarks.flood import requests_of, steady
from benchmarks.servers import Target, endu

CONNECTIONS = 200
HALF_OPEN = 800
REST_SECONDS = 6  # after five, the store's allocator gives back what is free
LOOK_SECONDS = 0.05

POST = b"POST /events/record HTTP/1.1\r\nHost: endu\r\nAuthorization: Bearer %s\r\n"
BATCH = POST.replace(b"/record", b"/record/batch")
BOMB = gzip.compress(b" " * 100_000_000, 9)


class Cost(NamedTuple):
    """Megabytes of each process, and the steady sender's p99 without the attack and beside it."""

    behind_mb: float
    door_mb: float
    alone_ms: float
    beside_ms: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="Of each attack.")
    parser.add_argument(
        "--rounds",
        type=int,
        default=3,
        help="Of each attack: the most memory of any, and the median p99, are told.",
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, endu(Path(directory) / "data") as target:
        uvloop.run(_measure(target, asked.seconds, asked.rounds))


async def _measure(target: Target, seconds: float, rounds: int) -> None:
    requests = requests_of(target)
    await steady(target, requests, seconds)  # what any load makes it take
    for name, pieces in _attacks(target.secret_key.encode()).items():
        count = HALF_OPEN if name == "half open" else CONNECTIONS
        costs: list[Cost] = []
        for _ in range(rounds):
            await asyncio.sleep(REST_SECONDS)
            with _attacking(target.port, pieces, count):
                megabytes = await _growth(target, seconds)
            alone_ms = await steady(target, requests, seconds)
            with _attacking(target.port, pieces, count):
                beside_ms = await steady(target, requests, seconds)
            costs.append(Cost(*megabytes, alone_ms, beside_ms))
        behind_mb, door_mb, alone_ms, beside_ms = zip(*costs, strict=True)
        print(f"hostile: {name}: the door +{max(door_mb):.1f} MB, behind it "
              f"+{max(behind_mb):.1f} MB, p99 {median(beside_ms):.1f} ms, alone "
              f"{median(alone_ms):.1f} ms", flush=True)  # fmt: skip


async def _growth(target: Target, seconds: float) -> list[float]:
    """Of each process: the most megabytes that were resident, beyond those that are now."""
    before = target.resident_of_each()
    most, until = before, time.monotonic() + seconds
    while time.monotonic() < until:
        await asyncio.sleep(LOOK_SECONDS)
        most = list(map(max, most, target.resident_of_each()))
    return list(map(sub, most, before))


def _attacks(key: bytes) -> dict[str, tuple[bytes, bytes]]:
    """How each begins, and what it goes on with for ever."""
    post, batch = POST % key, BATCH % key
    packed = b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s" % (len(BOMB), BOMB)
    return {
        "a head without an end": (post + b"X: ", b"y" * 10_000),
        "a flood of headers": (post, b"X: y\r\n" * 2_000),
        "a body without an end": (post + b"Content-Length: 99999999999\r\n\r\n", b"x" * 10_000),
        "chunks without an end": (
            post + b"Transfer-Encoding: chunked\r\n\r\n",
            b"1\r\nx\r\n" * 999,
        ),
        "bombs": (batch + packed, batch + packed),
        "half open": (post, b""),
    }


@contextmanager
def _attacking(port: int, pieces: tuple[bytes, bytes], count: int) -> Iterator[None]:
    """From a process of its own, so that it takes nothing from whoever measures."""
    attackers = get_context("spawn").Process(target=_attack_from, args=(port, pieces, count))
    attackers.start()
    try:
        yield
    finally:
        attackers.terminate()
        attackers.join()


def _attack_from(port: int, pieces: tuple[bytes, bytes], count: int) -> None:
    uvloop.run(_attack_all(port, pieces, count))


async def _attack_all(port: int, pieces: tuple[bytes, bytes], count: int) -> None:
    await asyncio.gather(*(_attack(port, *pieces) for _ in range(count)))


async def _attack(port: int, begin: bytes, more: bytes) -> None:
    """Again and again; whoever is thrown out waits a second."""
    while True:
        with suppress(ConnectionError, RuntimeError):  # uvloop has its own word for closed
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            reading = asyncio.create_task(reader.read())
            try:
                for piece in _going_on(begin, more):
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0.05)
                await reading
            finally:
                reading.cancel()
                writer.close()
        await asyncio.sleep(1)


def _going_on(begin: bytes, more: bytes) -> Iterator[bytes]:
    yield begin
    if more:
        yield from repeat(more)


if __name__ == "__main__":
    main()
