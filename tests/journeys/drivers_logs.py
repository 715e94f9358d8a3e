"""Random logs in which some people reach a goal and some do not, and questions about drivers."""

from math import prod
from typing import Any

from hypothesis import strategies as st

from tests.journeys.logs import (
    DEVICES,
    NOBODY,
    PLATFORMS,
    STRONG,
    TYPE_IDS,
    Happening,
    Log,
    common,
    fields,
    owners,
    steps,
)
from tests.journeys.moments import DAY, STARTS

ALONE = {subject: subject for subject in (*STRONG, *DEVICES)}

DOCUMENTS = ({}, {"tier": "gold"}, {"tier": "silver", "price": 5}, {"tier": "", "price": 2.5},
             {"tier": "(none)"}, {"price": 5, "tags": ["gold"]}, {"tier": None})  # fmt: skip
SECONDS = (0, 1, 2, 3_600, DAY // 2, DAY - 1)

# What an event is made of, as one number, so that drawing many costs little; 0 is the simplest.
PARTS = (DOCUMENTS, PLATFORMS, (NOBODY, *DEVICES), (0, 999), SECONDS, range(10), TYPE_IDS,
         (*STRONG, NOBODY))  # fmt: skip
happenings = st.integers(0, prod(len(part) for part in PARTS) - 1)

counts = st.fixed_dictionaries(
    {"at_least": st.lists(st.integers(1, 3), min_size=1, max_size=2)},
    optional={"days": st.just([1])},
)


@st.composite
def busy_logs(draw: st.DrawFn) -> Log:
    """Of as many events as it takes that some reach a goal and some do not."""
    start = draw(st.sampled_from(STARTS))
    numbers = draw(st.lists(happenings, min_size=20, max_size=60))
    visits = draw(st.dictionaries(st.integers(0, 59), st.sampled_from(STRONG), max_size=4))
    once = draw(owners()) if draw(st.integers(0, 3)) == 0 else {}
    told = tuple(happening(start, n, visits.get(i, NOBODY)) for i, n in enumerate(numbers))
    return Log(told, draw(st.one_of(st.just(ALONE), st.just(ALONE), owners())), once)


def happening(start: int, number: int, visit: int) -> Happening:
    chosen: list[Any] = []
    for part in PARTS:
        number, place = divmod(number, len(part))
        chosen.append(part[place])
    data, platform, device, milliseconds, second, day, type_id, subject = chosen
    return Happening(
        at_ms=(start + day * DAY + second) * 1_000 + milliseconds,
        type_id=type_id,
        subject=subject or device,
        device=device,
        visit=visit if subject or device else NOBODY,
        platform=platform,
        data=data,
    )


@st.composite
def questions(draw: st.DrawFn, log: Log) -> dict[str, Any]:
    asked = draw(common(log))
    if draw(st.booleans()):
        asked.pop("where", None)  # leaves few people
    asked["to"] = max(asked["to"], asked["from"] + draw(st.sampled_from([7, 14, 14])) * DAY)
    silence = st.fixed_dictionaries({"silent_days": st.integers(1, 3)})
    named = st.sampled_from(["ORDER", "order-2", "BEGIN_EVENT", "visit-2"])
    rare = st.fixed_dictionaries({"event_types": st.tuples(named)})
    asked["goal"] = draw(st.one_of(rare, rare, rare, steps(), silence))
    asked["population"] = draw(st.one_of(st.none(), st.none(), rare, steps()))
    within = [{"days": 3}, {"days": 1}, {"seconds": 2 * DAY - 1}, {"hours": 25}]
    asked["within"] = draw(st.sampled_from(within))
    of_all = st.sampled_from(["event_types", "counts", "platforms"])
    of_field = st.fixed_dictionaries({"field": fields(), "limit": st.integers(1, 3)})
    asked["candidates"] = draw(st.lists(st.one_of(of_all, of_field), min_size=1, max_size=3))
    if "counts" in asked["candidates"]:
        asked["counts"] = draw(counts)
    asked["minimum_support"] = draw(st.sampled_from([1, 1, 1, 2]))
    return asked
