"""What an instance costs while nothing happens: resident memory and share of a core.

python -m benchmarks.idle --seconds 60 --events 100000
"""

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.servers import endu, load

SETTLING_SECONDS = 5  # for background merges to end


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--events", type=int, default=100_000, help="Recorded before.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, endu(Path(directory) / "data") as target:
        if asked.events:
            load(target, connections=32, seconds=600, events=asked.events)
        with target.client() as client:
            client.get("/event-types", params={"fresh": True}).raise_for_status()
        time.sleep(SETTLING_SECONDS)
        cpu_before, began = target.cpu_seconds(), time.monotonic()
        time.sleep(asked.seconds)
        share = (target.cpu_seconds() - cpu_before) / (time.monotonic() - began)
        print(
            f"idle for {asked.seconds:.0f} s after {asked.events:,} events: "
            f"{share:.1%} of a core, {target.resident_megabytes():,.0f} MB resident"
        )


if __name__ == "__main__":
    main()
