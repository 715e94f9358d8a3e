"""A trend is what the same events say in plain Python, for any log and any question."""

from datetime import datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endu.journeys.trend import Line, Trend, TrendQuestion, ask_trend
from endu.refusals import Refusal
from tests.journeys import oracle_frame, oracle_trend
from tests.journeys.logs import Happening, Log, common, fields, several_logs, steps
from tests.journeys.world import Told, World, as_many_logs

OF_NUMBERS = ("sum", "average", "min", "max", "p50", "p90", "p99")


@st.composite
def series(draw: st.DrawFn) -> dict[str, Any]:
    measure = draw(st.sampled_from(["events", "people", "people", *OF_NUMBERS]))
    of = {"of": draw(st.sampled_from(["event_data.price", "event_data.deep.price"]))}
    return {**draw(steps()), "measure": measure, **(of if measure in OF_NUMBERS else {})}


@st.composite
def trends(draw: st.DrawFn, log: Log) -> dict[str, Any]:
    asked = draw(common(log))
    asked["series"] = draw(st.lists(series(), min_size=1, max_size=3))
    asked["interval"] = draw(st.sampled_from(["day", "day", "week", "month", "hour"]))
    if asked["interval"] == "hour":
        asked["to"] = min(asked["to"], asked["from"] + 3 * 86_400)
    if draw(st.booleans()):
        asked["breakdown"] = {"field": draw(fields()), "limit": draw(st.integers(1, 3))}
    asked["compare"] = draw(st.booleans())
    return asked


async def ask(told: Told, asked: dict[str, Any]) -> Trend:
    return await ask_trend(msgspec.convert(asked, TrendQuestion), told.sources)


@as_many_logs
@given(st.data())
async def test_a_trend_is_what_its_events_say(world: World, data: st.DataObject) -> None:
    told_at_once = await world.tell_all(data.draw(several_logs))
    for told in told_at_once * 3:  # telling costs more than asking
        asked = data.draw(trends(told.log))
        answer = await ask(told, asked)
        agree(answer, asked, told)


def agree(answer: Trend, asked: dict[str, Any], told: Told) -> None:
    lines, before = oracle_trend.trend(asked, told.rows, told.sources.now_ms)
    same_lines(answer.series, lines)
    assert (answer.before is None) == (before is None)
    if answer.before is not None and before is not None:
        same_lines(answer.before, before)
    about = answer.about
    assert (about.anonymous_share, about.contested_share) == oracle_frame.about(
        oracle_trend.events_of(asked, told.rows)
    )


def same_lines(lines: list[Line], expected: list[Any]) -> None:
    assert [line.group for line in lines] == [group for _, group, _ in expected]
    for line, (_, _, points) in zip(lines, expected, strict=True):
        assert [(in_ms(p.at), p.complete) for p in line.points] == [(p[0], p[2]) for p in points]
        for point, (_, value, _) in zip(line.points, points, strict=True):
            close = value is None or pytest.approx(value, rel=1e-9, abs=1e-12)
            assert (point.value is None) if value is None else (point.value == close)


def in_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000


async def test_people_who_become_one_are_one_in_every_bucket(world: World) -> None:
    day = 86_400_000
    log = Log(tuple(Happening(at_ms=day * (1 + n // 2), type_id="BEGIN_EVENT", subject=1 + n % 2)
                    for n in range(4)))  # fmt: skip
    asked = {"from": 86_400, "to": 3 * 86_400, "series": [{"measure": "people"}]}
    told = await world.tell(log)
    for owners, people in (({}, [2, 2]), ({2: 1}, [1, 1]), ({2: 2}, [2, 2])):
        told = await world.move(told, owners)
        answer = await ask(told, asked)
        assert [point.value for point in answer.series[0].points] == people


async def test_the_bucket_that_is_not_over_is_marked(world: World) -> None:
    told = await world.tell(Log(()))
    now = told.sources.now_ms // 1_000
    asked = {"from": now - 86_400, "to": now + 86_400, "series": [{}]}
    points = (await ask(told, asked)).series[0].points
    assert [(point.value, point.complete) for point in points] == [(0, True), (0, False)]


async def test_everything_that_is_wrong_is_said_at_once(world: World) -> None:
    told = await world.tell(Log(()))
    asked = {
        "from": "2023-02-01T00:00:00",
        "to": "2023-01-01T00:00:00Z",
        "timezone": "Europe/Nowhere",
        "where": [{"field": "platform", "op": "gt", "value": "x"}, {"field": "color", "op": "eq"}],
        "series": [
            {
                "event_types": ["NO_SUCH_TYPE"],
                "where": [{"field": "proof", "op": "eq", "value": "x"}],
            },
            {"measure": "sum"},
            {"measure": "people", "of": "event_data.price"},
            {"measure": "p90", "of": "platform"},
        ],
        "breakdown": {"field": "event_data."},
    }
    with pytest.raises(Refusal) as refused:
        await ask(told, asked)
    assert refused.value.reason.name == "INVALID_QUESTION"
    assert [problem.path for problem in refused.value.problems] == [
        "from",
        "timezone",
        "where[0].op",
        "where[1].value",
        "series[0].event_types[0]",
        "series[0].where[0].value",
        "series[1].of",
        "series[2].of",
        "series[3].of",
        "breakdown.field",
    ]


async def test_a_question_with_too_many_points_is_refused(world: World) -> None:
    told = await world.tell(Log(()))
    asked = {"from": 0, "to": 2_000_000_000, "interval": "hour", "series": [{}]}
    with pytest.raises(Refusal) as refused:
        await ask(told, asked)
    assert [problem.path for problem in refused.value.problems] == ["interval"]
