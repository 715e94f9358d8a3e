"""(b) Recording for a minute and answering at the same time, until the last event is in its
timeline, against the least that could be done.

    python -m benchmarks.sustained --seconds 60

Beside the load, marked events of one person are recorded and looked for in that person's
timeline: how long that takes is the freshness that any caller sees.
"""

import argparse
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
from msgspec import Struct

from benchmarks.load import Load
from benchmarks.people import EVENT_TYPE
from benchmarks.servers import Target, control, endu, load, start_load

CONNECTIONS = 32
PROBE = "700000000000000001"  # a Discord account that nobody of the crowd has
LOOK_EVERY_SECONDS = 0.02
MARK_EVERY_SECONDS = 0.5
VISIBLE_WITHIN_SECONDS = 120


class Watched(Struct):
    """What was seen from outside while the load ran."""

    freshness_ms: list[float]
    resident_megabytes: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    asked = parser.parse_args()
    control_seconds = asked.seconds / 6
    before = _control(control_seconds)
    with tempfile.TemporaryDirectory() as directory, endu(Path(directory) / "data") as target:
        _measure(target, asked.seconds, before, control_seconds)


def _measure(target: Target, seconds: float, before: float, control_seconds: float) -> None:
    with target.client() as client:
        timeline = _meet(client, target)
        cpu_before, began = target.cpu_seconds(), time.monotonic()
        with start_load(target, CONNECTIONS, seconds) as process:
            watched = _watch(client, target, timeline, process)
            found = msgspec.json.decode(process.stdout.read(), type=Load)  # type: ignore[union-attr]
        last_ms = _freshness_ms(client, target, timeline, "last")
        whole_seconds = found.seconds + last_ms / 1000
        cpu_seconds = target.cpu_seconds() - cpu_before
        elapsed = time.monotonic() - began
    after = _control(control_seconds)
    per_second = found.answered / whole_seconds
    watched.freshness_ms.sort()
    p99_ms = watched.freshness_ms[len(watched.freshness_ms) * 99 // 100]
    print(
        f"sustained, {CONNECTIONS} connections, {elapsed:.0f} s: "
        f"ratio {per_second / ((before + after) / 2):.2f} "
        f"({found.answered:,} events at {per_second:,.0f}/s against {before:,.0f} "
        f"and {after:,.0f}), {cpu_seconds / found.answered * 1e6:.1f} µs CPU per event, "
        f"latency p50 {found.p50_ms:.1f} p99 {found.p99_ms:.1f} ms, "
        f"freshness p99 {p99_ms:,.0f} ms of {len(watched.freshness_ms)}, "
        f"last event {last_ms:,.0f} ms, at most {watched.resident_megabytes:,.0f} MB, "
        f"{found.refused} refused"
    )


def _meet(client: httpx.Client, target: Target) -> str:
    """Makes the marked person, and answers where their timeline is."""
    _mark(client, target, "first")
    found = client.get("/identities", params={"discord": PROBE, "fresh": True})
    return f"/identities/{found.raise_for_status().json()['data']['c_user_id']}/timeline"


def _watch(
    client: httpx.Client, target: Target, timeline: str, process: "subprocess.Popen[bytes]"
) -> Watched:
    watched = Watched([], target.resident_megabytes())
    for number in _until_it_ends(process):
        watched.freshness_ms.append(_freshness_ms(client, target, timeline, f"{number}"))
        watched.resident_megabytes = max(watched.resident_megabytes, target.resident_megabytes())
    return watched


def _until_it_ends(process: "subprocess.Popen[bytes]") -> Iterator[int]:
    number = 0
    while process.poll() is None:
        yield number
        number += 1
        time.sleep(MARK_EVERY_SECONDS)


def _freshness_ms(client: httpx.Client, target: Target, timeline: str, mark: str) -> float:
    """From the 200 of a marked event until it stands first in its person's timeline."""
    _mark(client, target, mark)
    kept_at = time.monotonic()
    while time.monotonic() < kept_at + VISIBLE_WITHIN_SECONDS:
        page = client.get(timeline, params={"limit": 1}).raise_for_status().json()["data"]
        if _marks(page) == [mark]:
            return (time.monotonic() - kept_at) * 1000
        time.sleep(LOOK_EVERY_SECONDS)
    raise TimeoutError(f"the event {mark!r} was kept and is in no timeline")


def _marks(page: dict[str, Any]) -> list[str]:
    (items,) = (value for value in page.values() if isinstance(value, list))
    return [item["event_data"].get("mark") for item in items]


def _mark(client: httpx.Client, target: Target, mark: str) -> None:
    event = {
        "property_id": target.property_id,
        "organization_id": target.organization_id,
        "timestamp": f"{time.time():.3f}",
        "event_type": EVENT_TYPE,
        "p_user_id": PROBE,
        "platform_type": "Discord",
        "event_data": {"item_id": "1", "price": 1, "mark": mark},
    }
    client.post("/events/record", json=event).raise_for_status()


def _control(seconds: float) -> float:
    with control() as target:
        return load(target, CONNECTIONS, seconds)[0].per_second


if __name__ == "__main__":
    main()
