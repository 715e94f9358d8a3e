"""Random logs and questions for funnels: some of everything, and more of what brings people far.

Hypothesis likes what is small, and what it had before; hardly any way through four steps that
something could end comes of that. So dense cases are drawn evenly, from one number each.
"""

from collections.abc import Sequence
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.journeys.logs import (
    NAMED,
    TYPE_IDS,
    TYPE_NAMES,
    Happening,
    Log,
    common,
    fields,
    logs,
    steps,
)
from tests.journeys.moments import DAY, STARTS
from tests.journeys.world import Told, World

LOGS_AT_ONCE = 5
EVER = {"from": min(STARTS), "to": max(STARTS) + 20 * DAY}
PLAIN = ("visit-1", "visit-2", "order-1", "order-2", "BEGIN_EVENT")
OWNERS: tuple[dict[int, int], ...] = ({}, {}, {2: 1}, {2: 1, 3: 1}, {3: 0})

Case = tuple[Log, dict[str, Any]]  # with its question

randoms = st.integers(0, 2**32).map(Random)
durations = ({"seconds": 1}, {"seconds": 3}, {"seconds": 8}, {"seconds": 8}, {"days": 9})
paths = ("event_data.tier", "event_data.on", "event_data.price")


def dense_log(random: Random, types: Sequence[str] = TYPE_IDS) -> Log:
    """A few seconds full of events of few people."""
    happened = [
        Happening(
            at_ms=(STARTS[0] + random.randint(0, 9)) * 1_000 + random.choice([0, 0, 500]),
            type_id=random.choice(types),
            subject=random.choice([1, 1, 1, 1, 1, 2]),
            platform=random.choice(["discord", "web", ""]),
            data={"tier": random.choice(["gold", "gold", "gold", "silver", None])},
        )
        for _ in range(random.randint(8, 15))
    ]
    return Log(tuple(happened), random.choice(OWNERS))


@st.composite
def cases(draw: st.DrawFn) -> list[Case]:
    """As hypothesis likes them."""
    return [draw(st.one_of(randoms.map(dense_case), any_case())) for _ in range(LOGS_AT_ONCE)]


@st.composite
def any_case(draw: st.DrawFn) -> Case:
    log = draw(logs(most=14))
    asked = {**funnel(draw(randoms)), **draw(common(log))}
    asked["steps"] = draw(st.lists(steps(), min_size=2, max_size=4))
    asked.pop("exclude", None)
    if "breakdown" in asked:
        asked["breakdown"] = {"field": draw(fields()), "limit": draw(st.integers(1, 2))}
    return log, asked


def dense_case(random: Random) -> Case:
    asked = {**EVER, **funnel(random)}
    return dense_log(random, types_of(asked)), asked


def funnel(random: Random) -> dict[str, Any]:
    number = random.choice([2, 3, 3, 4])
    asked: dict[str, Any] = {
        "steps": [plain_step(random) for _ in range(number)],
        "within": random.choice(durations),
        "order": random.choice(["ordered", "ordered", "strict", "any"]),
        "entry": random.choice(["best", "first"]),
        "hold": random.choice([[], [], [], [], [], ["event_data.tier"], random.sample(paths, 2)]),
    }
    if asked["order"] != "any":
        asked["ties"] = random.choice(["any", "any", "arrival"])
        asked["exclude"] = [exclusion(random, number) for _ in range(random.choice([0, 1, 2]))]
    if random.random() < 0.5:
        at = ["entry", "first", "last", f"step:{random.randint(1, number)}"]
        asked["breakdown"] = {
            "field": random.choice(["platform", "event_type", "event_data.tier"]),
            "limit": random.randint(1, 2),
            "at": random.choice(at),
        }
    return asked


def types_of(asked: dict[str, Any]) -> list[str]:
    """The ids of all event types that it is about."""
    kinds = [*asked["steps"], *asked.get("exclude", [])]
    named = {name for kind in kinds for name in kind["event_types"]}
    types = zip(TYPE_IDS, TYPE_NAMES, strict=True)
    return [i for i, name in types if {i, name} & named] or [*TYPE_IDS]


def plain_step(random: Random) -> dict[str, Any]:
    """Of one kind mostly; sometimes of two, or of any."""
    if random.random() < 0.3:
        return {"event_types": random.sample(NAMED, random.randint(0, 2))}
    return {"event_types": [random.choice(PLAIN)]}


def exclusion(random: Random, last: int) -> dict[str, Any]:
    after = random.randint(1, last - 1)
    return {**plain_step(random), "after": after, "before": random.randint(after + 1, last)}


async def told_at_once(world: World, drawn: Sequence[Case]) -> list[tuple[Told, dict[str, Any]]]:
    told = await world.tell_all([log for log, _ in drawn])
    return [(each, asked) for each, (_, asked) in zip(told, drawn, strict=True)]
