"""A load generator that costs little itself: prebuilt requests over keep-alive connections.

    python -m benchmarks.load --port 8400 --organization … --property … --key … \
        --connections 32 --seconds 10

A process of its own, so that it never holds the interpreter of what it measures. Each
connection sends its next request as soon as the last one is answered; with --per-second no sooner
than its share of that rate allows. Prints one JSON line.
"""

import argparse
import asyncio
import resource
import time
from array import array

import msgspec
import uvloop
from msgspec import Struct

from benchmarks.people import bodies, crowd

REQUESTS = 100_000  # built before the clock starts, then sent in turn
OK = b"HTTP/1.1 200"
END = b"\r\n\r\n"


class Load(Struct, frozen=True, kw_only=True):
    """What a run of load found. Latencies are of answered requests, in milliseconds."""

    answered: int
    refused: int  # answered with anything but 200
    first_refusal: str
    seconds: float
    per_second: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    client_cpu_seconds: float


class Run:
    """What all connections of one run share."""

    def __init__(self, requests: list[bytes], asked: argparse.Namespace) -> None:
        self.requests = requests
        rate: float = asked.per_second
        self.pause_seconds = asked.connections / rate if rate else 0.0  # from send to send
        self.next = 0
        self.ends_at_ns = time.perf_counter_ns() + int(asked.seconds * 1e9)
        self.left: int = asked.events
        self.latencies_ns = array("q")
        self.refused = 0
        self.first_refusal = ""

    def request(self, now_ns: int) -> bytes | None:
        """The next one to send; None when time or events are up."""
        if now_ns >= self.ends_at_ns or self.left == 0:
            return None
        self.left -= 1
        self.next += 1
        return self.requests[self.next % len(self.requests)]


class Connection(asyncio.Protocol):
    """One request on its way at a time."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._received = b""
        self._sent_at_ns = 0
        self._next_at = 0.0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._send(time.perf_counter_ns())

    def data_received(self, data: bytes) -> None:
        now_ns = time.perf_counter_ns()
        if self._received or not (data.startswith(OK) and data.endswith(END)):
            self._received += data
            if not is_whole(self._received):
                return
            self._look_at(self._received)
            self._received = b""
        self._run.latencies_ns.append(now_ns - self._sent_at_ns)
        if self._run.pause_seconds:
            self._send_in_time()
        else:
            self._send(now_ns)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server closed a connection"))

    def _send_in_time(self) -> None:
        loop = asyncio.get_running_loop()
        self._next_at = max(self._next_at + self._run.pause_seconds, loop.time())
        loop.call_at(self._next_at, lambda: self._send(time.perf_counter_ns()))

    def _send(self, now_ns: int) -> None:
        request = self._run.request(now_ns)
        if request is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._sent_at_ns = now_ns
        self._transport.write(request)

    def _look_at(self, answer: bytes) -> None:
        if not answer.startswith(OK):
            self._run.refused += 1
            self._run.first_refusal = self._run.first_refusal or answer.decode(errors="replace")


def main() -> None:
    asked = _asked()
    people = crowd()
    bodies_ = bodies(people, asked.requests, asked.seed, asked.organization, asked.property)
    requests = [request_with(body, asked.key) for body in bodies_]
    print(msgspec.json.encode(uvloop.run(_drive(requests, asked))).decode(), flush=True)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--organization", required=True)
    parser.add_argument("--property", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--events", type=int, default=-1, help="Stop after so many.")
    parser.add_argument("--per-second", type=float, default=0, help="At most; 0: no limit.")
    parser.add_argument("--requests", type=int, default=REQUESTS, help="How many differ.")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


async def _drive(requests: list[bytes], asked: argparse.Namespace) -> Load:
    loop = asyncio.get_running_loop()
    cpu_before = _cpu_seconds()
    began = time.perf_counter()
    run = Run(requests, asked)
    connections = [
        (await loop.create_connection(lambda: Connection(run), asked.host, asked.port))[1]
        for _ in range(asked.connections)
    ]
    await asyncio.gather(*(connection.done for connection in connections))
    seconds = time.perf_counter() - began
    latencies_ms = sorted(latency / 1e6 for latency in run.latencies_ns)
    return Load(
        answered=len(latencies_ms),
        refused=run.refused,
        first_refusal=run.first_refusal[:2000],
        seconds=seconds,
        per_second=len(latencies_ms) / seconds,
        p50_ms=latencies_ms[len(latencies_ms) // 2],
        p99_ms=latencies_ms[len(latencies_ms) * 99 // 100],
        max_ms=latencies_ms[-1],
        client_cpu_seconds=_cpu_seconds() - cpu_before,
    )


def request_with(body: bytes, key: str) -> bytes:
    head = (
        "POST /events/record HTTP/1.1\r\n"
        "host: localhost\r\n"
        "content-type: application/json\r\n"
        f"authorization: Bearer {key}\r\n"
        f"content-length: {len(body)}\r\n"
        "\r\n"
    )
    return head.encode() + body


def is_whole(received: bytes) -> bool:
    head, end, body = received.partition(END)
    if not end:
        return False
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return len(body) >= int(value)
    return True


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
