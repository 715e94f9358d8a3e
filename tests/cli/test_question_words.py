"""What is typed as a step, a condition, a time is what the server is asked."""

from typing import Any

import pytest

from endu.cli.questions import charts, words
from endu.cli.stop import Stop


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("ITEM_PURCHASED", {"event_types": ["ITEM_PURCHASED"]}),
        ("CLICK, PAGE_VIEW", {"event_types": ["CLICK", "PAGE_VIEW"]}),
        ("any", {"event_types": []}),
        (
            "BOUGHT[event_data.price>=10][platform=web]",
            {
                "event_types": ["BOUGHT"],
                "where": [
                    {"field": "event_data.price", "op": "gte", "value": 10},
                    {"field": "platform", "op": "eq", "value": "web"},
                ],
            },
        ),
    ],
)
def test_a_step_is_read(text: str, step: Any) -> None:
    assert words.step(text) == step


@pytest.mark.parametrize(
    ("text", "field", "op", "value"),
    [
        ("platform=discord", "platform", "eq", "discord"),
        ("platform = discord,telegram", "platform", "in", ["discord", "telegram"]),
        ("platform!=discord,telegram", "platform", "not_in", ["discord", "telegram"]),
        ("property_id=5", "property_id", "eq", "5"),
        ("proof>2", "proof", "gt", 2),
        ("event_data.price<1e-3", "event_data.price", "lt", 0.001),
        ('event_data.size="5"', "event_data.size", "eq", "5"),
        ('event_data.name="a, b"', "event_data.name", "eq", "a, b"),
        ("event_data.on=true", "event_data.on", "eq", True),
        ("event_data.on!=gold", "event_data.on", "ne", "gold"),
        ("event_data.title~a=b", "event_data.title", "contains", "a=b"),
        (r"event_data.a\.b=x", r"event_data.a\.b", "eq", "x"),
        ("event_data.coupon", "event_data.coupon", "exists", True),
        ("!event_data.coupon", "event_data.coupon", "exists", False),
    ],
)
def test_a_condition_is_read(text: str, field: str, op: str, value: Any) -> None:
    assert words.condition(text) == {"field": field, "op": op, "value": value}


@pytest.mark.parametrize(
    ("text", "duration", "seconds"),
    [
        ("45s", {"seconds": 45}, 45),
        ("30m", {"minutes": 30}, 1_800),
        ("12h", {"hours": 12}, 43_200),
        ("2w", {"days": 14}, 1_209_600),
    ],
)
def test_a_duration_is_read(text: str, duration: dict[str, int], seconds: int) -> None:
    assert words.duration(text) == duration
    assert words.seconds_of(duration) == seconds


def test_a_date_is_its_first_moment_in_the_zone() -> None:
    assert words.moment("2024-03-31", "Europe/Berlin") == 1_711_839_600
    assert words.moment("1711839600", "Europe/Berlin") == 1_711_839_600
    assert words.moment("2024-03-31T00:00:00Z", "Europe/Berlin") == "2024-03-31T00:00:00Z"


@pytest.mark.parametrize("text", ["", "=5", "price>", "!", "!!a", "proof>1,2"])
def test_what_is_no_condition_is_said(text: str) -> None:
    with pytest.raises(Stop):
        words.condition(text)


def test_what_is_no_step_no_duration_and_no_date_is_said() -> None:
    for text in ("", "A[", "[a=b]", "A]"):
        with pytest.raises(Stop):
            words.step(text)
    for text in ("7", "d", "7 days", "-7d"):
        with pytest.raises(Stop):
            words.duration(text)
    for text, zone in (("2024-02-30", "UTC"), ("2024-02-01", "Europe/Nowhere")):
        with pytest.raises(Stop):
            words.moment(text, zone)


def test_a_chart_is_as_large_as_its_numbers() -> None:
    assert [charts.bar(share, 4) for share in (None, 0, 0.5, 0.53125, 1)] == [
        "",
        "",
        "██",
        "██▏",
        "████",
    ]
    assert charts.line([0, None, 7, 3.5]) == "▁ █▅"
    assert charts.line([]) == charts.line([None]) == ""
    assert charts.line([5, 5]) == "██"
    assert charts.line([-5, 0, 5]) == "▁▅█"
    shown = [charts.duration(seconds) for seconds in (None, 0, 59.6, 5_400, 108_000)]
    assert shown == ["", "0 s", "60 s", "1.5 h", "1.2 d"]
