"""Examples of questions about journeys and their answers, for the OpenAPI document."""

from typing import Any

_RANGE = {"from": "2023-01-01T00:00:00Z", "to": "2023-01-03T00:00:00Z"}

ABOUT: dict[str, Any] = {
    "rows_read": 812345,
    "elapsed_ms": 61,
    "from": "2023-01-01T00:00:00.000Z",
    "to": "2023-01-03T00:00:00.000Z",
    "anonymous_share": 0.12,
    "contested_share": 0.001,
    "rules_version": 7,
}

JOURNEYS_BODIES: dict[str, Any] = {
    "ask_for_trend": {
        "buyers a day": {
            **_RANGE,
            "series": [{"event_types": ["ITEM_PURCHASED"], "measure": "people"}],
            "interval": "day",
            "timezone": "Europe/Berlin",
        },
        "revenue by tier, beside the period before": {
            **_RANGE,
            "series": [
                {
                    "event_types": ["ITEM_PURCHASED"],
                    "where": [{"field": "event_data.price", "op": "gte", "value": 10}],
                    "measure": "sum",
                    "of": "event_data.price",
                    "label": "Revenue",
                }
            ],
            "interval": "week",
            "week_start": "sunday",
            "breakdown": {"field": "event_data.tier", "limit": 5},
            "compare": True,
        },
    },
}

JOURNEYS_ANSWERS: dict[str, Any] = {
    "ask_for_trend": {
        "series": [
            {
                "label": "ITEM_PURCHASED",
                "group": None,
                "points": [
                    {"at": "2023-01-01T00:00:00.000Z", "value": 12, "complete": True},
                    {"at": "2023-01-02T00:00:00.000Z", "value": 9, "complete": False},
                ],
            }
        ],
        "before": None,
        "about": ABOUT,
    },
}
