"""(a) Recording one event durably over HTTP, against the least that could be done.

    python -m benchmarks.record --seconds 10

Once by people of whom most were never seen before (each is worked out and written down), and
once by the same people again. The control runs before and after in the same run, so that a machine
that slows down shows.
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.load import REQUESTS
from benchmarks.servers import control, endu, load

CONNECTIONS = (32, 128)
EVERYBODY_SECONDS = 120  # for each prepared request to be sent once


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="Of each of the runs.")
    parser.add_argument("--connections", type=int, nargs="*", default=CONNECTIONS)
    asked = parser.parse_args()
    for connections in asked.connections:
        _measure(connections, asked.seconds)


def _measure(connections: int, seconds: float) -> None:
    before = _control(connections, seconds)
    with tempfile.TemporaryDirectory() as directory, endu(Path(directory) / "data") as target:
        strangers = load(target, connections, seconds)
        load(target, connections, EVERYBODY_SECONDS, REQUESTS)
        with target.client() as client:
            client.get("/identities", params={"discord": "1", "fresh": True})
        regulars = load(target, connections, seconds)
        megabytes = target.resident_megabytes()
    after = _control(connections, seconds)
    for who, (found, cpu_seconds) in (("strangers", strangers), ("regulars", regulars)):
        ratio = found.per_second / ((before + after) / 2)
        print(
            f"record, {connections} connections, {who}: ratio {ratio:.2f} "
            f"({found.per_second:,.0f} events/s against {before:,.0f} and {after:,.0f}), "
            f"{cpu_seconds / found.answered * 1e6:.1f} µs CPU per event, "
            f"p50 {found.p50_ms:.1f} ms, p99 {found.p99_ms:.1f} ms, {megabytes:,.0f} MB",
            flush=True,
        )


def _control(connections: int, seconds: float) -> float:
    with control() as target:
        load(target, connections, seconds / 5)
        found, _ = load(target, connections, seconds)
    return found.per_second


if __name__ == "__main__":
    main()
