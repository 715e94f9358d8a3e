"""Paths on a shop's events, brought in as anybody would: the loop of a broken checkout is found in
them, and their transitions are the directly-follows graph that pandas and networkx make."""

from collections import Counter
from typing import Any

import networkx as nx
import pandas as pd
import pytest

from tests.journeys.shop import ALL, BEFORE, BROKEN, EVENTS, needs_shop
from tests.running import Running

pytestmark = needs_shop

PATHS = "/journeys/paths"
SHIPPING, PAYMENT = "SHIPPING_DETAILS", "PAYMENT_DETAILS"
DEPTH = 10
GAP = pd.Timedelta(minutes=30)


@pytest.fixture(scope="module")
def sessions() -> pd.DataFrame:
    """Every event with its session, by silence; of one second, in the order of the file."""
    read = pd.read_csv(EVENTS, parse_dates=["timestamp"])
    read = read.sort_values(["user_id", "timestamp"], kind="stable")
    silence = read.groupby("user_id")["timestamp"].diff()
    read["session"] = (silence.isna() | (silence > GAP)).cumsum()
    read["event"] = read["event"].str.upper()
    return read


def ask(shop: Running, path: str = PATHS, **body: Any) -> Any:
    with shop.client() as client:
        answer = client.post(path, json={**ALL, "fresh": True, **body}).json()
    assert answer["success"], answer
    return answer["data"]


def from_shipping(shop: Running, op: str, span: dict[str, str]) -> Any:
    """What sessions do once they are at shipping, on mobile or not."""
    mobile = {"field": "event_data.platform", "op": op, "value": "mobile"}
    anchor = {"start": {"event_types": [SHIPPING]}}
    data = ask(shop, where=[mobile], anchor=anchor, top=1_000, **span)
    assert data["share_covered"] == 1
    return data


def share_that_goes_on_to_payment(data: Any) -> float:
    transitions = Counter({(node["position"], node["name"]): node["transitions"]
                           for node in data["nodes"]})  # fmt: skip
    return transitions[1, PAYMENT] / transitions[0, SHIPPING]


def share_that_comes_back_to_shipping(data: Any) -> float:
    paths = Counter({tuple(each["steps"]): each["transitions"] for each in data["sequences"]})
    back = sum(times for steps, times in paths.items() if SHIPPING in steps[1:])
    return back / paths.total()


def test_the_loop_of_the_broken_checkout_is_found(shop: Running) -> None:
    broken = from_shipping(shop, "eq", BROKEN)
    before, elsewhere = from_shipping(shop, "eq", BEFORE), from_shipping(shop, "ne", BROKEN)
    for other in (before, elsewhere):
        assert share_that_goes_on_to_payment(broken) < share_that_goes_on_to_payment(other) / 2
        assert share_that_comes_back_to_shipping(broken) > 1.5 * share_that_comes_back_to_shipping(
            other
        )
    names = [{node["name"] for node in data["nodes"]} for data in (broken, before, elsewhere)]
    assert ["CHECKOUT_BUG" in each for each in names] == [True, False, False]


def test_the_people_in_the_loop_are_listed(shop: Running, sessions: pd.DataFrame) -> None:
    """Those who went from shipping back to the cart, on mobile in the bad month."""
    mobile = {"field": "event_data.platform", "op": "eq", "value": "mobile"}
    asked = {"where": [mobile], "anchor": {"start": {"event_types": [SHIPPING]}}, **BROKEN}
    link = {"from": [0, SHIPPING], "to": [1, "CART"]}
    told = ask(shop, PATHS + "/people?limit=1000", link=link, **asked)
    (shown,) = (each for each in ask(shop, **asked)["links"]
                if (each["from"], each["to"]) == (link["from"], link["to"]))  # fmt: skip
    in_range = sessions["timestamp"].between("2024-04-09", "2024-05-10", "left")
    expected = set()
    for _, session in sessions[in_range & (sessions["platform"] == "mobile")].groupby("session"):
        names = session["event"].tolist()
        behind = names[names.index(SHIPPING) :] if SHIPPING in names else []
        if next((name for name in behind if name != SHIPPING), None) == "CART":
            expected.add("2024" + session["user_id"].iloc[0].removeprefix("user_"))
    assert {person["c_user_id"] for person in told["items"]} == expected
    assert told["total"] == shown["people"] == len(expected) > 5


@pytest.mark.parametrize("collapse", [False, True])
def test_transitions_are_the_directly_follows_graph(
    shop: Running, sessions: pd.DataFrame, collapse: bool
) -> None:
    data = ask(shop, depth=DEPTH, collapse_repeats=collapse, top=1_000)
    graph, starts = directly_follows(sessions, collapse)
    found: Counter[tuple[str, str]] = Counter()
    for link in data["links"]:
        if link["to"][1] != "(no further action)":
            found[link["from"][1], link["to"][1]] += link["transitions"]
    expected = {(one, other): times for one, other, times in graph.edges(data="times")}
    assert dict(found) == expected
    assert sum(expected.values()) > 10_000
    begun = {n["name"]: n["transitions"] for n in data["nodes"] if n["position"] == 0}
    assert begun == starts


def directly_follows(
    sessions: pd.DataFrame, collapse: bool
) -> tuple["nx.DiGraph[str]", dict[str, int]]:
    """How often one directly follows another among a session's first steps, and what is first."""
    events = sessions
    if collapse:
        before = events.groupby("session")["event"].shift()
        events = events[events["event"] != before]
    events = events[events.groupby("session").cumcount() < DEPTH]
    behind = events.groupby("session")["event"].shift(-1)
    pairs = Counter(zip(events["event"][behind.notna()], behind.dropna(), strict=True))
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_weighted_edges_from(((*pair, times) for pair, times in pairs.items()), "times")
    first = events.groupby("session").head(1)["event"].value_counts()
    return graph, {name: int(times) for name, times in first.items()}
