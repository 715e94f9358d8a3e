"""The same funnels in two other formulations of SQL: every choice of events as a join of the table
with itself, and ClickHouse's own function."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from endu.events.ledger import Visited, who_sql
from endu.journeys.funnel import ask_funnel
from endu.journeys.funnel_question import FunnelQuestion
from tests.journeys.funnel_logs import LOGS_AT_ONCE, dense_log, randoms
from tests.journeys.logs import NAMED, TYPE_IDS, TYPE_NAMES, logs
from tests.journeys.world import EXAMPLES, Told, World, every_example

EVENTS = f"""
SELECT {who_sql(Visited.ANY)} AS person, toUnixTimestamp(ts) AS second, seq, event_type
  FROM endu.events
 WHERE org = {{organization:String}}
   AND person != 0
"""
RANGE = {"from": 0, "to": 2_000_000_000}

several_logs = st.lists(
    st.one_of(randoms.map(dense_log), randoms.map(dense_log), logs()),
    min_size=LOGS_AT_ONCE,
    max_size=LOGS_AT_ONCE,
)
kinds = st.lists(st.lists(st.sampled_from(NAMED), min_size=1, max_size=2), min_size=2, max_size=4)


@settings(every_example, max_examples=EXAMPLES // LOGS_AT_ONCE)
@given(st.data())
async def test_a_funnel_is_what_joins_of_its_events_give(world: World, data: st.DataObject) -> None:
    for told in await world.tell_all(data.draw(several_logs)):
        names = data.draw(kinds)
        within = data.draw(st.sampled_from([1, 2, 3_600, 86_400]))
        ties = data.draw(st.sampled_from(["any", "arrival"]))
        found = await people_of(told, names, within, ties)
        for place in range(1, len(names) + 1):
            joined = await world.ask(joined_sql(place, within, ties), **values(told, names[:place]))
            assert joined == [(found[place - 1],)]


@settings(every_example, max_examples=EXAMPLES // LOGS_AT_ONCE)
@given(st.data())
async def test_a_funnel_is_what_clickhouse_counts(world: World, data: st.DataObject) -> None:
    for told in await world.tell_all(data.draw(several_logs)):
        names = data.draw(kinds)
        within = data.draw(st.sampled_from([1, 2, 3_600, 86_400]))
        found = await people_of(told, names, within, "any")
        counted = await world.ask(counted_sql(len(names), within), **values(told, names))
        assert counted == [tuple(found)]


async def people_of(told: Told, names: list[list[str]], within: int, ties: str) -> list[int]:
    steps = [{"event_types": each} for each in names]
    asked = {**RANGE, "steps": steps, "within": {"seconds": within}, "ties": ties}
    answer = await ask_funnel(msgspec.convert(asked, FunnelQuestion), told.sources)
    return [step.people for step in answer.steps]


def values(told: Told, names: list[list[str]]) -> dict[str, Any]:
    """Of each step the ids of its event types."""
    types = list(zip(TYPE_IDS, TYPE_NAMES, strict=True))
    of_steps = {
        f"step_{place}": [i for i, name in types if i in each or name in each]
        for place, each in enumerate(names, 1)
    }
    return {"organization": told.sources.organization_id, **of_steps}


def joined_sql(steps: int, within: int, ties: str) -> str:
    """Every choice of one event for each step, by the rules for a way."""
    tables, rules = ["events AS e1"], [of_step(1)]
    for step in range(2, steps + 1):
        before, this = f"e{step - 1}", f"e{step}"
        moments = [f"{e}.second" if ties == "any" else f"({e}.second, {e}.seq)"
                   for e in (before, this)]  # fmt: skip
        tables.append(f"JOIN events AS {this} ON {this}.person = e1.person")
        rules += [of_step(step), f"{moments[0]} <= {moments[1]}"]
        rules.append(f"{this}.second <= e1.second + {within}")
        rules += [f"{this}.seq != e{other}.seq" for other in range(1, step)]
    return (
        f"WITH events AS ({EVENTS}) SELECT uniqExact(e1.person)"
        f" FROM {' '.join(tables)} WHERE {' AND '.join(rules)}"
    )


def of_step(step: int) -> str:
    return f"e{step}.event_type IN {{step_{step}:Array(String)}}"


def counted_sql(steps: int, within: int) -> str:
    conditions = ", ".join(f"event_type IN {{step_{n}:Array(String)}}" for n in range(1, steps + 1))
    people = ", ".join(f"countIf(reached >= {n})" for n in range(1, steps + 1))
    return (
        f"SELECT {people} FROM (SELECT person, windowFunnel({within}, 'strict_once')"
        f"(toUInt64(second), {conditions}) AS reached FROM ({EVENTS}) GROUP BY person)"
    )
