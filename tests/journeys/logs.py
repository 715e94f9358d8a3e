"""Random logs and the parts of random questions, for the properties of every question.

`logs()` are events with ties, of several ids of one type, by people who were joined and split, on
devices that several share; `moments` are near the events, `common()` is what stands in every
question beside its own part.
"""

from typing import Any

from hypothesis import strategies as st
from msgspec import Struct

from tests.journeys.moments import DAY, STARTS, ZONES

STRONG = (1, 2, 3, 4, 5, 6)  # identifiers that name people
DEVICES = (7, 8, 9)
NOBODY = 0

# Two names that were registered anew, and one that every organization has.
TYPE_IDS = ("visit-1", "visit-2", "visit-3", "order-1", "order-2", "BEGIN_EVENT")
TYPE_NAMES = ("VISIT", "VISIT", "VISIT", "ORDER", "ORDER", "BEGIN_EVENT")
NAMED = ("VISIT", "ORDER", "BEGIN_EVENT", "visit-2", "order-2")
PLATFORMS = ("discord", "telegram", "wallet", "web", "")
PROPERTIES = ("shop", "forum")
CHAINS = ("", "ethereum", "solana")
PATHS = ("price", "tier", "on", "deep.price", "tags", r"a\.b", "empty")


class Happening(Struct, frozen=True, kw_only=True):
    """One event. Subjects are small numbers; `visit` is whose it is where that is not `subject`,
    and that of a subject without identifiers is its device."""

    at_ms: int
    type_id: str
    subject: int = NOBODY
    others: tuple[int, ...] = ()
    device: int = NOBODY
    visit: int = NOBODY
    platform: str = "discord"
    property_id: str = "shop"
    chain_type: str = ""
    proof: int = 2
    data: dict[str, Any] = {}


class Log(Struct, frozen=True):
    """`owners` has what is somebody else's: who is joined to whom, 0 for what is blocked. Before
    that, `once` was so."""

    happenings: tuple[Happening, ...]
    owners: dict[int, int] = {}
    once: dict[int, int] = {}


texts = st.sampled_from(
    ["", "gold", "silver", "5", "true", "null", "é'\"\\\n", "(none)", "(other)"]
)
numbers = st.sampled_from([0, 1, 2, 5, -3, 0.1, 2.5, 1e-7, 1e21, 9_007_199_254_740_993])
scalars = st.one_of(texts, numbers, st.booleans())
leaves = st.one_of(scalars, st.none(), st.lists(st.one_of(scalars, st.none()), max_size=3))


@st.composite
def event_data(draw: st.DrawFn) -> dict[str, Any]:
    keys = draw(st.sets(st.sampled_from(["price", "tier", "on", "tags", "a.b", "deep", "empty"])))
    data: dict[str, Any] = {}
    for key in sorted(keys):
        if key == "deep":
            data[key] = draw(st.one_of(leaves, st.fixed_dictionaries({"price": leaves})))
        elif key == "price":
            data[key] = draw(st.one_of(numbers, numbers, leaves))
        elif key == "empty":
            data[key] = draw(st.sampled_from([{}, [], "", None]))
        else:
            data[key] = draw(leaves)
    return data


@st.composite
def happenings(draw: st.DrawFn, start_seconds: int) -> Happening:
    """Many of them within one second of each other, and at the very turn of a day."""
    days = draw(st.integers(0, 9))
    within = draw(st.sampled_from([0, 1, 1, 2, 3_600, DAY // 2, DAY - 1]))
    subject = draw(st.sampled_from((NOBODY, *STRONG)))
    others = draw(st.sets(st.sampled_from(STRONG), max_size=2)) if subject else set()
    device = draw(st.sampled_from((NOBODY, NOBODY, *DEVICES)))
    visit = draw(st.sampled_from(STRONG)) if draw(st.integers(0, 9)) == 0 else NOBODY
    return Happening(
        at_ms=(start_seconds + days * DAY + within) * 1_000 + draw(st.sampled_from([0, 0, 1, 999])),
        type_id=draw(st.sampled_from(TYPE_IDS)),
        subject=subject or device,
        others=tuple(sorted(others - {subject})),
        device=device,
        visit=visit if subject or device else NOBODY,
        platform=draw(st.sampled_from(PLATFORMS)),
        property_id=draw(st.sampled_from(PROPERTIES)),
        chain_type=draw(st.sampled_from(CHAINS)),
        proof=draw(st.integers(1, 3)),
        data=draw(event_data()),
    )


@st.composite
def owners(draw: st.DrawFn) -> dict[int, int]:
    """Who is one with whom: people under one of their own, devices theirs, some blocked."""
    names: dict[int, int] = {}
    for subject in STRONG:
        names[subject] = draw(st.sampled_from([s for s in STRONG if names.get(s, s) == s]))
        names[names[subject]] = names[subject]
    people = sorted(set(names.values()))
    for device in DEVICES:
        names[device] = draw(st.sampled_from([device, device, *people]))
    if draw(st.integers(0, 4)) == 0:
        lonely = [s for s in STRONG if list(names.values()).count(s) == 1]
        if lonely:
            names[draw(st.sampled_from(lonely))] = NOBODY
    return names


@st.composite
def logs(draw: st.DrawFn, most: int = 30) -> Log:
    start_seconds = draw(st.sampled_from(STARTS))
    return Log(
        tuple(draw(st.lists(happenings(start_seconds), max_size=most))),
        draw(owners()),
        draw(owners()),
    )


# For one example: telling the ledger of several logs costs as much as telling it of one.
LOGS_AT_ONCE = 3
several_logs = st.lists(logs(), min_size=LOGS_AT_ONCE, max_size=LOGS_AT_ONCE)


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    """Any that a question may have."""
    field = draw(
        st.sampled_from(
            ["event_type", "property_id", "platform", "chain_type", "proof"]
            + [f"event_data.{path}" for path in PATHS]
        )
    )
    values: st.SearchStrategy[Any]
    if field == "event_type":
        ops, values = EQUAL, st.sampled_from(NAMED)
    elif field == "proof":
        ops, values = (*EQUAL, *ORDER), st.sampled_from([0, 1, 2, 2.5, 3])
    elif field.startswith("event_data"):
        ops, values = (*EQUAL, *ORDER, *FOUND), scalars
    else:
        ops, values = (
            (*EQUAL, *FOUND),
            st.sampled_from([*PLATFORMS, *PROPERTIES, "Web", "o", "solana"]),
        )
    op = draw(st.sampled_from(ops))
    if op == "exists":
        said = draw(st.sampled_from([{}, {"value": True}, {"value": False}]))
        return {"field": field, "op": op, **said}
    if op in ("in", "not_in"):
        return {"field": field, "op": op, "value": draw(st.lists(values, min_size=1, max_size=3))}
    if op in ORDER and field.startswith("event_data"):
        values = st.one_of(texts, numbers)
    return {"field": field, "op": op, "value": draw(values)}


EQUAL = ("eq", "ne", "in", "not_in")
ORDER = ("gt", "gte", "lt", "lte")
FOUND = ("contains", "exists")


@st.composite
def steps(draw: st.DrawFn, any_event: bool = True) -> dict[str, Any]:
    named = st.lists(st.sampled_from(NAMED), min_size=0 if any_event else 1, max_size=2)
    step: dict[str, Any] = {"event_types": draw(named)}
    if draw(st.integers(0, 3)) == 0:
        step["where"] = draw(st.lists(conditions(), max_size=2))
    return step


@st.composite
def common(draw: st.DrawFn, log: Log) -> dict[str, Any]:
    """Range, zone, start of the week and filters. Often the whole log, sometimes nothing of it."""
    times = [each.at_ms for each in log.happenings] or [STARTS[0] * 1_000]
    first = min(times) // 1_000
    from_seconds = first + draw(st.sampled_from([0, -DAY, 1, DAY, -3 * DAY - 5]))
    length = draw(st.sampled_from([20 * DAY, 14 * DAY, DAY, 1, 3 * DAY + 7]))
    asked: dict[str, Any] = {
        "from": from_seconds,
        "to": from_seconds + length,
        "timezone": draw(st.sampled_from(ZONES)),
        "week_start": draw(st.sampled_from(["monday", "sunday"])),
    }
    if draw(st.integers(0, 3)) == 0:
        asked["where"] = draw(st.lists(conditions(), min_size=1, max_size=2))
    return asked


def fields() -> st.SearchStrategy[str]:
    """What an answer can be broken down by."""
    return st.sampled_from(
        ["event_type", "property_id", "platform", "chain_type", "proof"]
        + [f"event_data.{path}" for path in PATHS]
    )
