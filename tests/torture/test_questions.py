"""What answers are held against, counted by hand."""

from typing import Any

from endu.torture import questions
from endu.torture.answers import RuleMade, Stored
from endu.torture.crowd import BEGINS_AT_S
from endu.torture.people import whose
from endu.torture.questions import journeys_of
from tests.torture.stories import event, stored

D, W, T = "discord:1", "wallet:eip155:0xa", "telegram:2"
VISIT, BEGIN, SIGN_IN = "LINK_TRACKING_CLICK", "BEGIN_EVENT", "BLOCKCHAIN_ACCOUNT_SIGN_IN"


def log(*said: tuple[int, str, tuple[str, ...]]) -> list[Stored]:
    """Seconds since the beginning, event type and identifiers of each."""
    return [
        stored(
            place,
            event(place),
            happened_at_ms=1_000 * (BEGINS_AT_S + second),
            event_type=event_type,
            identifiers=identifiers,
        )
        for place, (second, event_type, identifiers) in enumerate(said)
    ]


def rule(name: str, a: str, b: str, **more: Any) -> RuleMade:
    return RuleMade("", name, (a, b), 0, more.get("taken_back", False))


def owners(events: list[Stored], *rules: RuleMade) -> list[set[str]]:
    found = whose(events, rules)
    return [set(found[event.place]) for event in events]


def test_who_is_seen_together_is_one_person() -> None:
    events = log((0, VISIT, (D,)), (1, VISIT, (D, W)), (2, VISIT, (W, T)), (3, VISIT, (T,)))
    assert owners(events) == [{D, W, T}] * 4


def test_a_rule_parts_and_joins_until_it_is_taken_back() -> None:
    events = log((0, VISIT, (D, W)), (1, VISIT, (W,)), (2, VISIT, (T,)))
    never, always = rule("never-link", D, W), rule("always-link", W, T)
    assert owners(events, never) == [{D}, {W}, {T}]
    assert owners(events, never, always) == [{D}, {W, T}, {W, T}]
    taken_back = rule("never-link", D, W, taken_back=True)
    assert owners(events, taken_back, always) == [{D, W, T}] * 3


def test_the_better_proof_joins_first_where_both_cannot() -> None:
    number = "c_user_id:9"
    events = log((0, VISIT, (D, W)), (1, VISIT, (number, W)))
    assert owners(events, rule("never-link", D, number)) == [{D}, {number, W}]


def test_a_device_is_its_persons_or_whoever_is_named_next_within_half_an_hour() -> None:
    f = "fingerprint:f"
    assert owners(log((0, VISIT, (f,)))) == [{f}]
    assert owners(log((0, VISIT, (f,)), (9_999, VISIT, (D, f)))) == [{D}, {D}]
    shared = log(
        (0, VISIT, (D, f)), (1_800, VISIT, (f,)), (1_801, VISIT, (f,)),
        (9_000, VISIT, (f,)), (10_800, VISIT, (T, f)),
    )  # fmt: skip
    assert owners(shared) == [{D}, {D}, {f}, {T}, {T}]


def test_a_funnel_counts_who_goes_how_far_within_six_hours() -> None:
    events = log(
        (0, VISIT, (D,)), (60, BEGIN, (D,)), (120, SIGN_IN, (D,)),
        (0, VISIT, (T,)), (30_000, BEGIN, (T,)),
        (0, BEGIN, (W,)), (60, VISIT, (W,)),
    )  # fmt: skip
    assert questions.funnel(journeys_of(events, whose(events, ()))) == [3, 1, 1]


def test_retention_counts_who_comes_back_on_which_day() -> None:
    day = 86_400
    events = log(
        (100, BEGIN, (D,)), (50, VISIT, (D,)), (100, VISIT, (D,)), (2 * day, VISIT, (D,)),
        (day, BEGIN, (T,)), (2 * day, VISIT, (T,)),
    )  # fmt: skip
    grid = questions.retention(journeys_of(events, whose(events, ())))
    assert grid[0][:4] == [1, 1, 0, 1]
    assert grid[1][:4] == [1, 0, 1, 0]
    assert not any(map(any, grid[2:]))
