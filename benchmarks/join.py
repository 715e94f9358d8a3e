"""(d) A join of two people with many events each: how soon every answer says so.

    python -m benchmarks.join --events 10000 --joins 5

Each time one event names both a Discord account and a wallet that had 10,000 events apart. The
clock runs from its 200 until both identifiers, both old numbers and one timeline agree.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from benchmarks.people import EVENT_TYPE
from benchmarks.servers import Target, endu

BATCH = 2_000
WITHIN_SECONDS = 60
LOOK_EVERY_SECONDS = 0.005
HISTORY_SECONDS = 80_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000, help="Of each of the two.")
    parser.add_argument("--joins", type=int, default=5)
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as directory,
        endu(Path(directory) / "data") as target,
        target.client() as client,
    ):
        took_ms = sorted(_join(client, target, n, asked.events) for n in range(asked.joins))
    print(
        f"join of 2 × {asked.events:,} events: in every answer after "
        f"p50 {took_ms[len(took_ms) // 2]:,.0f} ms, at most {took_ms[-1]:,.0f} ms "
        f"({len(took_ms)} joins)"
    )


def _join(client: httpx.Client, target: Target, number: int, count: int) -> float:
    discord = {"p_user_id": f"{800_000_000_000_000_000 + number}", "platform_type": "Discord"}
    account = f"0x5eed{number:036x}"  # all zeros but the end would be nobody's
    wallet = {"blockchain": {"chain_type": "ethereum", "chain_account": account}}
    for names in (discord, wallet):
        _record(client, target, names, count)
    find_discord = {"discord": discord["p_user_id"]}
    find_wallet = {"wallet": account, "chain_type": "ethereum"}
    before = [_number(client, find | {"fresh": True}) for find in (find_discord, find_wallet)]
    if before[0] == before[1]:
        raise RuntimeError("the two were one before they were joined")
    event = _event(target, discord | wallet, time.time())
    client.post("/events/record", json=event).raise_for_status()
    kept_at = time.monotonic()
    while time.monotonic() < kept_at + WITHIN_SECONDS:
        if _agree(client, (find_discord, find_wallet), before):
            return (time.monotonic() - kept_at) * 1000
        time.sleep(LOOK_EVERY_SECONDS)
    raise TimeoutError(f"{before} were joined and are not one")


def _agree(client: httpx.Client, finds: tuple[dict[str, str], ...], before: list[str]) -> bool:
    numbers = {_number(client, find) for find in finds}
    if len(numbers) > 1:
        return False
    pages = [_timeline(client, number) for number in before]
    kinds = {kind for item in pages[0] for kind in _kinds(item)}
    same = [item["record_id"] for item in pages[0]] == [item["record_id"] for item in pages[1]]
    return same and {"discord", "wallet"} <= kinds


def _kinds(item: dict[str, Any]) -> Iterator[str]:
    for identifier in item["identifiers"]:
        yield identifier["kind"] if isinstance(identifier, dict) else identifier.split(":")[0]


def _timeline(client: httpx.Client, number: str) -> list[dict[str, Any]]:
    answer = client.get(f"/identities/{number}/timeline", params={"limit": 50})
    data = answer.raise_for_status().json()["data"]
    (items,) = (value for value in data.values() if isinstance(value, list))
    return list(items[1:])  # without the event that joined them, which names both


def _number(client: httpx.Client, find: dict[str, Any]) -> str:
    answer = client.get("/identities", params=find)
    return str(answer.raise_for_status().json()["data"]["c_user_id"])


def _record(client: httpx.Client, target: Target, names: dict[str, Any], count: int) -> None:
    """Two histories that interleave, as those of one person do."""
    began_s = time.time() - HISTORY_SECONDS
    for start in range(0, count, BATCH):
        places = range(start, min(start + BATCH, count))
        events = [_event(target, names, began_s + HISTORY_SECONDS * n / count) for n in places]
        answer = client.post("/events/record/batch", json=events).raise_for_status()
        results = answer.json()["data"]["results"]
        if any(each["result"] != "ok" for each in results):
            raise RuntimeError(results[0])


def _event(target: Target, names: dict[str, Any], at_s: float) -> dict[str, Any]:
    return {
        "property_id": target.property_id,
        "organization_id": target.organization_id,
        "timestamp": f"{at_s:.3f}",
        "event_type": EVENT_TYPE,
        "event_data": {"item_id": "8258727671", "price": 1},
        **names,
    }


if __name__ == "__main__":
    main()
