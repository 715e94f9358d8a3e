"""Paths are what the same events say in plain Python, for any log and any question."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from endu.journeys.paths import (
    Paths,
    PathsQuestion,
    ask_paths,
)
from endu.refusals import Refusal
from tests.journeys import oracle_frame, oracle_paths
from tests.journeys.logs import Log, common, logs, steps
from tests.journeys.world import Told, World, every_example

GAPS = ({"seconds": 1}, {"minutes": 30}, {"hours": 1}, {"hours": 12}, {"days": 1}, {"days": 20})
MORNING = 8 * 3_600_000


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
    asked["top"] = draw(st.sampled_from([1, 2, 50]))
    return asked


async def ask(told: Told, asked: dict[str, Any]) -> Paths:
    return await ask_paths(msgspec.convert(asked, PathsQuestion), told.sources)


@every_example
@given(st.data())
async def test_paths_are_what_their_events_say(world: World, data: st.DataObject) -> None:
    log = data.draw(logs())
    told = await world.tell(log)
    for _ in range(3):  # telling costs more than asking
        asked = data.draw(questions(log))
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
