"""The story of `endu demo`, counted again without its plan: what is planned is what is sent."""

from collections import Counter
from datetime import UTC, datetime
from functools import cache

import pytest

from endu.cli.demo.people import people_of
from endu.cli.demo.plan import (
    BOUGHT,
    CLICKED,
    JOINED,
    SCHEMAS,
    SIGNED_IN,
    SOLVED,
    UPGRADED,
    WEEK_SECONDS,
    WROTE,
    Plan,
    monday_before,
)
from endu.cli.demo.story import Event, events_of
from endu.event_types.event_type import GLOBAL_NAMES
from tests.cli.demo_recount import (
    DAY,
    Histories,
    funnel_of,
    histories_in,
    identifiers_of,
    people_in,
    rates_of,
    retention_of,
)

ENDS_AT = monday_before(datetime(2024, 6, 5, 13, 0, tzinfo=UTC))
seeds = pytest.mark.parametrize("seed", [1, 2, 3])


@cache
def plan_of(seed: int) -> Plan:
    return Plan(seed=seed, ends_at_s=ENDS_AT)


@cache
def story_of(seed: int) -> list[Event]:
    return events_of(plan_of(seed), "848WN4oEUgisKrV9dY9Ni6")


@cache
def recounted(seed: int) -> Histories:
    return histories_in(story_of(seed))


def test_a_story_ends_on_the_monday_before_it_is_told() -> None:
    assert datetime.fromtimestamp(ENDS_AT, UTC) == datetime(2024, 6, 3, tzinfo=UTC)
    assert monday_before(datetime(2024, 6, 3, tzinfo=UTC)) == ENDS_AT
    assert monday_before(datetime(2024, 6, 2, 23, 59, 59, tzinfo=UTC)) == ENDS_AT - WEEK_SECONDS


@seeds
def test_there_are_as_many_events_as_planned_each_once_and_in_its_time(seed: int) -> None:
    plan, events = plan_of(seed), story_of(seed)
    assert len(events) == plan.events == 50_000
    assert len({event["message_id"] for event in events}) == plan.events
    times = [int(event["timestamp"]) for event in events]
    assert plan.begins_at_s <= min(times) and max(times) < plan.ends_at_s
    assert {event["event_type"] for event in events} <= {*SCHEMAS, *GLOBAL_NAMES}


def test_the_same_seed_tells_the_same_story_and_another_tells_another() -> None:
    assert events_of(plan_of(1), "848WN4oEUgisKrV9dY9Ni6") == story_of(1)
    assert story_of(1) != story_of(2)


@seeds
def test_the_people_are_those_that_the_events_name(seed: int) -> None:
    people = people_in(story_of(seed))
    assert len(people) == plan_of(seed).visitors
    kinds = Counter(tuple(sorted(name.partition(":")[0] for name in names)) for names in people)
    assert kinds == {
        ("fingerprint",): 1_520,
        ("fingerprint", "wallet"): 1_280,
        ("c_user_id", "discord", "fingerprint", "wallet"): 720,
        ("c_user_id", "fingerprint", "telegram", "wallet"): 300,
        ("c_user_id", "discord", "fingerprint", "telegram", "wallet"): 180,
    }


@seeds
def test_the_funnel_is_a_hundred_to_sixty_two_to_thirty_one(seed: int) -> None:
    steps = [CLICKED, SIGNED_IN, BOUGHT]
    assert funnel_of(recounted(seed), steps, 14 * DAY) == [4_000, 2_480, 1_240]
    assert funnel_of(recounted(seed), steps, 91 * DAY) == [4_000, 2_480, 1_364]


def test_who_joins_no_accounts_finds_no_funnel() -> None:
    by_account: Histories = {}
    numbers: dict[str, int] = {}
    for event in story_of(1):
        deciding = identifiers_of(event)[0]
        number = numbers.setdefault(deciding, len(numbers))
        by_account.setdefault(number, []).append((int(event["timestamp"]), event["event_type"]))
    assert funnel_of(by_account, [CLICKED, SIGNED_IN, BOUGHT], 14 * DAY) == [4_000, 0, 0]


@seeds
def test_every_week_those_return_who_are_planned_to(seed: int) -> None:
    plan = plan_of(seed)
    grid = retention_of(recounted(seed), JOINED, WROTE, plan.begins_at_s)
    assert len(grid) == plan.cohorts
    for size, *returned in grid:
        assert size == plan.cohort
        assert tuple(returned[: len(plan.returned)]) == plan.returned
        assert not any(returned[len(plan.returned) :])


@seeds
def test_one_behaviour_brings_people_further_and_the_others_do_not(seed: int) -> None:
    histories = recounted(seed)
    rates = rates_of(histories, JOINED, SOLVED, UPGRADED)
    assert rates == {True: (480, 288), False: (720, 108)}
    people, reached = rates_of(histories, JOINED, BOUGHT, UPGRADED)[True]
    assert 0.15 < reached / people < 0.45  # 0.33 of everybody


def test_the_last_visitor_does_nothing_but_click() -> None:
    closing = story_of(1)[-1]
    last = people_of(plan_of(1))[-1]
    assert identifiers_of(closing) == [f"fingerprint:{last.fingerprint}"]
    others = (event.get("fingerprint") for event in story_of(1)[:-1])
    assert last.fingerprint not in others
