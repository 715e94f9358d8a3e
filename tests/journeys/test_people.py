"""The people behind a number: as many as the number says, each once, page by page."""

from collections.abc import Iterable
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from endu.journeys.draft import draft_of
from endu.journeys.people import people_behind
from endu.journeys.question import Question, Step
from endu.journeys.scope import rfc3339
from tests.journeys import oracle_frame as oracle
from tests.journeys.logs import common, several_logs, steps
from tests.journeys.world import Row, Told, World, as_many_logs


@as_many_logs
@given(st.data())
async def test_whoever_is_counted_can_be_listed(world: World, data: st.DataObject) -> None:
    for told in await world.tell_all(data.draw(several_logs)):
        asked, step = data.draw(common(told.log)), data.draw(steps())
        limit = data.draw(st.integers(1, 3))
        listed = await everybody(told, asked, step, limit)
        mine = {
            row.person
            for row in told.rows
            if row.person and oracle.in_scope(row, asked) and oracle.is_of(step, row)
        }
        assert listed == [
            (str(person), *seen(row for row in told.rows if row.person == person))
            for person in sorted(mine)
        ]


async def everybody(
    told: Told, asked: dict[str, Any], step: dict[str, Any], limit: int
) -> list[tuple[Any, ...]]:
    """Every page, each of which has to say the same number."""
    listed: list[tuple[Any, ...]] = []
    totals, after = set(), 0
    while True:
        draft = await draft_of(msgspec.convert(asked, Question), told.sources)
        scan = draft.scan([draft.step(msgspec.convert(step, Step), "step")])
        sql = f"SELECT {draft.who} AS person FROM endu.events WHERE {scan}"
        page = await people_behind(draft, sql, after, limit)
        assert len(page.people) <= limit
        listed += [(each.c_user_id, each.first_seen, each.last_seen) for each in page.people]
        totals.add(page.total)
        if page.next is None:
            assert totals == {len(listed)}
            return listed
        after = page.next


def seen(rows: Iterable[Row]) -> tuple[str, str]:
    times = [row.at_ms for row in rows]
    return rfc3339(min(times)), rfc3339(max(times))
