"""One answer in each format: nothing is rounded, nothing is lost, no cell runs."""

import csv
import io
import json
import math
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from endu.events.ledger import Table
from endu.journeys.sql import SqlQuestion, ask_sql
from endu.web.sql_arrow import as_arrow, as_parquet
from endu.web.sql_values import as_csv, as_ndjson, distinct, rows_as_json
from tests.journeys.sql_world import Shop, open_ledger, told_shop

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVERYTHING = """
SELECT 18446744073709551615 AS big, -9007199254740993::Int64 AS low, 9007199254740991 AS exact,
       toFloat64(1) / 0 AS infinite, toFloat64(0) / 0 AS none, 1.5 AS half, true AS yes,
       '=1+1' AS formula, '-5' AS negative, NULL AS nothing, 1.10::Decimal(9, 2) AS money,
       toDate('2023-01-31') AS day, toDateTime('2023-01-31 10:00:00') AS second,
       toDateTime64('2023-01-31 10:00:00.123', 3) AS milli,
       toDateTime64('2023-01-31 10:00:00.123456', 6) AS micro,
       toDateTime('2023-01-31 10:00:00', 'Europe/Berlin') AS berlin,
       [1, 2] AS numbers, (1, 'x') AS pair, map('k', 18446744073709551615) AS mapped,
       toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0') AS id, 'a'::FixedString(3) AS fixed,
       [NULL, 'x'] AS holes, toUInt128(5) AS wide, 'a'::LowCardinality(String) AS low_text,
       toIPv4('1.2.3.4') AS ip, toIntervalDay(2) AS days
"""

JSON: dict[str, Any] = {
    "big": "18446744073709551615", "low": "-9007199254740993", "exact": 9007199254740991,
    "infinite": None, "none": None, "half": 1.5, "yes": True, "formula": "=1+1", "negative": "-5",
    "nothing": None, "money": "1.10", "day": "2023-01-31", "second": "2023-01-31T10:00:00.000Z",
    "milli": "2023-01-31T10:00:00.123Z", "micro": "2023-01-31T10:00:00.123456Z",
    "berlin": "2023-01-31T09:00:00.000Z", "numbers": [1, 2], "pair": [1, "x"],
    "mapped": {"k": "18446744073709551615"}, "id": "61f0c404-5cb3-11e7-907b-a6006ad3dba0",
    "fixed": "a", "holes": [None, "x"], "wide": 5, "low_text": "a", "ip": "1.2.3.4", "days": 2,
}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    with open_ledger(tmp_path_factory.mktemp("formats")) as ledger:
        yield await told_shop(ledger)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def everything(shop: Shop) -> Table:
    return (await ask_sql(SqlQuestion(EVERYTHING, {}), shop.sources)).table


async def test_json_has_every_value_exactly(everything: Table) -> None:
    (row,) = json.loads(bytes(rows_as_json(everything)))
    assert dict(zip(everything.names, row, strict=True)) == JSON
    (line,) = as_ndjson(everything).splitlines()
    assert json.loads(line) == JSON


async def test_csv_has_the_same_values_and_no_formula(everything: Table) -> None:
    (row,) = csv.DictReader(io.StringIO(as_csv(everything).decode()))
    assert row["big"] == "18446744073709551615"
    assert row["formula"] == "'=1+1"
    assert (row["negative"], row["money"], row["half"]) == ("-5", "1.10", "1.5")
    assert (row["nothing"], row["infinite"], row["yes"]) == ("", "", "true")
    assert json.loads(row["mapped"]) == JSON["mapped"]


async def test_arrow_and_parquet_keep_the_types(everything: Table) -> None:
    arrow = pa.ipc.open_stream(as_arrow(everything)).read_all()
    parquet = pq.read_table(io.BytesIO(as_parquet(everything)))
    for table in (arrow, parquet):
        (row,) = table.to_pylist()
        assert (row["big"], row["low"]) == (18446744073709551615, -9007199254740993)
        assert math.isinf(row["infinite"])
        assert math.isnan(row["none"])
        assert (row["money"], row["day"]) == (Decimal("1.10"), date(2023, 1, 31))
        assert row["micro"] == datetime(2023, 1, 31, 10, 0, 0, 123456, UTC)
        assert row["berlin"] == datetime(2023, 1, 31, 9, tzinfo=UTC)
        assert (row["numbers"], row["holes"]) == ([1, 2], [None, "x"])
        assert list(row["pair"].values()) == [1, "x"]
        assert dict(row["mapped"]) == {"k": 18446744073709551615}
        assert (row["id"], row["fixed"], row["ip"]) == (JSON["id"], "a", "1.2.3.4")
    assert arrow.schema.field("milli").type == pa.timestamp("ms", "UTC")
    assert arrow.schema.field("low_text").type == pa.string()


async def test_an_answer_without_rows_is_written_in_every_format(shop: Shop) -> None:
    sql = "SELECT c_user_id, timestamp, identifiers FROM events WHERE platform = 'x'"
    table = (await shop.ask(sql)).table
    assert bytes(rows_as_json(table)) == b"[]"
    assert as_ndjson(table) == b""
    assert as_csv(table) == b"c_user_id,timestamp,identifiers\r\n"
    for found in (pa.ipc.open_stream(as_arrow(table)).read_all(),
                  pq.read_table(io.BytesIO(as_parquet(table)))):  # fmt: skip
        assert (found.num_rows, found.column_names) == (0, list(table.names))


async def test_every_event_is_written_in_every_format(shop: Shop, tmp_path: Path) -> None:
    table = (await shop.ask("SELECT * FROM events ORDER BY timestamp")).table
    rows = len(shop.rows)
    assert len(json.loads(bytes(rows_as_json(table)))) == rows
    assert len(as_ndjson(table).splitlines()) == rows
    assert len(list(csv.reader(io.StringIO(as_csv(table).decode(), newline="")))) == rows + 1
    file = tmp_path / "events.parquet"
    file.write_bytes(as_parquet(table))
    assert pq.read_table(file).column("event_data").to_pylist()[0] == table.columns[12][0]


# What spreadsheets do with a cell: OWASP's list of first characters, and their wide forms.
SIGNS = "=+-@\t\r\n＝＋－＠"


@given(st.text(st.sampled_from(SIGNS + "A1(0,.e\"'"), min_size=1, max_size=12))
async def test_no_cell_of_csv_begins_like_a_formula(text: str) -> None:
    written = as_csv(Table(("t",), ("String",), [[text]], 0, 0.0)).decode()
    (_, row) = csv.reader(io.StringIO(written, newline=""))
    cell = "".join(row)
    assert cell.removeprefix("'") == text.removeprefix("'")
    if cell[0] in SIGNS:
        float(cell)  # a number, which is what it says


async def test_a_formula_in_a_name_does_not_run_either() -> None:
    written = as_csv(Table(("=cmd|' /C calc'!A0",), ("UInt8",), [[1]], 0, 0.0)).decode()
    assert written.startswith("'=")


async def test_names_that_are_there_twice_are_told_apart() -> None:
    assert distinct(["a", "a", "a_2", "a"]) == ["a", "a_2", "a_2_2", "a_3"]
