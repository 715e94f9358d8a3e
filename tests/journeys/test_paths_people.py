"""The people behind a node, a link or a sequence of paths: as many as its number says."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endu.journeys.paths import PathsPeopleQuestion, PathsQuestion, ask_paths, ask_paths_people
from endu.journeys.paths_picture import PathLink, PathNode, PathSequence
from endu.refusals import Refusal
from tests.journeys import oracle_paths
from tests.journeys.logs import Happening, Log, several_logs
from tests.journeys.test_paths import (
    DAY_ONE,
    excludes_its_anchor,
    questions,
)
from tests.journeys.world import Told, World, as_many_logs


@as_many_logs
@given(st.data())
async def test_whoever_is_behind_a_number_can_be_listed(world: World, data: st.DataObject) -> None:
    for told in await world.tell_all(data.draw(several_logs)):
        asked = data.draw(questions(told.log))
        try:
            answer = await ask_paths(msgspec.convert(asked, PathsQuestion), told.sources)
        except Refusal as refusal:
            assert excludes_its_anchor(refusal)
            continue
        counts = oracle_paths.counted(asked, told.rows)
        for part, shown, people in (
            ("node", answer.nodes, counts.nodes.people),
            ("link", answer.links, counts.links.people),
            ("sequence", answer.sequences, counts.sequences.people),
        ):
            if shown:
                one = data.draw(st.sampled_from(shown))
                limit = data.draw(st.integers(1, 3))
                listed = await everybody(told, {**asked, **chosen(part, one)}, limit)
                assert len(listed) == one.people
                assert {*listed} == {str(person) for person in people[key_of(one)]}


def chosen(part: str, one: PathNode | PathLink | PathSequence) -> dict[str, Any]:
    """As a question names it."""
    said = msgspec.to_builtins(one)
    del said["people"], said["transitions"]
    return {part: said.get("steps", said)}


def key_of(one: PathNode | PathLink | PathSequence) -> Any:
    """As the oracle names it."""
    if isinstance(one, PathSequence):
        return tuple(one.steps)
    if isinstance(one, PathLink):
        return (one.origin, one.target)
    return (one.position, one.name)


async def everybody(told: Told, asked: dict[str, Any], limit: int) -> list[str]:
    """Every page, each of which says the same number."""
    listed: list[str] = []
    after = 0
    while True:
        question = msgspec.convert(asked, PathsPeopleQuestion)
        page = await ask_paths_people(question, told.sources, after, limit)
        listed += [each.c_user_id for each in page.people]
        if page.next is None:
            assert page.total == len(listed)
            return listed
        after = page.next


VISIT, OVER = {"position": 0, "name": "VISIT"}, {"position": 1, "name": "(no further action)"}


@pytest.mark.parametrize(
    ("asked_for", "total"),
    [
        ({"node": VISIT}, 1),
        ({"node": OVER}, 1),
        ({"node": {"position": 4, "name": "ORDER"}}, 0),
        ({"link": {"from": [0, "VISIT"], "to": [1, "(no further action)"]}}, 1),
        ({"link": {"from": [1, "(no further action)"], "to": [2, "VISIT"]}}, 0),
        ({"sequence": ["VISIT"]}, 1),
        ({"sequence": ["VISIT", "VISIT"]}, 0),
    ],
)
async def test_nobody_is_behind_what_is_not_in_the_answer(
    world: World, asked_for: dict[str, Any], total: int
) -> None:
    told = await world.tell(Log((Happening(at_ms=1_000, type_id="visit-1", subject=1),)))
    assert len(await everybody(told, {**DAY_ONE, **asked_for}, 10)) == total


@pytest.mark.parametrize(
    ("asked_for", "path"),
    [
        ({}, "sequence"),
        ({"node": VISIT, "sequence": ["VISIT"]}, "sequence"),
        ({"node": {"position": -1, "name": "VISIT"}}, "node.position"),
        ({"node": {"position": 5, "name": "VISIT"}}, "node.position"),
        ({"node": {"position": 0, "name": "web:VISIT"}}, "node.name"),
        ({"link": {"from": [0, "VISIT"], "to": [2, "VISIT"]}}, "link.to[0]"),
        ({"link": {"from": [4, "VISIT"], "to": [5, "VISIT"]}}, "link.to[0]"),
        ({"link": {"from": [0, "visit"], "to": [1, "VISIT"]}}, "link.from[1]"),
        ({"sequence": ["VISIT", "visit"]}, "sequence[1]"),
        ({"sequence": ["VISIT", "(no further action)"]}, "sequence[1]"),
        ({"sequence": ["VISIT"] * 6}, "sequence"),
    ],
)
async def test_what_no_answer_could_have_is_refused(
    world: World, asked_for: dict[str, Any], path: str
) -> None:
    told = await world.tell(Log(()))
    with pytest.raises(Refusal) as refused:
        await everybody(told, {**DAY_ONE, **asked_for}, 10)
    assert [problem.path for problem in refused.value.problems] == [path]
