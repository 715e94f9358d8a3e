"""Promises of every ledger, then of the one that answers questions."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from endu.events.event import Seq
from endu.events.ledger import (
    Ledger,
    LedgerDamaged,
    OwnerChange,
    VisitChange,
    Visited,
    who_sql,
)
from endu.identities.identifier import Subject
from endu.stores.chdb_handles import Limits
from endu.stores.chdb_ledger import ChdbLedger, open_chdb_ledger
from tests.log_world import ACME, GLOBEX, NOON, settled

FIRST, LAST = Seq(1), Seq(1_000)


def owner(subject: int, identity: int, version: int) -> OwnerChange:
    return OwnerChange(Subject(subject), Subject(identity), version)


def visit(seq: int, subject: int, version: int) -> VisitChange:
    return VisitChange(Seq(seq), Subject(subject), version)


async def test_what_was_appended_is_present(ledger: Ledger) -> None:
    assert await ledger.present(0, FIRST, LAST) == set()
    await ledger.append(0, [settled(1), settled(3)])
    await ledger.append(0, [])
    await ledger.append(0, [settled(2)])  # between two that are there
    assert await ledger.present(0, FIRST, LAST) == {1, 2, 3}
    assert (await ledger.last(0), await ledger.last(1)) == (3, 0)
    assert await ledger.present(0, Seq(2), Seq(2)) == {2}


async def test_the_same_place_of_another_source_is_another_event(ledger: Ledger) -> None:
    await ledger.append(0, [settled(1)])
    await ledger.append(7, [settled(1)])
    assert await ledger.present(0, FIRST, LAST) == {1}
    assert await ledger.present(1, FIRST, LAST) == set()


async def test_the_greatest_versions_are_known(ledger: Ledger) -> None:
    assert await ledger.versions() == (0, 0)
    await ledger.set_owners([owner(1, 2, 1), owner(3, 2, 4)])
    await ledger.set_owners([owner(1, 2, 1)])
    await ledger.set_visits([visit(1, 2, 9)])
    await ledger.set_visits([])
    await ledger.refresh()
    assert await ledger.versions() == (4, 9)


async def whose(ledger: ChdbLedger) -> list[int]:
    return [
        row[0]
        for row in await ledger.ask(
            f"SELECT {who_sql(Visited.ANY)} FROM endu.events ORDER BY seq", {}
        )
    ]


async def test_owners_move_events_without_touching_them(chdb_ledger: ChdbLedger) -> None:
    await chdb_ledger.append(0, [settled(1, subject=10), settled(2, subject=11)])
    assert await whose(chdb_ledger) == [10, 11]
    await chdb_ledger.set_owners([owner(11, 10, 1)])
    await chdb_ledger.refresh()
    assert await whose(chdb_ledger) == [10, 10]
    await chdb_ledger.set_owners([owner(11, 11, 2)])
    await chdb_ledger.set_owners([owner(11, 10, 1)])  # an old one again changes nothing
    await chdb_ledger.refresh()
    assert await whose(chdb_ledger) == [10, 11]


async def test_visits_give_single_events_to_somebody_else(chdb_ledger: ChdbLedger) -> None:
    await chdb_ledger.append(0, [settled(1, subject=10), settled(2, subject=10)])
    await chdb_ledger.set_visits([visit(2, 20, 1)])
    await chdb_ledger.set_owners([owner(20, 30, 1)])
    await chdb_ledger.refresh()
    assert await whose(chdb_ledger) == [10, 30]
    await chdb_ledger.set_visits([visit(2, 0, 2)])
    await chdb_ledger.refresh()
    assert await whose(chdb_ledger) == [10, 10]


async def test_an_event_comes_back_as_it_was(chdb_ledger: ChdbLedger) -> None:
    data = '{"text":"tab\\t quote\' \u00fc \U0001f600","n":1e-7}'.encode()
    identifiers = ("discord:1", "wallet:eip155:0xab'\\")
    await chdb_ledger.append(
        3, [settled(5, data=data, identifiers=identifiers, details=b'{"a":1}', chain_type="base")]
    )
    columns = """org, event_type, subject, toUnixTimestamp64Milli(ts), seq, source, property_id,
        platform, chain_type, proof, identifiers, event_data, details, reused, fingerprint"""
    (row,) = await chdb_ledger.ask(f"SELECT {columns} FROM endu.events", {})
    assert row[:6] == (ACME, "type-1", 7, NOON, 5, 3)
    assert row[7:10] == ("discord", "base", 2)
    assert tuple(row[10]) == identifiers
    assert row[11].encode() == data
    assert row[12:] == ('{"a":1}', False, 0)


async def test_a_table_from_before_a_column_was_added_gets_it(tmp_path: Path) -> None:
    with open_chdb_ledger(tmp_path / "ledger", Limits()) as ledger:
        ledger._writer.command("ALTER TABLE endu.events DROP COLUMN device_only")
        await ledger.append(0, [settled(1, subject=7), settled(2, subject=0)])
    with open_chdb_ledger(tmp_path / "ledger", Limits()) as ledger:
        rows = await ledger.ask("SELECT seq, device_only FROM endu.events ORDER BY seq", {})
        assert rows == [(1, False), (2, True)]


async def test_everything_is_there_after_opening_again(tmp_path: Path) -> None:
    with open_chdb_ledger(tmp_path / "ledger", Limits()) as ledger:
        await ledger.append(0, [settled(1, subject=10), settled(9, organization_id=GLOBEX)])
        await ledger.set_owners([owner(10, 11, 1)])
    (tmp_path / "ledger" / "temporary" / "left-behind").write_text("by a kill")
    with open_chdb_ledger(tmp_path / "ledger", Limits()) as ledger:
        assert await ledger.last(0) == 9
        assert await ledger.versions() == (1, 0)
        assert await whose(ledger) == [11, 7]
        assert list((tmp_path / "ledger" / "temporary").iterdir()) == []


async def test_a_row_that_does_not_fit_raises_before_anything_is_written(
    chdb_ledger: ChdbLedger,
) -> None:
    with pytest.raises((ValueError, TypeError, OverflowError)):
        await chdb_ledger.append(0, [settled(1), settled(2, proof=300)])
    assert await chdb_ledger.present(0, FIRST, LAST) == set()


async def test_a_write_that_failed_unnoticed_is_seen_and_its_rows_come_again(
    chdb_ledger: ChdbLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    client: Any = chdb_ledger._writer.client
    insert = client.insert_arrow

    def and_lose_it(table: str, rows: Any) -> None:
        insert(table, rows)
        path = "SELECT path FROM system.parts WHERE database = 'endu' AND active"
        for (part,) in client.query(path).result_rows:
            os.truncate(Path(part) / "data.bin", 0)

    monkeypatch.setattr(client, "insert_arrow", and_lose_it)
    with pytest.raises(LedgerDamaged):
        await chdb_ledger.append(0, [settled(1), settled(2)])
    monkeypatch.undo()
    assert await chdb_ledger.present(0, FIRST, LAST) == set()
    await chdb_ledger.append(0, [settled(1), settled(2)])
    assert await chdb_ledger.present(0, FIRST, LAST) == {1, 2}


async def test_after_an_insert_that_failed_half_way_the_rest_is_verified_against_what_is_there(
    chdb_ledger: ChdbLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await chdb_ledger.last(0) == 0
    await chdb_ledger.append(0, [settled(1)])
    client: Any = chdb_ledger._writer.client
    insert = client.insert_arrow

    def half_of_it(table: str, rows: Any) -> None:
        insert(table, rows.slice(0, 1))
        raise OSError("no room")

    monkeypatch.setattr(client, "insert_arrow", half_of_it)
    with pytest.raises(OSError, match="no room"):
        await chdb_ledger.append(0, [settled(2), settled(3)])
    monkeypatch.undo()
    await chdb_ledger.append(0, [settled(3)])
    assert await chdb_ledger.last(0) == 3
    await chdb_ledger.append(0, [settled(4)])
    assert await chdb_ledger.checks(0, 1, 9) == [(n, settled(n).check) for n in (1, 2, 3, 4)]


async def test_batches_over_many_months_and_large_ones_fit(chdb_ledger: ChdbLedger) -> None:
    month = 31 * 24 * 3_600_000
    await chdb_ledger.append(
        0, [settled(seq, received_at_ms=NOON - (seq % 90) * month) for seq in range(1, 2_501)]
    )
    assert len(await chdb_ledger.present(0, FIRST, Seq(5_000))) == 2_500


def test_a_process_with_an_open_ledger_does_not_fork(chdb_ledger: ChdbLedger) -> None:
    with pytest.raises(RuntimeError, match="fork"):
        os.fork()
    assert subprocess.run(["true"], check=False).returncode == 0


def test_a_config_in_the_working_directory_is_not_picked_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.xml").write_text("<clickhouse><path>/nowhere</path>")
    monkeypatch.chdir(tmp_path)
    with open_chdb_ledger(tmp_path / "ledger", Limits()):
        assert (tmp_path / "ledger" / "engine").is_dir()
