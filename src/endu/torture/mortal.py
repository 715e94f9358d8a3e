"""`python -m endu.torture.mortal`: the server, or a rebuild, as `endu` runs it; made to be killed.

It loads everything, says that it is ready and waits for its order on the standard input: so the
next server is loaded while the one before still runs. It ends when that input does.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from endu.announcements import CannotRun, FirstEvent, Started
from endu.assembly import rebuild, run
from endu.settings import Settings
from endu.torture.mortal_words import READY, Order, Problem, Step, Up

SEGMENT_RECORDS = 100  # as few as there may be: so that sealing is under way most of the time


def main() -> None:
    _say(READY)
    line = sys.stdin.buffer.readline()
    if not line:
        return
    order = msgspec.json.decode(line, type=Order)
    threading.Thread(target=_end_with_input, daemon=True).start()
    settings = Settings(
        data=Path(order.data), port=0, segment_records=SEGMENT_RECORDS, log_level="warning"
    )
    try:
        if order.rebuild:
            rebuild(settings, _in_silence)
        else:
            run(settings, _announce, _dying_at(order.dies_at, order.times))
    except CannotRun as problem:
        _tell(Problem(str(problem)))
        sys.exit(1)


def _announce(what: Started | FirstEvent) -> None:
    if isinstance(what, Started):
        _tell(Up(what))


def _dying_at(step: str, times: int) -> Callable[[str], None]:
    heard: set[str] = set()
    left = times

    def at_each_step(done: str) -> None:
        nonlocal left
        if done not in heard:
            heard.add(done)
            _tell(Step(done))
        left -= done == step
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return at_each_step


def _end_with_input() -> None:
    """Whoever gave the order is gone: nobody else would end this."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _tell(what: Step | Up | Problem) -> None:
    _say(msgspec.json.encode(what))


def _say(text: bytes) -> None:
    os.write(sys.stdout.fileno(), text + b"\n")


def _in_silence(what: str, done: int, total: int) -> None:
    pass


if __name__ == "__main__":
    main()
