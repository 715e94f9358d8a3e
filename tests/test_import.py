"""Files of events through a real server: once, whole, and the same again changes nothing."""

import csv
import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.running import Running, running

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data"
EXAMPLES = ROOT / "docs" / "examples"

CDNOW = ("cdnow.txt.gz", EXAMPLES / "cdnow.toml", 69_659)
ECOM = ("ecom.csv.gz", EXAMPLES / "ecom.toml", 31_106)
both = pytest.mark.parametrize(("name", "mapping", "rows"), [CDNOW, ECOM], ids=["cdnow", "ecom"])

Facts = tuple[str, str, str]  # time, event type, event_data


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("import") / "data") as server:
        yield server


@both
def test_real_files_come_in_whole_and_twice_changes_nothing(
    server: Running, tmp_path: Path, name: str, mapping: Path, rows: int
) -> None:
    words = ["import", found(name), "--mapping", str(mapping), "--register-types"]
    first = imported(server, tmp_path, *words)
    assert (first["rows"], first["kept"], first["refused"]) == (rows, rows, 0)
    before = [timeline(server, number) for number in CUSTOMERS[name]]
    again = imported(server, tmp_path, *words)
    assert (again["rows"], again["kept"], again["duplicates"]) == (rows, 0, rows)
    after = [timeline(server, number) for number in CUSTOMERS[name]]
    assert after == before
    assert [facts_of(items) for items in after] == [
        facts_in(name, number) for number in CUSTOMERS[name]
    ]


def test_what_is_refused_is_counted_and_kept_in_a_file(server: Running, tmp_path: Path) -> None:
    good = {"property_id": "W#site", "event_type": "LINK_TRACKING_CLICK", "timestamp": 1700000000}
    lines = [
        json.dumps({**good, "fingerprint": "f1"}),
        json.dumps(good),
        "this is no event",
        json.dumps({**good, "fingerprint": "f1", "timestamp": "soon"}),
    ]
    (tmp_path / "events.ndjson").write_text("\n".join(lines))
    done = server.endu("import", "events.ndjson", "--json", cwd=tmp_path)
    assert done.returncode == 1
    summary = json.loads(done.stdout)
    assert (summary["rows"], summary["kept"], summary["refused"]) == (4, 1, 3)
    assert summary["reasons"] == {"NOBODY_NAMED": 1, "NOT_AN_EVENT": 1, "INVALID_EVENT": 1}
    refused_file = tmp_path / summary["refused_file"]
    refused = [json.loads(line) for line in refused_file.read_text().splitlines()]
    assert [each["row"] for each in refused] == [2, 3, 4]
    assert refused[1]["text"] == "this is no event"


def test_an_unknown_event_type_stops_the_import_until_it_is_to_be_registered(
    server: Running, tmp_path: Path
) -> None:
    event = {"property_id": "W#site", "event_type": "SOMETHING_NEW", "timestamp": 1700000000}
    (tmp_path / "events.ndjson").write_text(json.dumps({**event, "fingerprint": "f2"}))
    done = server.endu("import", "events.ndjson", cwd=tmp_path)
    assert done.returncode == 1
    assert "SOMETHING_NEW" in done.stderr and "--register-types" in done.stderr
    assert imported(server, tmp_path, "import", "events.ndjson", "--register-types")["kept"] == 1


def test_an_import_that_was_stopped_goes_on_where_it_was(server: Running, tmp_path: Path) -> None:
    event = {"property_id": "W", "timestamp": 1700000000, "fingerprint": "f4"}
    types = ["BEGIN_EVENT"] * 5_000 + ["NOT_YET_THERE"]
    lines = [json.dumps({**event, "event_type": name}) for name in types]
    (tmp_path / "events.ndjson").write_text("\n".join(lines))
    assert server.endu("import", "events.ndjson", cwd=tmp_path).returncode == 1
    rest = imported(server, tmp_path, "import", "events.ndjson", "--register-types")
    assert rest["resumed_at"] > 0
    assert rest["rows"] == 5_001 - rest["resumed_at"]
    again = imported(server, tmp_path, "import", "events.ndjson")
    assert (again["resumed_at"], again["kept"], again["duplicates"]) == (0, 0, 5_001)


def test_an_import_leaves_no_key_behind(server: Running, tmp_path: Path) -> None:
    event = {"property_id": "W", "event_type": "BEGIN_EVENT", "timestamp": 1, "fingerprint": "f3"}
    (tmp_path / "old.ndjson").write_text(json.dumps(event))
    assert imported(server, tmp_path, "import", "old.ndjson")["kept"] == 1
    keys = [key for key in server.json("keys", "list") if key["kind"] == "import"]
    assert keys and all(key["revoked_at"] is not None for key in keys)


def imported(server: Running, here: Path, *words: str) -> dict[str, Any]:
    done = server.endu(*words, "--json", cwd=here, timeout=120)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def timeline(server: Running, number: str) -> list[dict[str, Any]]:
    items = server.json("identities", "timeline", number, "--limit", "1000")
    assert isinstance(items, list)
    return items


def facts_of(items: list[dict[str, Any]]) -> list[Facts]:
    """Sorted: of two events with the same time, either may have come first."""
    return sorted(
        (each["timestamp"], each["event_type"], json.dumps(each["event_data"], sort_keys=True))
        for each in items
    )


def found(name: str) -> str:
    if not (DATA / name).exists():
        pytest.skip(f"{name} is not there: it is not part of the project")
    return str(DATA / name)


def facts_in(name: str, number: str) -> list[Facts]:
    """What the file says of the customer, read in another way than the import reads it."""
    with gzip.open(found(name), "rt") as text:
        return sorted(fact for customer, fact in READ[name](text) if customer == number)


def cdnow(text: Any) -> Iterator[tuple[str, Facts]]:
    next(text)
    for line in text:
        customer, date, count, dollars = line.split()
        at = f"{date[:4]}-{date[4:6]}-{date[6:]}T00:00:00.000Z"
        data = {"number_of_cds": int(count), "dollar_value": float(dollars)}
        yield "1997" + customer, (at, "ITEM_PURCHASED", json.dumps(data, sort_keys=True))


def ecom(text: Any) -> Iterator[tuple[str, Facts]]:
    for row in csv.DictReader(text):
        at = row["timestamp"].replace(" ", "T") + ".000Z"
        names = ("session_id", "platform", "acquisition_channel", "user_cohort", "user_lifecycle")
        data = {name: row[name] for name in names}
        fact = (at, row["event"].upper(), json.dumps(data, sort_keys=True))
        yield row["user_id"].replace("user_", "2024"), fact


READ: dict[str, Callable[[Any], Iterator[tuple[str, Facts]]]] = {
    "cdnow.txt.gz": cdnow,
    "ecom.csv.gz": ecom,
}
# The first, the last, and one with much to compare.
CUSTOMERS = {
    "cdnow.txt.gz": ["199700001", "199723570", "199714048"],
    "ecom.csv.gz": ["20240000", "20240599", "20240042"],
}
