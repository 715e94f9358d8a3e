"""The stories in a shop's events are found by funnels: a broken checkout, failing payments,
newcomers and regulars. The counts are those that pandas comes to in another way."""

from typing import Any

import pandas as pd
import pytest

from tests.journeys.shop import AFTER, ALL, BEFORE, BROKEN, EVENTS, FAILING, needs_shop
from tests.running import Running

CHECKOUT = ("CART", "SHIPPING_DETAILS", "PAYMENT_DETAILS", "PURCHASE")
PAID, PURCHASED = 2, 3  # their places

pytestmark = needs_shop


def ask(shop: Running, *steps: str, path: str = "", **asked: Any) -> Any:
    body = {"steps": [{"event_types": [step]} for step in steps], "fresh": True, **asked}
    with shop.client() as client:
        answer = client.post(f"/journeys/funnel{path}", json=body).json()
    assert answer["success"], answer
    return answer["data"]


def checkout(shop: Running, span: dict[str, str]) -> dict[str, list[float]]:
    """By platform, which share of those at each step came from the one before; "" is everybody.
    A visit is one session."""
    data = ask(
        shop,
        *CHECKOUT,
        **span,
        within={"hours": 2},
        hold=["event_data.session_id"],
        breakdown={"field": "event_data.platform"},
    )
    groups = {"": data["steps"], **{group["value"]: group["steps"] for group in data["groups"]}}
    return {name: [step["from_previous"] for step in steps] for name, steps in groups.items()}


def test_a_deploy_breaks_the_way_to_payment_for_mobile_users(shop: Running) -> None:
    before, broken, after = (checkout(shop, span) for span in (BEFORE, BROKEN, AFTER))
    assert broken["mobile"][PAID] < 0.5 * min(before["mobile"][PAID], after["mobile"][PAID])
    assert broken["mobile"][PAID] == min(shares[PAID] for shares in broken.values())


def test_payments_fail_for_everybody(shop: Running) -> None:
    before, failing, after = (checkout(shop, span) for span in (BEFORE, FAILING, AFTER))
    assert failing[""][PURCHASED] < 0.65 * min(before[""][PURCHASED], after[""][PURCHASED])
    assert failing[""][PAID] >= before[""][PAID]  # until there, all is well
    assert failing["desktop"][PURCHASED] < before["desktop"][PURCHASED]
    assert failing["mobile"][PURCHASED] < before["mobile"][PURCHASED]


def test_new_users_browse_and_loyal_ones_buy(shop: Running) -> None:
    data = ask(shop, "PRODUCT_VIEW", "ADD_TO_CART", "PURCHASE", **ALL, within={"days": 14},
               breakdown={"field": "event_data.user_lifecycle"})  # fmt: skip
    shares = {group["value"]: [step["from_start"] for step in group["steps"]]
              for group in data["groups"]}  # fmt: skip
    assert shares["new"][1] < 0.75 * shares["loyal"][1]
    assert shares["new"][2] < shares["returning"][2] < shares["loyal"][2]


def test_the_people_of_every_bar_are_as_many_as_it_says(shop: Running) -> None:
    asked = {**ALL, "breakdown": {"field": "event_data.platform"}}
    data = ask(shop, *CHECKOUT, **asked)
    bars = [(None, data["steps"])] + [(each["value"], each["steps"]) for each in data["groups"]]
    for group, steps in bars:
        for place, step in enumerate(steps, 1):
            for outcome, number in (("converted", step["people"]), ("dropped", step["dropped"])):
                which = {"step": place, "outcome": outcome, "group": group}
                page = ask(shop, *CHECKOUT, path="/people?limit=1000", **asked, **which)
                assert page["total"] == len(page["items"]) == number


@pytest.mark.parametrize("days", [1, 14])
def test_the_counts_are_those_of_pandas(shop: Running, days: int) -> None:
    data = ask(shop, *CHECKOUT, **ALL, within={"days": days})
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
