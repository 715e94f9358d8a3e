"""Every measurement, one after the other: `make bench`, or

    python -m benchmarks [--full]

By default with settings so short that the whole takes a minute or two: enough to see that nothing
became slow. The figures of docs/numbers.md are from --full, half an hour.
"""

import argparse
import os
import platform
import subprocess
import sys

# Each with its short settings; the full ones are its own defaults.
MEASUREMENTS = (
    ("record", "--seconds=2"),
    ("sustained", "--seconds=10"),
    ("settle", "--events=200000"),
    ("seal", "--records=200000"),
    ("join", "--events=2000", "--joins=2"),
    ("timeline", "--events=200000", "--pages=100"),
    ("idle", "--seconds=5", "--events=20000"),
    ("flood", "--seconds=3"),
    ("hostile", "--seconds=2"),
    ("journeys", "--events=200000", "--rounds=3"),
    ("questions_beside_ingest", "--events=200000", "--seconds=3"),
    ("soak", "--minutes=0.5"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="As long as figures need.")
    full = parser.parse_args().full
    cores, python = os.cpu_count(), platform.python_version()
    print(f"{platform.machine()}, {cores} cores, Linux {platform.release()}, Python {python}")
    failed = []
    for name, *short in MEASUREMENTS:
        command = [sys.executable, "-m", f"benchmarks.{name}", *([] if full else short)]
        print(f"$ python {' '.join(command[1:])}", flush=True)
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
