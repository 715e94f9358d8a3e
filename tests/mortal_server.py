"""A server for tests that kills itself with SIGKILL at the n-th time it reaches a step.

python -m tests.mortal_server DATA STEP N
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from endu.announcements import FirstEvent, Started
from endu.assembly import run
from endu.settings import Settings


def main() -> None:
    data, step, times = sys.argv[1:]
    settings = Settings(data=Path(data), port=0, segment_records=100)
    run(settings, announce, dying_at(step, int(times)))


def announce(what: Started | FirstEvent) -> None:
    if isinstance(what, Started):
        print(msgspec.json.encode(what).decode(), flush=True)


def dying_at(step: str, times: int) -> Callable[[str], None]:
    left = times

    def at_each_step(done: str) -> None:
        nonlocal left
        left -= done == step
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return at_each_step


if __name__ == "__main__":
    main()
