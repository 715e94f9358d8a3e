"""Examples of funnels and their answers, for the OpenAPI document."""

from typing import Any

from endu.web.journeys_examples import ABOUT

_FROM_CLICK_TO_PURCHASE: dict[str, Any] = {
    "steps": [
        {"event_types": ["LINK_TRACKING_CLICK"]},
        {
            "event_types": ["ITEM_PURCHASED"],
            "where": [{"field": "event_data.price", "op": "gte", "value": 10}],
            "label": "Bought",
        },
    ],
    "from": "2023-01-01T00:00:00Z",
    "to": "2023-01-03T00:00:00Z",
    "within": {"days": 7},
}

FUNNEL_BODIES: dict[str, Any] = {
    "ask_for_funnel": {
        "from a click to a purchase": {
            **_FROM_CLICK_TO_PURCHASE,
            "order": "ordered",
            "ties": "any",
            "breakdown": {"field": "platform", "limit": 10},
        },
        "the same order, not taken back in between": {
            "steps": [
                {"event_types": ["ITEM_PURCHASED"]},
                {"event_types": ["BLOCKCHAIN_ACCOUNT_SIGN_IN"]},
            ],
            "within": {"hours": 48},
            "entry": "first",
            "ties": "arrival",
            "exclude": [{"event_types": ["BEGIN_EVENT"], "after": 1, "before": 2}],
            "hold": ["event_data.order_id"],
            "breakdown": {"field": "event_data.tier", "limit": 5, "at": "step:2"},
        },
        "all of it, in any order": {
            "steps": [{"event_types": ["LINK_TRACKING_CLICK"]}, {"event_types": ["BEGIN_EVENT"]}],
            "order": "any",
        },
    },
    "ask_for_funnel_people": {
        "who clicked and did not buy": {
            **_FROM_CLICK_TO_PURCHASE,
            "step": 1,
            "outcome": "dropped",
        },
        "who bought, of those who came by Discord": {
            **_FROM_CLICK_TO_PURCHASE,
            "breakdown": {"field": "platform"},
            "step": 2,
            "group": "discord",
        },
    },
}

_STEPS = [
    {
        "label": "LINK_TRACKING_CLICK",
        "event_ids": ["LINK_TRACKING_CLICK"],
        "people": 100,
        "dropped": 38,
        "from_start": 1.0,
        "from_previous": 1.0,
        "median_seconds": None,
        "p90_seconds": None,
    },
    {
        "label": "Bought",
        "event_ids": ["ITEM_PURCHASED"],
        "people": 62,
        "dropped": 0,
        "from_start": 0.62,
        "from_previous": 0.62,
        "median_seconds": 5400,
        "p90_seconds": 86400,
    },
]

FUNNEL_ANSWERS: dict[str, Any] = {
    "ask_for_funnel": {
        "steps": _STEPS,
        "groups": [{"value": "discord", "steps": _STEPS}],
        "about": ABOUT,
    },
    "ask_for_funnel_people": {
        "total": 38,
        "items": [
            {
                "c_user_id": "5907859812587292501",
                "first_seen": "2023-01-01T01:23:39.000Z",
                "last_seen": "2023-01-02T18:02:10.000Z",
            }
        ],
        "next": None,
    },
}
