"""Parts of the ledger that cannot be read heal, or their rows come again from the log."""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from endu.stores.chdb_handles import Limits
from endu.stores.chdb_ledger import ChdbLedger, open_chdb_ledger
from tests.log_world import settled
from tests.running import Running, running
from tests.test_disk_trouble import until

ACTIVE = """
SELECT name, path FROM system.parts
 WHERE concat(database, '.', table) = {table:String} AND active ORDER BY name
"""


def parts_of(ledger: ChdbLedger, table: str = "endu.events") -> dict[str, Path]:
    return {name: Path(path) for name, path in ledger._writer.read(ACTIVE, table=table)}


async def merged(ledger: ChdbLedger, times: int) -> Path:
    """One part, that so many others were merged into."""
    for number in range(times):
        await ledger.append(0, [settled(number * 10 + place) for place in range(1, 11)])
    ledger._writer.command("OPTIMIZE TABLE endu.events FINAL")
    (path,) = parts_of(ledger).values()
    return path


async def readable(ledger: ChdbLedger) -> int:
    ((rows,),) = await ledger.ask("SELECT countIf(length(event_data) > 0) FROM endu.events", {})
    return int(rows)


async def test_a_part_that_cannot_be_read_heals_from_those_it_was_merged_from(
    chdb_ledger: ChdbLedger,
) -> None:
    data = await merged(chdb_ledger, 4) / "data.bin"
    os.truncate(data, data.stat().st_size // 2)
    await chdb_ledger.parts.mend()
    assert await readable(chdb_ledger) == 40
    assert chdb_ledger.parts.healed == 1
    await chdb_ledger.parts.forget(await chdb_ledger.parts.lost())
    assert await chdb_ledger.parts.lost() == []
    await chdb_ledger.append(0, [settled(41)])
    assert await readable(chdb_ledger) == 41


async def test_a_part_that_nothing_heals_is_taken_out_and_told_of_until_it_is_forgotten(
    tmp_path: Path,
) -> None:
    with open_chdb_ledger(tmp_path / "ledger", Limits()) as ledger:
        path = await merged(ledger, 2)
        data = path / "data.bin"
        data.write_bytes(bytes(255 - byte for byte in data.read_bytes()))
        await ledger.parts.mend()
        assert await readable(ledger) == 0
    with open_chdb_ledger(tmp_path / "ledger", Limits()) as ledger:
        lost = await ledger.parts.lost()
        assert [part.table for part in lost] == ["endu.events"]
        await ledger.parts.forget(lost)
        assert await ledger.parts.lost() == []


@pytest.mark.parametrize("table", ["endu.owner_changes", "endu.visit_changes"])
async def test_tables_behind_dictionaries_can_be_attached_again(
    chdb_ledger: ChdbLedger, table: str
) -> None:
    chdb_ledger._writer.command(f"INSERT INTO {table} VALUES (1, 2, 3)")
    await chdb_ledger.refresh()
    (path,) = parts_of(chdb_ledger, table).values()
    os.truncate(path / "data.bin", 1)
    await chdb_ledger.parts.mend()
    assert [part.table for part in await chdb_ledger.parts.lost()] == [table]
    await chdb_ledger.refresh()


def test_what_the_ledger_lost_comes_again_from_the_log_and_by_itself(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as server:
        send(server, range(300))
        assert counted(server, server.secret_key) == Counter(range(300))
    lose_everything(data)
    with running(data) as again:
        key = server.secret_key
        until(lambda: counted(again, key) == Counter(range(300)), 20)
        metrics = httpx.get(f"{again.address}/metrics").text
    assert "endu_ledger_brought_back_total 300.0" in metrics
    assert "endu_ledger_parts_lost_total 1.0" in metrics


def lose_everything(data: Path) -> None:
    """As a disk would: files of parts are cut."""
    for file in (data / "ledger" / "engine").rglob("data.bin"):
        if "/store/" in str(file) and file.stat().st_size:
            os.truncate(file, file.stat().st_size // 2)


def send(server: Running, numbers: range) -> None:
    events: list[dict[str, Any]] = [
        {
            "property_id": "D#1",
            "organization_id": server.organization_id,
            "timestamp": "1672536219",
            "event_type": "BEGIN_EVENT",
            "event_data": {"n": number},
            "p_user_id": str(number % 7 + 1),
            "platform_type": "Discord",
        }
        for number in numbers
    ]
    with server.client() as client:
        assert client.post("/events/record/batch", json=events).status_code == 200


def counted(server: Running, key: str) -> Counter[int]:
    sql = "SELECT JSONExtractUInt(event_data, 'n') AS n, count() AS c FROM events GROUP BY n"
    headers = {"Authorization": f"Bearer {key}"}
    asked = {"sql": sql, "fresh": True}
    answer = httpx.post(f"{server.address}/journeys/sql", json=asked, headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    return Counter({n: times for n, times in answer.json()["data"]["rows"]})
