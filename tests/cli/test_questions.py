"""Every question at the command line, on a real server, in each of its forms."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.running import Running, running

DAY = 86_400
MONDAY = 1_672_617_600  # 2023-01-02
RANGE = ["--from", "2023-01-02", "--to", "2023-01-16"]
CLICK, BUY = "LINK_TRACKING_CLICK", "ITEM_PURCHASED"

# Person, seconds from Monday, event type, price.
HAPPENED = [
    *((person, 0, CLICK, None) for person in range(1, 5)),
    (1, 3_600, BUY, 10),
    (2, 7_200, BUY, 20.5),
    (3, 8 * DAY, BUY, 5),
    (1, 9 * DAY, BUY, 30),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("questions") / "data") as server:
        server.json("event-types", "create", BUY)
        with server.client() as client:
            events = [event_of(server, *each) for each in HAPPENED]
            answer = client.post("/events/record/batch", json=events).json()
        assert {each["result"] for each in answer["data"]["results"]} == {"ok"}
        yield server


def event_of(
    server: Running, person: int, second: int, event_type: str, price: float | None
) -> dict[str, Any]:
    return {
        "organization_id": server.organization_id,
        "property_id": server.property_id,
        "timestamp": str(MONDAY + second),
        "event_type": event_type,
        "event_data": {} if price is None else {"price": price},
        "p_user_id": str(70_000 + person),
        "platform_type": "Discord" if person < 3 else "Telegram",
    }


def told(server: Running, *words: str) -> str:
    done = server.endu(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_trend(server: Running) -> None:
    words = ["trend", BUY, CLICK, "--measure", "people", "--interval", "week", *RANGE]
    lines = server.json(*words)["series"]
    values = {line["label"]: [point["value"] for point in line["points"]] for line in lines}
    assert values == {BUY: [2, 2], CLICK: [4, 0]}
    assert BUY in told(server, *words) and "█" in told(server, *words)
    sums = ["trend", BUY, "--measure", "sum", "--of", "event_data.price", "--interval", "week"]
    assert "30.5" in told(server, *sums, *RANGE)
    rows = read(told(server, *sums, *RANGE, "--csv"))
    assert [(row["at"][:10], row["value"]) for row in rows] == [
        ("2023-01-02", "30.5"),
        ("2023-01-09", "35.0"),
    ]


def test_a_trend_beside_the_period_before_and_by_platform(server: Running) -> None:
    words = ["trend", "any", "--breakdown", "platform", "--compare", "--interval", "week"]
    answer = server.json(*words, "--from", "2023-01-09", "--to", "2023-01-16")
    assert [line["group"] for line in answer["series"]] == ["discord", "telegram"]
    assert [line["points"][0]["value"] for line in answer["before"]] == [4, 2]
    shown = told(server, *words, "--from", "2023-01-09", "--to", "2023-01-16")
    assert "The period before" in shown and "telegram" in shown


def test_a_funnel(server: Running) -> None:
    words = ["funnel", CLICK, f"{BUY}[event_data.price>=10]", "--within", "7d", *RANGE]
    assert [step["people"] for step in server.json(*words)["steps"]] == [4, 2]
    longer = ["funnel", CLICK, BUY, "--within", "2w", "--breakdown", "platform", *RANGE]
    answer = server.json(*longer)
    assert [step["people"] for step in answer["steps"]] == [4, 3]
    groups = {each["value"]: [s["people"] for s in each["steps"]] for each in answer["groups"]}
    assert groups == {"discord": [2, 2], "telegram": [2, 1]}
    shown = told(server, *longer)
    assert "75.0%" in shown and "platform: telegram" in shown and "2.0 h" in shown
    rows = read(told(server, *longer, "--csv"))
    assert [(row["group"], row["label"], row["people"]) for row in rows[:3]] == [
        ("", CLICK, "4"),
        ("", BUY, "3"),
        ("discord", CLICK, "2"),
    ]


def test_retention(server: Running, tmp_path: Path) -> None:
    words = ["retention", CLICK, BUY, "--periods", "2", *RANGE]
    answer = server.json(*words)
    first, second = answer["cohorts"]
    assert (first["people"], [cell["people"] for cell in first["cells"]]) == (4, [2, 2])
    assert [cell["complete"] for cell in second["cells"]] == [True, False]
    assert answer["mean"] == [0.5, 0.5]
    shown = told(server, *words, "--breakdown", "platform")
    assert "50%" in shown and "platform: discord" in shown and "not over yet" in shown
    file = tmp_path / "retention.parquet"
    told(server, *words, "--parquet", str(file))
    rows = pq.read_table(file).to_pylist()
    assert [(row["cohort"][:10], row["period"], row["people"]) for row in rows[:2]] == [
        ("2023-01-02", 0, 2),
        ("2023-01-02", 1, 2),
    ]
    own = [*words, "--clock", "rolling", "--who", "first_time", "--returned", "on_or_after"]
    assert server.json(*own)["cohorts"][0]["cells"][0]["people"] == 3


def test_paths(server: Running) -> None:
    words = ["paths", "--start", CLICK, "--gap", "2h", *RANGE]
    sequences = server.json(*words)["sequences"]
    assert [(each["steps"], each["people"]) for each in sequences] == [
        ([CLICK], 2),
        ([CLICK, BUY], 2),
    ]
    shown = told(server, *words)
    assert f"{CLICK} → {BUY}" in shown and "100.0% of all paths" in shown
    assert [row["people"] for row in read(told(server, *words, "--csv"))] == ["2", "2"]


def test_drivers(server: Running) -> None:
    words = ["drivers", BUY, "--population", CLICK, "--within", "10d", "--minimum-support", "1"]
    words += ["--candidate", "platforms", *RANGE]
    answer = server.json(*words)
    assert (answer["people"], answer["reached"]) == (4, 3)
    shown = told(server, *words)
    assert "3 of 4 people" in shown and "came through" in shown and "discord" in shown
    rows = read(told(server, *words, "--csv"))
    assert {row["value"] for row in rows} == {"discord", "telegram"}
    silent = server.json("drivers", "--silent", "3", "--within", "7d", *RANGE)
    assert (silent["people"], silent["reached"]) == (4, 4)


def test_sql(server: Running, tmp_path: Path) -> None:
    said = "SELECT platform, count() AS n FROM events GROUP BY platform ORDER BY n DESC"
    answer = server.json("sql", said)
    assert answer["rows"] == [["discord", 5], ["telegram", 3]]
    assert "telegram" in told(server, "sql", said)
    assert told(server, "sql", said, "--csv").splitlines()[1] == "discord,5"
    file = tmp_path / "events.parquet"
    told(server, "sql", said, "--parquet", str(file))
    assert pq.read_table(file).to_pydict() == {"platform": ["discord", "telegram"], "n": [5, 3]}
    bound = "SELECT count() AS n FROM events WHERE platform = {which:String}"
    given = server.endu("sql", "--parameter", "which=telegram", "--json", input=bound)
    assert '"rows": [[3]]' in given.stdout, given.stderr


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (["trend", "NO_SUCH_TYPE"], "series[0].event_types[0]", 1),
        (["trend", BUY, "--from", "2023-01-01", "--last", "3d"], "not both", 2),
        (["trend", BUY, "--where", "=5"], "no condition", 2),
        (["trend", BUY, "--last", "soon"], "30m", 2),
        (["funnel", CLICK, BUY, "--within", "soon"], "30m", 2),
        (["paths", "--start", CLICK, "--end", BUY], "not both", 2),
        (["drivers"], "Say a goal", 2),
        (["sql", "SELECT 1 FROM nowhere"], "INVALID_QUESTION", 1),
        (["sql", "SELECT 1", "--parameter", "x"], "NAME=VALUE", 2),
        (["retention", CLICK, "--parquet", "/nowhere/at/all"], "cannot be written", 1),
    ],
    ids=lambda part: str(part)[:30],
)
def test_what_is_wrong_is_said_with_what_to_do(
    server: Running, words: list[str], said: str, code: int
) -> None:
    done = server.endu(*words)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr


def test_no_cell_of_a_csv_is_one_that_a_spreadsheet_would_run(server: Running) -> None:
    with server.client() as client:
        event = event_of(server, 9, 100 * DAY, BUY, None)
        event["event_data"] = {"tier": "=1+1"}
        assert client.post("/events/record", json=event).status_code == 200
    words = ["trend", BUY, "--breakdown", "event_data.tier", "--interval", "month", "--csv"]
    text = told(server, *words, "--from", "2023-04-01", "--to", "2023-05-01")
    assert read(text)[0]["group"] == "'=1+1"
