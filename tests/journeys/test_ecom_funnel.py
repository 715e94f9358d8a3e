"""The stories in a shop's events are found by funnels: a broken checkout, failing payments,
newcomers and regulars. The counts are those that pandas comes to in another way."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.running import Running, running

ROOT = Path(__file__).parent.parent.parent
EVENTS = ROOT.parent / "shared" / "data" / "ecom.csv.gz"
MAPPING = ROOT / "docs" / "examples" / "ecom.toml"

BEFORE = {"from": "2024-01-01T00:00:00Z", "to": "2024-04-09T00:00:00Z"}
BROKEN = {"from": "2024-04-09T00:00:00Z", "to": "2024-05-10T00:00:00Z"}  # on mobile
FAILING = {"from": "2024-05-19T00:00:00Z", "to": "2024-06-08T00:00:00Z"}
AFTER = {"from": "2024-06-08T00:00:00Z", "to": "2024-07-01T00:00:00Z"}
ALL = {"from": "2024-01-01T00:00:00Z", "to": "2024-07-01T00:00:00Z"}
CHECKOUT = ("CART", "SHIPPING_DETAILS", "PAYMENT_DETAILS", "PURCHASE")
PAID, PURCHASED = 2, 3  # their places

pytestmark = pytest.mark.skipif(not EVENTS.exists(), reason=f"{EVENTS} is not here")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("ecom") / "data") as server:
        imported = server.json("import", str(EVENTS), "--mapping", str(MAPPING),
                               "--register-types")  # fmt: skip
        assert imported["refused"] == 0
        yield server


def ask(server: Running, *steps: str, path: str = "", **asked: Any) -> Any:
    body = {"steps": [{"event_types": [step]} for step in steps], "fresh": True, **asked}
    with server.client() as client:
        answer = client.post(f"/journeys/funnel{path}", json=body).json()
    assert answer["success"], answer
    return answer["data"]


def checkout(server: Running, span: dict[str, str]) -> dict[str, list[float]]:
    """By platform, which share of those at each step came from the one before; "" is everybody.
    A visit is one session."""
    data = ask(
        server,
        *CHECKOUT,
        **span,
        within={"hours": 2},
        hold=["event_data.session_id"],
        breakdown={"field": "event_data.platform"},
    )
    groups = {"": data["steps"], **{group["value"]: group["steps"] for group in data["groups"]}}
    return {name: [step["from_previous"] for step in steps] for name, steps in groups.items()}


def test_a_deploy_breaks_the_way_to_payment_for_mobile_users(server: Running) -> None:
    before, broken, after = (checkout(server, span) for span in (BEFORE, BROKEN, AFTER))
    assert broken["mobile"][PAID] < 0.5 * min(before["mobile"][PAID], after["mobile"][PAID])
    assert broken["mobile"][PAID] == min(shares[PAID] for shares in broken.values())


def test_payments_fail_for_everybody(server: Running) -> None:
    before, failing, after = (checkout(server, span) for span in (BEFORE, FAILING, AFTER))
    assert failing[""][PURCHASED] < 0.65 * min(before[""][PURCHASED], after[""][PURCHASED])
    assert failing[""][PAID] >= before[""][PAID]  # until there, all is well
    assert failing["desktop"][PURCHASED] < before["desktop"][PURCHASED]
    assert failing["mobile"][PURCHASED] < before["mobile"][PURCHASED]


def test_new_users_browse_and_loyal_ones_buy(server: Running) -> None:
    data = ask(server, "PRODUCT_VIEW", "ADD_TO_CART", "PURCHASE", **ALL, within={"days": 14},
               breakdown={"field": "event_data.user_lifecycle"})  # fmt: skip
    shares = {group["value"]: [step["from_start"] for step in group["steps"]]
              for group in data["groups"]}  # fmt: skip
    assert shares["new"][1] < 0.75 * shares["loyal"][1]
    assert shares["new"][2] < shares["returning"][2] < shares["loyal"][2]


def test_the_people_of_every_bar_are_as_many_as_it_says(server: Running) -> None:
    asked = {**ALL, "breakdown": {"field": "event_data.platform"}}
    data = ask(server, *CHECKOUT, **asked)
    bars = [(None, data["steps"])] + [(each["value"], each["steps"]) for each in data["groups"]]
    for group, steps in bars:
        for place, step in enumerate(steps, 1):
            for outcome, number in (("converted", step["people"]), ("dropped", step["dropped"])):
                which = {"step": place, "outcome": outcome, "group": group}
                page = ask(server, *CHECKOUT, path="/people?limit=1000", **asked, **which)
                assert page["total"] == len(page["items"]) == number


@pytest.mark.parametrize("days", [1, 14])
def test_the_counts_are_those_of_pandas(server: Running, days: int) -> None:
    data = ask(server, *CHECKOUT, **ALL, within={"days": days})
    assert [step["people"] for step in data["steps"]] == counted(pd.Timedelta(days=days))


def counted(within: pd.Timedelta) -> list[int]:
    """From every event of the first step, each next one as soon as it comes."""
    read = pd.read_csv(EVENTS, parse_dates=["timestamp"])
    kinds = read["event"].str.upper()
    reached = read[kinds == CHECKOUT[0]][["user_id", "timestamp"]]
    reached = reached.assign(entry=reached["timestamp"]).sort_values("timestamp")
    people = [reached["user_id"].nunique()]
    for kind in CHECKOUT[1:]:
        done = read[kinds == kind][["user_id", "timestamp"]].sort_values("timestamp")
        done = done.assign(done=done["timestamp"])
        reached = pd.merge_asof(reached, done, on="timestamp", by="user_id", direction="forward")
        reached = reached[reached["done"] - reached["entry"] <= within]
        reached = reached.assign(timestamp=reached["done"]).drop(columns="done")
        reached = reached.sort_values("timestamp")
        people.append(reached["user_id"].nunique())
    return people
