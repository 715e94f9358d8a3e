"""The people behind a funnel's bars: as many as each bar says, page by page."""

from random import Random
from typing import Any

import msgspec

from endu.journeys.funnel import ask_funnel_people
from endu.journeys.funnel_question import FunnelPeopleQuestion
from tests.journeys import oracle_funnel
from tests.journeys.funnel_logs import dense_case, told_at_once
from tests.journeys.logs import Happening, Log
from tests.journeys.moments import STARTS
from tests.journeys.world import EXAMPLES, World


async def test_the_people_of_a_bar_are_as_many_as_it_says(world: World) -> None:
    random = Random(1)
    for told, asked in await told_at_once(world, [dense_case(random) for _ in range(EXAMPLES)]):
        steps, groups = oracle_funnel.funnel(asked, told.rows)
        group = random.choice([None, *groups])
        which = {
            "step": random.randint(1, len(steps)),
            "outcome": random.choice(["converted", "converted", "dropped"]),
            "group": group,
        }
        page = await ask_funnel_people(people_of(asked, **which), told.sources, 0, 100)
        people, dropped, *_ = (groups[group] if group else steps)[which["step"] - 1]
        assert page.total == (people if which["outcome"] == "converted" else dropped)
        assert [int(person.c_user_id) for person in page.people] == oracle_funnel.people_behind(
            asked, told.rows, **which
        )


async def test_the_people_of_a_bar_come_page_by_page(world: World) -> None:
    at_ms = STARTS[0] * 1_000
    told = await world.tell(
        Log(tuple(Happening(at_ms=at_ms, type_id="BEGIN_EVENT", subject=n) for n in range(1, 6)))
    )
    asked = {"from": STARTS[0], "to": STARTS[0] + 1, "steps": [{}, {}], "step": 1}
    listed, after = [], 0
    for length in (2, 2, 1):
        page = await ask_funnel_people(people_of(asked), told.sources, after, 2)
        assert (page.total, len(page.people)) == (5, length)
        listed += [person.c_user_id for person in page.people]
        after = page.next or 0
    assert len(set(listed)) == 5
    assert after == 0


def people_of(asked: dict[str, Any], **which: Any) -> FunnelPeopleQuestion:
    return msgspec.convert({**asked, **which}, FunnelPeopleQuestion)
