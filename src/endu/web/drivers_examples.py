"""Examples of questions about drivers and their answers, for the OpenAPI document."""

from typing import Any

from endu.web.journeys_examples import ABOUT

_RANGE: dict[str, Any] = {"from": "2023-01-01T00:00:00Z", "to": "2023-03-01T00:00:00Z"}
_BUYING: dict[str, Any] = {
    **_RANGE,
    "goal": {"event_types": ["ITEM_PURCHASED"]},
    "population": {"event_types": ["LINK_TRACKING_CLICK"]},
    "candidates": ["event_types", "counts", "platforms", {"field": "event_data.tier"}],
    "within": {"days": 14},
}
_BEHAVIOUR: dict[str, Any] = {
    "field": "event_type",
    "value": "BLOCKCHAIN_ACCOUNT_SIGN_IN",
    "at_least": 1,
    "days": None,
}

DRIVERS_BODIES: dict[str, Any] = {
    "ask_for_drivers": {
        "what goes with buying after a click": _BUYING,
        "what goes with leaving": {
            **_RANGE,
            "goal": {"silent_days": 14},
            "candidates": ["event_types", "counts"],
            "counts": {"at_least": [3, 10], "days": [1, 7]},
            "within": {"days": 30},
            "minimum_support": 50,
        },
    },
    "ask_for_drivers_people": {
        "who signed in and did not buy": {
            **_BUYING,
            "behaviour": _BEHAVIOUR,
            "with": True,
            "reached": False,
        },
        "who was studied": _BUYING,
    },
}

DRIVERS_ANSWERS: dict[str, Any] = {
    "ask_for_drivers": {
        "people": 1000,
        "reached": 310,
        "rate": 0.31,
        "left_out": {"at_once": 4, "unfinished": 212},
        "minimum_support": 20,
        "candidates": {"found": 31, "tried": 24, "below_support": 7, "cut": 0},
        "drivers": [
            {
                "behaviour": _BEHAVIOUR,
                "text": "did BLOCKCHAIN_ACCOUNT_SIGN_IN: "
                "associated with reaching the goal more often",
                "people_with": 400,
                "people_without": 600,
                "reached_with": 220,
                "reached_without": 90,
                "rate_with": 0.55,
                "rate_without": 0.15,
                "lift": 3.67,
                "odds_ratio": 6.93,
                "odds_low": 5.15,
                "odds_high": 9.31,
                "p": 1.5e-40,
                "q": 3.6e-39,
            }
        ],
        "about": ABOUT,
    },
    "ask_for_drivers_people": {
        "total": 180,
        "items": [
            {
                "c_user_id": "5907859812587292501",
                "first_seen": "2023-01-01T01:23:39.000Z",
                "last_seen": "2023-02-11T20:10:00.000Z",
            }
        ],
        "next": "kQM",
    },
}
