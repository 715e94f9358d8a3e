"""(j) What hostile connections cost: resident memory of both processes, and the others' p99.

    python -m benchmarks.hostile --seconds 10

One kind of attack after the other, each from many connections, beside a steady sender: heads
without an end, header floods, bodies without an end, bombs, connections that are half open. Memory
is told beyond what the steady sender alone makes them take in as long, right before.
"""

import argparse
import asyncio
import gzip
import tempfile
from collections.abc import Iterator, Sequence
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

POST = b"POST /events/record HTTP/1.1\r\nHost: endu\r\nAuthorization: Bearer %s\r\n"
BATCH = POST.replace(b"/record", b"/record/batch")
BOMB = gzip.compress(b" " * 100_000_000, 9)


class Cost(NamedTuple):
    """How much more is resident of each process afterwards, and the steady sender's p99."""

    door_mb: float
    behind_mb: float
    p99_ms: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="Of each attack.")
    parser.add_argument("--rounds", type=int, default=3, help="Of each attack: medians are told.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, endu(Path(directory) / "data") as target:
        uvloop.run(_measure(target, asked.seconds, asked.rounds))


async def _measure(target: Target, seconds: float, rounds: int) -> None:
    requests = requests_of(target)
    await steady(target, requests, seconds)  # what any load makes it take
    for name, pieces in _attacks(target.secret_key.encode()).items():
        count = HALF_OPEN if name == "half open" else CONNECTIONS
        alone, beside = list[Cost](), list[Cost]()
        for _ in range(rounds):
            alone.append(await _cost(target, requests, seconds))
            with _attacking(target.port, pieces, count):
                beside.append(await _cost(target, requests, seconds))
            await steady(target, requests, seconds)  # they are gone after that
        control, found = _usual(alone), _usual(beside)
        print(f"hostile: {name}: the door {found.door_mb - control.door_mb:+.1f} MB, behind it "
              f"{found.behind_mb - control.behind_mb:+.1f} MB, p99 {found.p99_ms:.1f} ms; alone "
              f"{control.door_mb:+.1f} MB, {control.behind_mb:+.1f} MB, {control.p99_ms:.1f} ms",
              flush=True)  # fmt: skip


async def _cost(target: Target, requests: Sequence[bytes], seconds: float) -> Cost:
    before = target.resident_of_each()
    p99_ms = await steady(target, requests, seconds)
    behind, door = map(sub, target.resident_of_each(), before)
    return Cost(door, behind, p99_ms)


def _usual(costs: Sequence[Cost]) -> Cost:
    return Cost(*map(median, zip(*costs, strict=True)))


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
