"""(i) What a flood from one key costs the others: their p99 beside it, and without it.

    python -m benchmarks.flood --seconds 10

The flooding key has a limit far below what it sends; a second key sends at a steady rate. Prints
one ratio: the second one's p99 during the flood, by its p99 alone in the same run, before and
after it.
"""

import argparse
import asyncio
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import httpx
import uvloop
from msgspec import structs

from benchmarks.load import is_whole, request_with
from benchmarks.people import bodies, crowd
from benchmarks.servers import Target, endu, start_load

FLOODED_PER_SECOND, FLOODED_BURST = 1_000, 2_000
CONNECTIONS = 32
FOREVER = 3600  # seconds: it is ended sooner
STEADY_PER_SECOND = 500
STEADY_CONNECTIONS = 8
REQUESTS = 5_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="Of each of the three runs.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory) / "data"
        with endu(data) as target:
            flooding = _limited_key(target, data)
            uvloop.run(_measure(target, flooding, asked.seconds))


def _limited_key(target: Target, data: Path) -> str:
    """A key of the same organization, whose keys may from now on record so many."""
    operator = (data / "operator.key").read_text().strip()
    headers = {"Authorization": f"Bearer {operator}"}
    with httpx.Client(base_url=target.address, headers=headers) as client:
        limits = {
            "events_per_second_at_most": FLOODED_PER_SECOND,
            "events_burst_at_most": FLOODED_BURST,
        }
        path = f"/organizations/{target.organization_id}/limits"
        client.put(path, json=limits).raise_for_status()
        made = client.post("/keys", json={"kind": "secret"}).raise_for_status()
    key: str = made.json()["data"]["key"]
    return key


async def _measure(target: Target, flooding: str, seconds: float) -> None:
    requests = requests_of(target)
    before_ms = await steady(target, requests, seconds)
    with start_load(structs.replace(target, secret_key=flooding), CONNECTIONS, FOREVER) as flood:
        while not (turned_away := _turned_away(target)):
            await asyncio.sleep(0.1)
        during_ms = await steady(target, requests, seconds)
        limited = (_turned_away(target) - turned_away) / seconds
        flood.terminate()
    after_ms = await steady(target, requests, seconds)
    print(
        f"flood: ratio {during_ms / ((before_ms + after_ms) / 2):.2f} "
        f"(p99 {during_ms:.1f} ms against {before_ms:.1f} and {after_ms:.1f} ms alone, "
        f"{STEADY_PER_SECOND} a second; of the flood {limited:,.0f} a second are turned away)",
        flush=True,
    )


async def steady(target: Target, requests: list[bytes], seconds: float) -> float:
    """The p99 in milliseconds, from when each request was due: whoever waits for the answer
    before it does not make it look faster."""
    latencies_ms: list[float] = []
    began = time.perf_counter()

    async def send(first: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
        for place in range(first, int(seconds * STEADY_PER_SECOND), STEADY_CONNECTIONS):
            due = began + place / STEADY_PER_SECOND
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            status = await _ask(reader, writer, requests[place % len(requests)])
            if status != 200:
                raise RuntimeError(f"the steady sender was answered {status}")
            latencies_ms.append((time.perf_counter() - due) * 1e3)
        writer.close()

    await asyncio.gather(*(send(first) for first in range(STEADY_CONNECTIONS)))
    return sorted(latencies_ms)[len(latencies_ms) * 99 // 100]


def _turned_away(target: Target) -> float:
    with suppress(LookupError):
        return target.metric('endu_events_total{outcome="RATE_LIMITED"}')
    return 0


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> int:
    writer.write(request)
    received = b""
    while not is_whole(received):
        more = await reader.read(65536)
        if not more:
            raise ConnectionError("the server closed a connection")
        received += more
    return int(received.split(b" ", 2)[1])


def requests_of(target: Target) -> list[bytes]:
    made = bodies(crowd(), REQUESTS, 1, target.organization_id, target.property_id)
    return [request_with(body, target.secret_key) for body in made]


if __name__ == "__main__":
    main()
