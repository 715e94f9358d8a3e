"""What recording keeps of its throughput while heavy questions are asked, over HTTP.

    python -m benchmarks.questions_beside_ingest --events 10000000 --seconds 30

Four callers ask a heavy question each, again and again, of a ledger with so many events, while the
load generator records. Alone before and after, in the same run.
"""

import argparse
import asyncio
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from msgspec import Struct

from benchmarks.journeys_crowd import crowd_of, owners_of
from benchmarks.journeys_log import insert_rows
from benchmarks.journeys_rows import BEGINS_AT_S, DAY_SECONDS, DAYS, TYPES, Place
from benchmarks.servers import Target, endu, load
from endu.stores.chdb_handles import Limits
from endu.stores.chdb_ledger import open_chdb_ledger
from endu.stores.data_directory import DataDirectory

CONNECTIONS = 32
PEOPLE, JOINS = 200_000, 50_000
PAUSE_SECONDS = 0.2  # of a caller who was told that too many ask at once


class Asked(Struct):
    """What the callers of one question saw."""

    answered: int = 0
    turned_away: int = 0
    longest_seconds: float = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=float, default=10_000_000, help="That are asked about.")
    parser.add_argument("--seconds", type=float, default=30, help="Of each of the three runs.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory) / "data"
        with endu(data) as target:
            type_ids = _register_types(target)
        asyncio.run(_fill(data, Place(target.organization_id, int(asked.events), 0, type_ids)))
        with endu(data) as target:
            _measure(target, asked.seconds, f"{int(asked.events):,} events")


def _register_types(target: Target) -> tuple[str, ...]:
    """Their ids, in the order of TYPES."""
    with target.client() as client:
        for name in TYPES:
            client.post("/events/create/eventid", json={
                "event_type": name, "event_display_name": name.title(),
                "event_data_schema": {}, "confirm_overwrite": False,
            })  # fmt: skip
        items = client.get("/event-types").raise_for_status().json()["data"]["items"]
    ids = {each["event_type"]: each["event_id"] for each in items if each["is_current"]}
    return tuple(ids[name] for name in TYPES)


async def _fill(data: Path, place: Place) -> None:
    chance = np.random.default_rng(1)
    crowd = crowd_of(PEOPLE, JOINS, chance)
    directory = DataDirectory(data).ledger
    with open_chdb_ledger(directory, Limits(seconds=600)) as ledger:
        insert_rows(directory, crowd, place, chance)
        await ledger.set_owners(list(owners_of(crowd)))


def _measure(target: Target, seconds: float, among: str) -> None:
    load(target, CONNECTIONS, seconds / 5)
    before, _ = load(target, CONNECTIONS, seconds)
    with _questions(target) as asked:
        beside, _ = load(target, CONNECTIONS, seconds)
        waiting = target.metric("endu_settle_waiting")
    after, _ = load(target, CONNECTIONS, seconds)
    ratio = beside.per_second / ((before.per_second + after.per_second) / 2)
    print(
        f"recording beside {len(asked)} questions about {among}: ratio {ratio:.2f} "
        f"({beside.per_second:,.0f} events/s against {before.per_second:,.0f} and "
        f"{after.per_second:,.0f}), p99 {beside.p99_ms:.1f} ms against {before.p99_ms:.1f} and "
        f"{after.p99_ms:.1f}, {waiting:,.0f} not settled at its end, "
        f"{target.resident_megabytes():,.0f} MB"
    )
    for name, found in asked.items():
        print(
            f"  {name}: {found.answered} answers, {found.turned_away} times turned away, "
            f"at most {found.longest_seconds:.1f} s"
        )


@contextmanager
def _questions(target: Target) -> Iterator[dict[str, Asked]]:
    """Each asked by a caller of its own, until the block ends."""
    found = {name: Asked() for name in QUESTIONS}
    ended = threading.Event()
    with ThreadPoolExecutor(len(QUESTIONS)) as callers:
        asking = [callers.submit(_ask_on, target, name, found[name], ended) for name in QUESTIONS]
        try:
            yield found
        finally:
            ended.set()
    for caller in asking:
        caller.result()


def _ask_on(target: Target, name: str, found: Asked, ended: threading.Event) -> None:
    with target.client() as client:
        while not ended.is_set():
            began = time.monotonic()
            if _ask(client, name):
                found.answered += 1
                found.longest_seconds = max(found.longest_seconds, time.monotonic() - began)
            else:
                found.turned_away += 1
                ended.wait(PAUSE_SECONDS)


def _ask(client: httpx.Client, name: str) -> bool:
    answer = client.post(f"/journeys/{name}", json=QUESTIONS[name] | TIMES)
    if answer.status_code == 429:
        return False
    answer.raise_for_status()
    return True


def _step(*names: str) -> dict[str, Any]:
    return {"event_types": list(names)}


def _rfc3339(day: int) -> str:
    return datetime.fromtimestamp(BEGINS_AT_S + day * DAY_SECONDS, UTC).isoformat()


TIMES = {"from": _rfc3339(0), "to": _rfc3339(DAYS)}
QUESTIONS: dict[str, dict[str, Any]] = {
    "funnel": {
        "steps": [
            _step("PAGE_VIEW"),
            _step("ITEM_VIEWED"),
            _step("CART_FILLED"),
            _step("ITEM_PURCHASED"),
        ],
        "within": {"days": 7},
        "breakdown": {"field": "platform"},
    },
    "retention": {
        "start": _step("PAGE_VIEW"),
        "return": _step("MESSAGE_SENT"),
        "period": "week",
        "periods": 12,
    },
    "paths": {"anchor": {"start": _step("LINK_TRACKING_CLICK")}, "depth": 5},
    "drivers": {
        "goal": _step("MEMBERSHIP_UPGRADED"),
        "population": _step("COMMUNITY_JOINED"),
        "candidates": ["event_types", "counts", "platforms", {"field": "event_data.tier"}],
        "within": {"days": 14},
    },
}


if __name__ == "__main__":
    main()
