"""Retention on a shop's real purchases, brought in as anybody would, is what pandas says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.running import Running, running

ROOT = Path(__file__).parent.parent.parent
PURCHASES = ROOT.parent / "shared" / "data" / "cdnow.txt.gz"
MAPPING = ROOT / "docs" / "examples" / "cdnow.toml"
MONTHS = 18  # January 1997 to June 1998

pytestmark = pytest.mark.skipif(not PURCHASES.exists(), reason=f"{PURCHASES} is not here")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("cdnow") / "data") as server:
        imported = server.json("import", str(PURCHASES), "--mapping", str(MAPPING),
                               "--register-types")  # fmt: skip
        assert imported["refused"] == 0
        yield server


@pytest.fixture(scope="module")
def purchases() -> pd.DataFrame:
    names = ["customer", "date", "cds", "dollars"]
    read = pd.read_csv(PURCHASES, sep=r"\s+", skiprows=1, names=names, dtype={"date": str})
    read["month"] = pd.to_datetime(read["date"], format="%Y%m%d").dt.to_period("M")
    return read


def ask(server: Running, path: str, **more: Any) -> Any:
    purchase = {"event_types": ["ITEM_PURCHASED"]}
    body = {
        **{"start": purchase, "from": "1997-01-01T00:00:00Z", "to": "1998-07-01T00:00:00Z"},
        **{"period": "month", "periods": MONTHS, "who": "first_time", "fresh": True},
        **more,
    }
    with server.client() as client:
        answer = client.post(path, json=body).json()
    assert answer["success"], answer
    return answer["data"]


def by_pandas(purchases: pd.DataFrame) -> dict[tuple[str, int], int]:
    """Customers by the month of their first purchase and the months since."""
    first = purchases.groupby("customer")["month"].transform("min")
    since = (purchases["month"] - first).map(lambda offset: offset.n)
    counts = purchases.groupby([first.astype(str), since])["customer"].nunique()
    return {(month, nth): int(people) for (month, nth), people in counts.items()}


def test_monthly_retention_of_newcomers_is_what_pandas_says(
    server: Running, purchases: pd.DataFrame
) -> None:
    expected = by_pandas(purchases)
    answer = ask(server, "/journeys/retention")
    assert len(answer["cohorts"]) == MONTHS
    compared = 0
    for place, cohort in enumerate(answer["cohorts"]):
        month = cohort["at"][:7]
        assert cohort["people"] == expected.get((month, 0), 0)
        for nth, cell in enumerate(cohort["cells"]):
            assert cell["people"] == expected.get((month, nth), 0), (month, nth)
            assert cell["complete"] == (place + nth < MONTHS)
            compared += cell["people"]
    assert compared == sum(expected.values())
    assert [cohort["people"] for cohort in answer["cohorts"][:4]] == [7846, 8476, 7248, 0]


def test_those_who_came_back_are_the_customers_that_pandas_finds(
    server: Running, purchases: pd.DataFrame
) -> None:
    first = purchases.groupby("customer")["month"].transform("min")
    started, later = pd.Period("1997-02"), pd.Period("1998-05")
    mine = purchases[(first == started) & (purchases["month"] == later)]["customer"].unique()
    which = {"cohort": "1997-02-01T00:00:00Z", "cell": 15}
    answer = ask(server, "/journeys/retention/people?limit=1000", **which)
    listed = {person["c_user_id"] for person in answer["items"]}
    assert answer["total"] == len(mine) == len(listed)
    assert listed == {f"1997{customer:05}" for customer in mine}
