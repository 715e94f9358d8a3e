"""The stories in a shop's events are found by drivers: failing payments, newcomers and regulars."""

from typing import Any

from tests.journeys.shop import FAILING, needs_shop
from tests.running import Running

# The provider of payments failed from 19 May to 7 June.
BEFORE = {"from": "2024-04-29T00:00:00Z", "to": "2024-05-19T00:00:00Z"}
PAYING: dict[str, Any] = {
    "goal": {"event_types": ["PURCHASE"]},
    "population": {"event_types": ["PAYMENT_DETAILS"]},
    "candidates": ["event_types", {"field": "event_data.platform"}],
    "within": {"hours": 12},
    "minimum_support": 15,
}

pytestmark = needs_shop


def ask(shop: Running, path: str = "", **body: Any) -> Any:
    with shop.client() as client:
        answer = client.post(f"/journeys/drivers{path}", json={**body, "fresh": True}).json()
    assert answer["success"], answer
    return answer["data"]


def test_failing_payments_are_what_goes_with_not_buying(shop: Running) -> None:
    failing, before = ask(shop, **PAYING, **FAILING), ask(shop, **PAYING, **BEFORE)
    assert failing["rate"] < before["rate"] / 2
    first = failing["drivers"][0]
    assert first["behaviour"]["value"] == "PAYMENT_ERROR"
    assert first["text"] == "did PAYMENT_ERROR: associated with reaching the goal less often"
    assert first["q"] < 0.001
    assert first["odds_high"] < 0.5
    said = [driver["behaviour"]["value"] for driver in before["drivers"]]
    assert "PAYMENT_ERROR" not in said
    assert said


def test_those_whose_payment_failed_can_be_listed(shop: Running) -> None:
    first = ask(shop, **PAYING, **FAILING)["drivers"][0]
    numbers = {
        (True, True): first["reached_with"],
        (True, None): first["people_with"],
        (False, True): first["reached_without"],
        (False, None): first["people_without"],
    }
    for (has_it, reached), number in numbers.items():
        chosen = {"behaviour": first["behaviour"], "with": has_it, "reached": reached}
        page = ask(shop, "/people?limit=1000", **PAYING, **FAILING, **chosen)
        assert page["total"] == len(page["items"]) == number


def test_newcomers_buy_less_and_regulars_more(shop: Running) -> None:
    answer = ask(
        shop,
        **{"from": "2024-05-01T00:00:00Z", "to": "2024-07-01T00:00:00Z"},
        goal={"event_types": ["PURCHASE"]},
        candidates=[{"field": "event_data.user_lifecycle"}],
        within={"hours": 12},
    )
    found = {driver["behaviour"]["value"]: driver for driver in answer["drivers"]}
    assert found["new"]["odds_high"] < 1
    assert found["loyal"]["odds_low"] > 1
    assert max(found["new"]["q"], found["loyal"]["q"]) < 0.05
