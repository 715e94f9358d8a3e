"""Paths are what the same events say in plain Python, for any log and any question."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endu.journeys.paths import (
    Paths,
    PathsQuestion,
    ask_paths,
)
from endu.journeys.paths_items import Items
from endu.journeys.paths_nodes import nodes_of
from endu.refusals import Refusal
from tests.journeys import oracle_frame, oracle_paths
from tests.journeys.logs import TYPE_IDS, Happening, Log, common, several_logs, steps
from tests.journeys.world import Told, World, as_many_logs

GAPS = ({"seconds": 1}, {"minutes": 30}, {"hours": 1}, {"hours": 12}, {"days": 1}, {"days": 20})
MORNING = 8 * 3_600_000  # in milliseconds of 1970's first day
DAY_ONE = {"from": 0, "to": 86_400}


@st.composite
def questions(draw: st.DrawFn, log: Log) -> dict[str, Any]:
    asked = draw(common(log))
    which = draw(st.sampled_from(["start", "end", None]))
    asked["anchor"] = {which: draw(steps())} if which else None
    asked["depth"] = draw(st.integers(2, 10))
    asked["session_gap"] = draw(st.sampled_from(GAPS))
    asked["nodes"] = draw(st.sampled_from(["event_type", "platform_and_event_type"]))
    asked["collapse_repeats"] = draw(st.booleans())
    asked["exclude"] = draw(st.lists(steps(any_event=False), max_size=2))
    asked["top"] = draw(st.sampled_from([0, 1, 2, 50]))
    return asked


async def ask(told: Told, asked: dict[str, Any]) -> Paths:
    return await ask_paths(msgspec.convert(asked, PathsQuestion), told.sources)


@as_many_logs
@given(st.data())
async def test_paths_are_what_their_events_say(world: World, data: st.DataObject) -> None:
    told_at_once = await world.tell_all(data.draw(several_logs))
    for told in (*told_at_once, *told_at_once):  # telling costs more than asking
        asked = data.draw(questions(told.log))
        expected = oracle_paths.answer(asked, told.rows)
        try:
            answer = await ask(told, asked)
        except Refusal as refusal:
            assert excludes_its_anchor(refusal)
            assert expected["nodes"] == []
            continue
        about = answer.about
        assert plainly(answer) == expected
        mine = oracle_paths.about_these(asked, told.rows)
        assert (about.anonymous_share, about.contested_share) == oracle_frame.about(mine)


def plainly(answer: Paths) -> Any:
    said = msgspec.json.decode(msgspec.json.encode(answer))
    del said["about"]
    return said


def excludes_its_anchor(refusal: Refusal) -> bool:
    return [problem.path for problem in refusal.problems] in (["anchor.start"], ["anchor.end"])


def events(*told: tuple[int, str], subject: int = 1, **more: Any) -> tuple[Happening, ...]:
    """Of one person: after how many seconds, and of which type."""
    return tuple(
        Happening(at_ms=MORNING + second * 1_000, type_id=type_id, subject=subject, **more)
        for second, type_id in told
    )


async def sequences(world: World, *told: Happening, **asked: Any) -> list[list[str]]:
    answer = await ask(await world.tell(Log(told)), {**DAY_ONE, **asked})
    return [each.steps for each in answer.sequences]


async def test_within_a_second_events_are_in_the_order_in_which_they_arrived(world: World) -> None:
    later_by_its_fraction = Happening(at_ms=MORNING + 900, type_id="order-1", subject=1)
    earlier = Happening(at_ms=MORNING + 100, type_id="visit-1", subject=1)
    assert await sequences(world, later_by_its_fraction, earlier) == [["ORDER", "VISIT"]]


async def test_a_silence_of_exactly_the_gap_ends_no_session(world: World) -> None:
    told = events((0, "visit-1"), (1_800, "order-1"), (3_601, "visit-1"))
    assert await sequences(world, *told) == [["VISIT"], ["VISIT", "ORDER"]]


async def test_event_types_that_bore_one_name_are_one_node(world: World) -> None:
    told = events((0, "visit-1"), (1, "visit-2"), (2, "visit-3"))
    assert await sequences(world, *told) == [["VISIT"]]
    assert await sequences(world, *told, collapse_repeats=False) == [["VISIT"] * 3]


async def test_what_is_left_out_neither_parts_repeats_nor_bridges_a_silence(world: World) -> None:
    told = events((0, "visit-1"), (1, "BEGIN_EVENT"), (2, "visit-1"),
                  (1_500, "BEGIN_EVENT"), (3_000, "order-1"))  # fmt: skip
    without = {"exclude": [{"event_types": ["BEGIN_EVENT"]}]}
    assert await sequences(world, *told, **without) == [["ORDER"], ["VISIT"]]


async def test_a_path_begins_with_the_first_anchor_or_ends_with_the_last(world: World) -> None:
    told = events((0, "visit-1"), (1, "order-1"), (2, "BEGIN_EVENT"), (3, "order-1"),
                  (4, "BEGIN_EVENT"), (9_000, "visit-1"))  # fmt: skip
    order = {"event_types": ["ORDER"]}
    assert await sequences(world, *told, anchor={"start": order}) == [
        ["ORDER", "BEGIN_EVENT", "ORDER", "BEGIN_EVENT"]
    ]
    assert await sequences(world, *told, anchor={"end": order}, depth=3) == [
        ["ORDER", "BEGIN_EVENT", "ORDER"]
    ]


async def test_what_leads_to_an_anchor_is_counted_back_from_it(world: World) -> None:
    told = await world.tell(Log(events((0, "visit-1"), (1, "order-1"))))
    answer = await ask(told, {**DAY_ONE, "depth": 4, "anchor": {"end": {"event_types": ["ORDER"]}}})
    assert [(node.position, node.name) for node in answer.nodes] == [
        (-2, "(no earlier action)"),
        (-1, "VISIT"),
        (0, "ORDER"),
    ]
    assert [(link.origin, link.target) for link in answer.links] == [
        ((-1, "VISIT"), (0, "ORDER")),
        ((-2, "(no earlier action)"), (-1, "VISIT")),
    ]


@pytest.mark.parametrize(("platforms", "bits"), [(5, 64), (60, 128), (1_100, 256)])
async def test_there_may_be_as_many_nodes_as_there_are(
    world: World, platforms: int, bits: int
) -> None:
    """The more there are, the larger the numbers they are counted by."""
    told = await world.tell(Log(tuple(
        Happening(at_ms=MORNING + 1_000 * place, type_id=TYPE_IDS[place % 5],
                  subject=1 + place % 3, platform=f"platform{place % platforms}")
        for place in range(2 * platforms)
    )))  # fmt: skip
    asked = {**DAY_ONE, "depth": 10, "nodes": "platform_and_event_type", "top": 3}
    kinds = told.sources.catalog.all(told.sources.organization_id)
    names = nodes_of(kinds, {row.platform for row in told.rows}).names
    assert Items(names, depth=10).size == bits
    for anchor in (None, {"end": {"event_types": ["ORDER"]}}):
        asked["anchor"] = anchor
        assert plainly(await ask(told, asked)) == oracle_paths.answer(asked, told.rows)


async def test_two_accounts_are_two_paths_until_they_are_one_person(world: World) -> None:
    told = await world.tell(Log((*events((0, "visit-1")), *events((1, "order-1"), subject=2))))
    for owners, paths in (
        ({}, [["ORDER"], ["VISIT"]]),
        ({2: 1}, [["VISIT", "ORDER"]]),
        ({2: 2}, [["ORDER"], ["VISIT"]]),
    ):
        told = await world.move(told, owners)
        assert [each.steps for each in (await ask(told, DAY_ONE)).sequences] == paths


async def test_everything_that_is_wrong_is_said_at_once(world: World) -> None:
    told = await world.tell(Log(()))
    asked = {
        **DAY_ONE,
        "anchor": {"start": {"event_types": ["ORDER"]}},
        "session_gap": {"minutes": 30, "hours": 1},
        "exclude": [{"event_types": ["NO_SUCH_TYPE"]}, {}, {"event_types": ["ORDER"]}],
    }
    assert await problems(told, asked) == [
        "exclude[0].event_types[0]",
        "exclude[1]",
        "anchor.start",
        "session_gap",
    ]
    for anchor in ({}, {"start": {}, "end": {}}):
        assert await problems(told, {**DAY_ONE, "anchor": anchor}) == ["anchor"]


async def problems(told: Told, asked: dict[str, Any]) -> list[str]:
    with pytest.raises(Refusal) as refused:
        await ask(told, asked)
    assert refused.value.reason.name == "INVALID_QUESTION"
    return [problem.path for problem in refused.value.problems]
