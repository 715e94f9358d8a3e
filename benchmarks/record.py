"""(a) Recording one event durably over HTTP, against the least that could be done.

    python -m benchmarks.record --seconds 10

The control runs before and after in the same run, so that a machine that slows down shows.
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.servers import control, endu, load

CONNECTIONS = (32, 128)


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
        load(target, connections, seconds / 5)  # caches and files are warm
        found, cpu_seconds = load(target, connections, seconds)
        megabytes = target.resident_megabytes()
    after = _control(connections, seconds)
    ratio = found.per_second / ((before + after) / 2)
    print(
        f"record, {connections} connections: ratio {ratio:.2f} "
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
