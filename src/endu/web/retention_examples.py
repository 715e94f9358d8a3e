"""Examples of retention questions and their answers, for the OpenAPI document."""

from typing import Any

from endu.web.journeys_examples import ABOUT

_WEEKS: dict[str, Any] = {
    "start": {"event_types": ["LINK_TRACKING_CLICK"]},
    "return": {"event_types": ["ITEM_PURCHASED"]},
    "from": "2023-01-02T00:00:00Z",
    "to": "2023-01-16T00:00:00Z",
    "period": "week",
    "periods": 2,
}

RETENTION_BODIES: dict[str, Any] = {
    "ask_for_retention": {
        "who buys in the weeks after a click": _WEEKS,
        "newcomers, day by day, by platform": {
            "start": {"event_types": ["BEGIN_EVENT"]},
            "from": "2023-01-01T00:00:00Z",
            "to": "2023-02-01T00:00:00Z",
            "timezone": "Europe/Berlin",
            "period": "day",
            "periods": 15,
            "who": "first_ever",
            "returned": "on_or_after",
            "clock": "rolling",
            "breakdown": {"field": "platform", "limit": 5},
        },
    },
    "ask_for_retention_people": {
        "who bought a week after": {**_WEEKS, "cohort": "2023-01-02T00:00:00Z", "cell": 1},
        "who did not": {
            **_WEEKS,
            "cohort": "2023-01-02T00:00:00Z",
            "cell": 1,
            "came_back": False,
        },
    },
}

RETENTION_ANSWERS: dict[str, Any] = {
    "ask_for_retention": {
        "cohorts": [
            {
                "at": "2023-01-02T00:00:00.000Z",
                "people": 100,
                "cells": [
                    {"people": 82, "share": 0.82, "complete": True},
                    {"people": 61, "share": 0.61, "complete": True},
                ],
            },
            {
                "at": "2023-01-09T00:00:00.000Z",
                "people": 50,
                "cells": [
                    {"people": 38, "share": 0.76, "complete": True},
                    {"people": 0, "share": 0.0, "complete": False},
                ],
            },
        ],
        "mean": [0.8, 0.61],
        "groups": [],
        "about": {
            **ABOUT,
            "from": "2023-01-02T00:00:00.000Z",
            "to": "2023-01-16T00:00:00.000Z",
        },
    },
    "ask_for_retention_people": {
        "total": 61,
        "items": [
            {
                "c_user_id": "5907859812587292501",
                "first_seen": "2023-01-02T01:23:39.000Z",
                "last_seen": "2023-01-11T18:02:10.000Z",
            }
        ],
        "next": None,
    },
}
