"""Whether anything grows that should not: memory, the ledger's parts, how long recording takes.

    python -m benchmarks.soak --minutes 15

Records at half of what the server takes at most, while four questions are asked in turn without a
pause, and looks again and again. One line a look, then each figure in the three thirds of the run:
in the first, caches fill. What a question takes in time and memory grows with the events that it is
about, as it should: all are about the last two minutes, so that whatever grows nevertheless should
not. Memory is looked at while none is asked, too.
"""

import argparse
import re
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean
from typing import Any

from msgspec import Struct, structs

from benchmarks.people import EVENT_TYPE
from benchmarks.servers import Target, endu, load

CONNECTIONS = 32
LOOKS_IN_A_MINUTE = 2
FULL_SPEED_SECONDS = 10
ASKED_ABOUT = timedelta(minutes=2)
REST_SECONDS = 6  # after five, ClickHouse's allocator gives back what a question took
# The folder of a part, as MergeTree names it: partition, first and last block, level.
PART = re.compile(r"(\d{6}|all)_(\d+)_(\d+)_\d+(?:_\d+)?")

_STEP = {"event_types": [EVENT_TYPE]}
QUESTIONS: dict[str, dict[str, Any]] = {
    "trend": {"series": [_STEP], "interval": "hour"},
    "funnel": {"steps": [_STEP, _STEP], "within": {"hours": 1}},
    "retention": {"start": _STEP, "return": _STEP, "period": "day", "periods": 2},
    "paths": {"anchor": {"start": _STEP}, "depth": 3},
}


class Look(Struct, frozen=True):
    """What was seen in one stretch of the run."""

    events_per_second: float
    record_p50_ms: float
    record_p99_ms: float
    question_ms: float  # on average
    megabytes_beside_questions: float
    megabytes_at_rest: float
    parts: int
    waiting: float  # records that were not settled at its end


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=15)
    count = max(3, round(parser.parse_args().minutes * LOOKS_IN_A_MINUTE))
    with tempfile.TemporaryDirectory() as directory, endu(Path(directory) / "data") as target:
        full, _ = load(target, CONNECTIONS, FULL_SPEED_SECONDS)
        with _questions(target) as asking:
            seen = [_look(target, full.per_second / 2, asking) for _ in range(count)]
    _compare(seen)


class Asking(Struct):
    """How long each answer took, in milliseconds, as they come; whoever has `turn` keeps the next
    question waiting."""

    took_ms: list[float]
    turn: threading.Lock


def _look(target: Target, per_second: float, asking: Asking) -> Look:
    before = len(asking.took_ms)
    found, _ = load(target, CONNECTIONS, 60 / LOOKS_IN_A_MINUTE, per_second=per_second)
    beside_questions = target.resident_megabytes()
    with asking.turn:
        time.sleep(REST_SECONDS)
        at_rest = target.resident_megabytes()
    look = Look(
        found.per_second,
        found.p50_ms,
        found.p99_ms,
        mean(asking.took_ms[before:] or [0]),
        beside_questions,
        at_rest,
        _parts_in(target.data),
        target.metric("endu_settle_waiting"),
    )
    figures = structs.asdict(look).items()
    print(", ".join(f"{name} {value:,.1f}" for name, value in figures), flush=True)
    return look


def _compare(seen: Sequence[Look]) -> None:
    third = len(seen) // 3
    thirds = seen[:third], seen[third:-third], seen[-third:]
    for name in Look.__struct_fields__:
        first, second, last = (mean(getattr(look, name) for look in each) for each in thirds)
        ratio = f"{last / second:.2f}" if second else "-"
        print(f"soak, {name}: {first:,.1f}, {second:,.1f}, {last:,.1f} in its thirds; "
              f"ratio of the last two {ratio}")  # fmt: skip


@contextmanager
def _questions(target: Target) -> Iterator[Asking]:
    asking, ended = Asking([], threading.Lock()), threading.Event()
    with ThreadPoolExecutor(1) as caller:
        asked = caller.submit(_ask_on, target, asking, ended)
        try:
            yield asking
        finally:
            ended.set()
    asked.result()


def _ask_on(target: Target, asking: Asking, ended: threading.Event) -> None:
    with target.client() as client:
        while not ended.is_set():
            for name, question in QUESTIONS.items():
                with asking.turn:
                    now, began = datetime.now(UTC), time.monotonic()
                    span = {"from": (now - ASKED_ABOUT).isoformat(), "to": now.isoformat()}
                    client.post(f"/journeys/{name}", json=question | span).raise_for_status()
                    asking.took_ms.append((time.monotonic() - began) * 1000)
                ended.wait(0.02)  # a lock is not fair: whoever waits for the turn has it now


def _parts_in(data: Path) -> int:
    """Those that are in use: what a merge has replaced lies there for eight minutes more."""
    blocks: dict[tuple[Path, str], set[tuple[int, int]]] = {}
    for path in (data / "ledger" / "engine" / "store").glob("*/*/*"):
        if found := PART.fullmatch(path.name):
            table = path.parent, found[1]
            blocks.setdefault(table, set()).add((int(found[2]), int(found[3])))
    return sum(map(_uncovered, blocks.values()))


def _uncovered(blocks: set[tuple[int, int]]) -> int:
    """How many ranges lie within no other one; ranges never overlap otherwise."""
    count, end = 0, -1
    for _, last in sorted(blocks, key=lambda block: (block[0], -block[1])):
        if last > end:
            count, end = count + 1, last
    return count


if __name__ == "__main__":
    main()
