"""The stories in a shop's events are found by drivers: failing payments, newcomers and regulars."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.running import Running, running

ROOT = Path(__file__).parent.parent.parent
EVENTS = ROOT.parent / "shared" / "data" / "ecom.csv.gz"
MAPPING = ROOT / "docs" / "examples" / "ecom.toml"

# The provider of payments failed from 19 May to 7 June.
FAILING = {"from": "2024-05-19T00:00:00Z", "to": "2024-06-08T00:00:00Z"}
BEFORE = {"from": "2024-04-29T00:00:00Z", "to": "2024-05-19T00:00:00Z"}
PAYING: dict[str, Any] = {
    "goal": {"event_types": ["PURCHASE"]},
    "population": {"event_types": ["PAYMENT_DETAILS"]},
    "candidates": ["event_types", {"field": "event_data.platform"}],
    "within": {"hours": 12},
    "minimum_support": 15,
}

pytestmark = pytest.mark.skipif(not EVENTS.exists(), reason=f"{EVENTS} is not here")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("ecom") / "data") as server:
        imported = server.json("import", str(EVENTS), "--mapping", str(MAPPING),
                               "--register-types")  # fmt: skip
        assert imported["refused"] == 0
        yield server


def ask(server: Running, path: str = "", **body: Any) -> Any:
    with server.client() as client:
        answer = client.post(f"/journeys/drivers{path}", json={**body, "fresh": True}).json()
    assert answer["success"], answer
    return answer["data"]


def test_failing_payments_are_what_goes_with_not_buying(server: Running) -> None:
    failing, before = ask(server, **PAYING, **FAILING), ask(server, **PAYING, **BEFORE)
    assert failing["rate"] < before["rate"] / 2
    first = failing["drivers"][0]
    assert first["behaviour"]["value"] == "PAYMENT_ERROR"
    assert first["text"] == "did PAYMENT_ERROR: associated with reaching the goal less often"
    assert first["q"] < 0.001
    assert first["odds_high"] < 0.5
    said = [driver["behaviour"]["value"] for driver in before["drivers"]]
    assert "PAYMENT_ERROR" not in said
    assert said


def test_those_whose_payment_failed_can_be_listed(server: Running) -> None:
    first = ask(server, **PAYING, **FAILING)["drivers"][0]
    numbers = {
        (True, True): first["reached_with"],
        (True, None): first["people_with"],
        (False, True): first["reached_without"],
        (False, None): first["people_without"],
    }
    for (has_it, reached), number in numbers.items():
        chosen = {"behaviour": first["behaviour"], "with": has_it, "reached": reached}
        page = ask(server, "/people?limit=1000", **PAYING, **FAILING, **chosen)
        assert page["total"] == len(page["items"]) == number


def test_newcomers_buy_less_and_regulars_more(server: Running) -> None:
    answer = ask(
        server,
        **{"from": "2024-05-01T00:00:00Z", "to": "2024-07-01T00:00:00Z"},
        goal={"event_types": ["PURCHASE"]},
        candidates=[{"field": "event_data.user_lifecycle"}],
        within={"hours": 12},
    )
    found = {driver["behaviour"]["value"]: driver for driver in answer["drivers"]}
    assert found["new"]["odds_high"] < 1
    assert found["loyal"]["odds_low"] > 1
    assert max(found["new"]["q"], found["loyal"]["q"]) < 0.05
