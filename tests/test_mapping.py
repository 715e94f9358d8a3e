"""Rows become events: whole, as the mapping says, each told from all others."""

import gzip
from pathlib import Path

import pytest

from endu.cli.importing.events import BadRow, event_maker
from endu.cli.importing.mapping import Mapping, read_mapping
from endu.cli.importing.mark import Mark, mark_file, read_mark, write_mark
from endu.cli.importing.rows import ReadRow, content_of, rows_of
from endu.cli.importing.sending import Size, batches_of
from endu.cli.stop import Stop

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data"
EXAMPLES = ROOT / "docs" / "examples"

SIZE = Size(events=2_000, bytes=5 * 1024 * 1024)

MAPPING = """
[event]
property_id = "W#shop"
event_type = { column = "what", case = "upper", values = { click = "link_tracking_click" } }
timestamp = { column = "when", timezone = "Europe/Paris" }
c_user_id = { column = "user", take = "digits", prefix = "7" }
chain_type = "ethereum"
chain_account = { column = "wallet" }

[event_data]
price = { column = "price", type = "number" }
count = { column = "count", type = "integer" }
gift = { column = "gift", type = "boolean" }
"""
HEADER = ["what", "when", "user", "wallet", "price", "count", "gift"]


def mapping_of(directory: Path, text: str) -> Mapping:
    path = directory / "mapping.toml"
    path.write_text(text)
    return read_mapping(path)


def test_a_row_becomes_the_event_that_the_mapping_says(tmp_path: Path) -> None:
    event_of = event_maker(mapping_of(tmp_path, MAPPING), HEADER)
    row = ["click", "2024-07-01 12:00:00", "user_0042", "0xAB", "9.50", "2", "Yes"]
    assert event_of(row) == {
        "property_id": "W#shop",
        "event_type": "LINK_TRACKING_CLICK",
        "c_user_id": "70042",
        "timestamp": 1719828000,
        "blockchain": {"chain_type": "ethereum", "chain_account": "0xAB"},
        "event_data": {"price": 9.5, "count": 2, "gift": True},
    }


def test_empty_cells_are_left_out(tmp_path: Path) -> None:
    event_of = event_maker(mapping_of(tmp_path, MAPPING), HEADER)
    event = event_of(["buy", "2024-07-01T12:00:00.25Z", "", "", "", "", ""])
    assert event == {
        "property_id": "W#shop",
        "event_type": "BUY",
        "timestamp": 1719835200.25,
        "event_data": {},
    }


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (["buy"], "1 columns"),
        (["buy", "yesterday", "1", "", "", "", ""], "when is 'yesterday'"),
        (["buy", "2024-07-01", "1", "", "cheap", "", ""], "price is 'cheap'"),
        (["buy", "2024-07-01", "1", "", "nan", "", ""], "price is 'nan'"),
        (["buy", "2024-07-01", "1", "", "", "2.5", ""], "count is '2.5'"),
        (["buy", "2024-07-01", "1", "", "", "", "maybe"], "gift is 'maybe'"),
    ],
)
def test_a_row_that_cannot_be_an_event_says_why(
    tmp_path: Path, cells: list[str], says: str
) -> None:
    event_of = event_maker(mapping_of(tmp_path, MAPPING), HEADER)
    with pytest.raises(BadRow, match=says):
        event_of(cells)


@pytest.mark.parametrize(
    ("form", "text", "seconds"),
    [
        ("iso", "2024-01-01T00:00:00+02:00", 1704060000),
        ("unix", "1672536219", 1672536219),
        ("unix", "1672536219.5", 1672536219.5),
        ("unix_ms", "1672536219123", 1672536219.123),
        ("%d/%m/%Y %H:%M", "31/12/2023 23:30", 1704065400),
    ],
)
def test_times_are_read_as_the_mapping_says(
    tmp_path: Path, form: str, text: str, seconds: float
) -> None:
    mapping = f"""
    [event]
    property_id = "W#shop"
    event_type = "BUY"
    timestamp = {{ column = "when", format = "{form}" }}
    fingerprint = "f"
    """
    event_of = event_maker(mapping_of(tmp_path, mapping), ["when"])
    assert event_of([text])["timestamp"] == seconds


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("c_user_id", "c_user_ids"), "c_user_ids"),
        (('take = "digits"', 'take = "half"'), "half"),
        (("[event_data]", "[event_date]"), "event_date"),
        (("property_id", "#"), "property_id"),
        (("[event]", "[event"), "is not right"),
    ],
)
def test_a_mistake_in_a_mapping_is_named(
    tmp_path: Path, change: tuple[str, str], says: str
) -> None:
    with pytest.raises(Stop, match=says) as stop:
        mapping_of(tmp_path, MAPPING.replace(*change))
    assert stop.value.exit_code == 2


def test_a_mapping_has_to_name_someone(tmp_path: Path) -> None:
    nobody = '[event]\nproperty_id = "W"\nevent_type = "BUY"\ntimestamp = { column = "t" }\n'
    with pytest.raises(Stop, match="names nobody"):
        mapping_of(tmp_path, nobody + 'p_user_id = "1"\n')


def test_columns_that_the_file_lacks_are_named(tmp_path: Path) -> None:
    with pytest.raises(Stop, match="no column gift, wallet; it has what"):
        event_maker(mapping_of(tmp_path, MAPPING), HEADER[:3] + HEADER[4:6])


def test_a_packed_file_has_the_message_ids_of_the_plain_one(tmp_path: Path) -> None:
    lines = b'{"event_type": "A"}\n\n{"event_type": "B", "message_id": "mine"}\nnot json\n'
    plain, packed = tmp_path / "a.ndjson", tmp_path / "b.gz"
    plain.write_bytes(lines)
    packed.write_bytes(gzip.compress(lines))
    rows = everything(plain, None)
    assert rows == everything(packed, None)
    assert [row.number for row in rows] == [1, 2, 3]
    first, second = rows[0].event, rows[1].event
    assert first is not None and first["message_id"].endswith(":1")
    assert second is not None and second["message_id"] == "mine"
    assert rows[2].event is None and rows[2].text == "not json"


def test_chosen_columns_tell_rows_apart_in_a_file_that_grows(tmp_path: Path) -> None:
    mapping = mapping_of(tmp_path, 'message_id = ["what", "when"]\n' + MAPPING)
    table = tmp_path / "table.csv"
    header = ",".join(HEADER) + "\n"
    row = "buy,2024-07-01,1,,,,\n"
    table.write_text(header + row)
    before = everything(table, mapping)
    table.write_text(header + row.replace("buy", "sell") + row)
    after = everything(table, mapping)
    assert before[0].event is not None and after[1].event is not None
    assert before[0].event["message_id"] == after[1].event["message_id"]


@pytest.mark.parametrize("content", [b"\x1f\x8bbroken", b"\xff\xfe\x00text\n1\n"])
def test_a_file_that_is_no_text_is_turned_down(tmp_path: Path, content: bytes) -> None:
    table = tmp_path / "table.csv"
    table.write_bytes(content)
    mapping = mapping_of(tmp_path, MAPPING)
    with pytest.raises(Stop) as stop:
        everything(table, mapping)
    assert stop.value.exit_code == 2


def test_batches_hold_every_row_in_order_and_no_batch_is_too_large() -> None:
    rows = [ReadRow(n, None if n % 7 == 0 else {"x": "y" * 10_000}) for n in range(1, 2501)]
    batches = list(batches_of(rows, SIZE))
    assert [row for batch in batches for row in batch.rows] == rows
    assert all(len(batch.rows) <= SIZE.events for batch in batches)
    assert all(len(b"\n".join(batch.lines)) <= SIZE.bytes for batch in batches)
    assert [batch.last for batch in batches] == [batch.rows[-1].number for batch in batches]


def test_a_mark_is_of_one_file_mapping_and_organization(tmp_path: Path) -> None:
    mapping = mapping_of(tmp_path, MAPPING)
    paths = {
        mark_file(tmp_path, "org", "digest", mapping),
        mark_file(tmp_path, "org", "digest", None),
        mark_file(tmp_path, "other", "digest", mapping),
        mark_file(tmp_path, "org", "another", mapping),
    }
    assert len(paths) == 4
    path = paths.pop()
    assert read_mark(path) == Mark(0)
    write_mark(path, Mark(5))
    assert read_mark(path) == Mark(5)


def everything(path: Path, mapping: Mapping | None) -> list[ReadRow]:
    return list(rows_of(path, mapping, content_of(path).digest))
