"""What the words of a funnel mean, case by case, and what is refused."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from endu.journeys.funnel import Funnel, ask_funnel, ask_funnel_people
from endu.journeys.funnel_question import FunnelPeopleQuestion, FunnelQuestion
from endu.refusals import Refusal
from tests.journeys.logs import Happening, Log
from tests.journeys.moments import STARTS
from tests.journeys.world import Told, World

FROM = STARTS[0]
VISIT, ORDER, BEGIN = "visit-1", "order-1", "BEGIN_EVENT"
STEPS = [{"event_types": ["VISIT"]}, {"event_types": ["ORDER"]}]
LONGER = [*STEPS, {"event_types": [BEGIN]}]


def did(*happened: tuple[int, str], **more: Any) -> Log:
    """One person, in the order of arrival: seconds and types."""
    return Log(
        tuple(
            Happening(at_ms=(FROM + second) * 1_000, type_id=kind, subject=1, **more)
            for second, kind in happened
        )
    )


async def ask(told: Told, **asked: Any) -> Funnel:
    body = {"from": FROM, "to": FROM + 40 * 86_400, "steps": STEPS, **asked}
    return await ask_funnel(msgspec.convert(body, FunnelQuestion), told.sources)


async def people(world: World, log: Log, **asked: Any) -> list[int]:
    return [step.people for step in (await ask(await world.tell(log), **asked)).steps]


async def test_one_event_is_never_two_steps(world: World) -> None:
    same = [STEPS[0], STEPS[0]]
    for ties in ("any", "arrival"):
        assert await people(world, did((0, VISIT)), steps=same, ties=ties) == [1, 0]
        twice = did((0, VISIT), (0, VISIT))
        assert await people(world, twice, steps=same, ties=ties) == [1, 1]
    assert await people(world, did((0, VISIT)), steps=same, order="any") == [1, 0]


async def test_the_window_is_in_seconds_and_its_edge_counts(world: World) -> None:
    for ties in ("any", "arrival"):
        for later, reached in ((60, 1), (61, 0)):
            log = did((0, VISIT), (later, ORDER))
            asked = {"within": {"minutes": 1}, "ties": ties}
            assert await people(world, log, **asked) == [1, reached]


async def test_the_window_is_measured_from_the_entry_not_from_step_to_step(world: World) -> None:
    log = did((0, VISIT), (50, ORDER), (100, BEGIN))
    assert await people(world, log, steps=LONGER, within={"seconds": 99}) == [1, 1, 0]
    assert await people(world, log, steps=LONGER, within={"seconds": 100}) == [1, 1, 1]


async def test_the_best_entry_goes_furthest_and_the_first_one_is_the_first(world: World) -> None:
    log = did((0, VISIT), (3_600, VISIT), (3_660, ORDER))
    assert await people(world, log, within={"minutes": 5}) == [1, 1]
    assert await people(world, log, within={"minutes": 5}, entry="first") == [1, 0]


async def test_events_of_one_second_count_in_any_order_or_as_they_arrived(world: World) -> None:
    log = did((0, ORDER), (0, VISIT))
    assert await people(world, log) == [1, 1]
    assert await people(world, log, ties="arrival") == [1, 0]


async def test_strict_has_nothing_of_the_other_steps_in_between(world: World) -> None:
    back = did((0, VISIT), (1, ORDER), (2, VISIT), (3, BEGIN))
    assert await people(world, back, steps=LONGER) == [1, 1, 1]
    assert await people(world, back, steps=LONGER, order="strict") == [1, 1, 0]
    again = did((0, VISIT), (1, VISIT), (2, ORDER), (3, ORDER), (4, BEGIN))
    assert await people(world, again, steps=LONGER, order="strict") == [1, 1, 1]


async def test_in_any_order_it_matters_only_that_all_was_done(world: World) -> None:
    log = did((0, BEGIN), (60, ORDER), (120, VISIT))
    assert await people(world, log, steps=LONGER, order="any") == [1, 1, 1]
    soon = {"steps": LONGER, "order": "any", "within": {"minutes": 1}}
    assert await people(world, log, **soon) == [1, 1, 0]
    assert await people(world, log, **soon, entry="first") == [0, 0, 0]


async def test_what_is_excluded_ends_a_way_between_its_two_steps_only(world: World) -> None:
    log = did((0, VISIT), (1, ORDER), (2, "visit-2"), (3, BEGIN))
    steps = [{"event_types": [VISIT]}, *LONGER[1:]]
    excluded = {"event_types": ["visit-2"]}
    for between, reached in (({}, 0), ({"before": 2}, 1), ({"after": 2}, 0)):
        asked = {"steps": steps, "exclude": [{**excluded, **between}]}
        assert await people(world, log, **asked) == [1, 1, reached]


async def test_a_held_value_is_the_same_on_every_step(world: World) -> None:
    carts = [("a", VISIT), ("b", ORDER), (5, VISIT), (5.0, ORDER), ("5", BEGIN), (None, BEGIN)]
    log = Log(
        tuple(
            Happening(at_ms=(FROM + at) * 1_000, type_id=kind, subject=1, data={"cart": cart})
            for at, (cart, kind) in enumerate(carts)
        )
    )
    hold = ["event_data.cart"]
    assert await people(world, log, steps=LONGER) == [1, 1, 1]
    assert await people(world, log, steps=LONGER, hold=hold) == [1, 1, 0]


async def test_times_are_from_the_last_time_before_to_the_first_completion(world: World) -> None:
    log = did((0, VISIT), (100, VISIT), (160, ORDER), (400, ORDER))
    (_, bought) = (await ask(await world.tell(log))).steps
    assert (bought.median_seconds, bought.p90_seconds) == (60, 60)


async def test_who_did_not_reach_the_step_that_groups_is_in_none(world: World) -> None:
    told = await world.tell(did((0, VISIT)))
    answer = await ask(told, breakdown={"field": "platform", "at": "step:2"})
    assert [(group.value, group.steps[0].people) for group in answer.groups] == [("(none)", 1)]


async def test_people_who_become_one_can_be_further_than_each_was(world: World) -> None:
    told = await world.tell(
        Log(
            (
                Happening(at_ms=FROM * 1_000, type_id=VISIT, subject=1),
                Happening(at_ms=(FROM + 5) * 1_000, type_id=ORDER, subject=2),
            )
        )
    )
    for owners, reached in (({}, [1, 0]), ({2: 1}, [1, 1]), ({2: 2}, [1, 0])):
        told = await world.move(told, owners)
        assert [step.people for step in (await ask(told)).steps] == reached


async def test_twenty_steps_can_be_asked_for(world: World) -> None:
    kinds = (VISIT, ORDER, BEGIN) * 7
    log = did(*enumerate(kinds[:20]))
    for order in ("ordered", "strict", "any"):
        asked = {"steps": [{"event_types": [kind]} for kind in kinds[:20]], "order": order}
        assert await people(world, log, **asked) == [1] * 20


async def test_an_empty_answer_is_one(world: World) -> None:
    answer = await ask(await world.tell(Log(())), breakdown={"field": "platform"})
    assert answer.groups == []
    (first, last) = answer.steps
    assert (first.people, first.dropped, first.from_start, first.median_seconds) == (
        0,
        0,
        None,
        None,
    )
    assert last.from_previous is None


@pytest.mark.parametrize(
    ("asked", "paths"),
    [
        ({"order": "any", "ties": "arrival"}, ["ties"]),
        ({"order": "any", "exclude": [{"before": 2}]}, ["exclude"]),
        ({"exclude": [{"after": 2, "before": 2}]}, ["exclude[0].before"]),
        ({"exclude": [{"before": 3}]}, ["exclude[0].before"]),
        ({"within": {"days": 1, "hours": 2}}, ["within"]),
        ({"within": {"seconds": 0}}, ["within"]),
        ({"hold": ["platform", "event_data."]}, ["hold[0]", "hold[1]"]),
        ({"breakdown": {"field": "color", "at": "step:3"}}, ["breakdown.at", "breakdown.field"]),
        ({"steps": [{"event_types": ["NOTHING"]}, STEPS[1]]}, ["steps[0].event_types[0]"]),
        ({"exclude": [{"event_types": ["NOTHING"]}]}, ["exclude[0].event_types[0]"]),
    ],
)  # fmt: skip
async def test_what_does_not_go_together_is_named(
    world: World, asked: dict[str, Any], paths: Sequence[str]
) -> None:
    told = await world.tell(Log(()))
    with pytest.raises(Refusal) as refused:
        await ask(told, **asked)
    assert refused.value.reason.name == "INVALID_QUESTION"
    assert [problem.path for problem in refused.value.problems] == paths


async def test_a_bar_that_is_not_there_has_no_people(world: World) -> None:
    body = {"from": FROM, "to": FROM + 1, "steps": STEPS, "step": 3, "group": "discord"}
    told = await world.tell(Log(()))
    with pytest.raises(Refusal) as refused:
        await ask_funnel_people(msgspec.convert(body, FunnelPeopleQuestion), told.sources, 0, 10)
    assert [problem.path for problem in refused.value.problems] == ["step", "group"]


async def test_too_many_steps_with_events_in_common_are_refused(world: World) -> None:
    paths = [f"event_data.{letter}" for letter in "abcdefg"]
    steps = [{"where": [{"field": path, "op": "exists"}]} for path in paths]
    log = did((0, VISIT), data={letter: 1 for letter in "abcdefg"})
    alone = [
        Happening(at_ms=FROM * 1_000, type_id=VISIT, subject=1, data={letter: 1})
        for letter in "abcdefg"
    ]
    told = await world.tell(Log((*log.happenings, *alone)))
    with pytest.raises(Refusal) as refused:
        await ask(told, steps=steps)
    assert [problem.path for problem in refused.value.problems] == ["steps"]
    answer = await ask(told, steps=steps, ties="arrival")
    assert [step.people for step in answer.steps][:2] == [1, 1]
