"""Examples of questions about paths and their answers, for the OpenAPI document."""

from typing import Any

from endu.web.journeys_examples import ABOUT

_AFTER_A_CLICK: dict[str, Any] = {
    "anchor": {"start": {"event_types": ["LINK_TRACKING_CLICK"]}},
    "depth": 2,
    "from": "2023-01-01T00:00:00Z",
    "to": "2023-01-03T00:00:00Z",
}
_CLICK, _BOUGHT, _OVER = "LINK_TRACKING_CLICK", "ITEM_PURCHASED", "(no further action)"

PATHS_BODIES: dict[str, Any] = {
    "ask_for_paths": {
        "what follows a click": _AFTER_A_CLICK,
        "what led to a purchase, on which platform": {
            "anchor": {"end": {"event_types": ["ITEM_PURCHASED"]}},
            "depth": 5,
            "session_gap": {"hours": 2},
            "nodes": "platform_and_event_type",
            "exclude": [{"event_types": ["BEGIN_EVENT"]}],
            "top": 20,
        },
    },
    "ask_for_paths_people": {
        "who bought right after a click": {
            **_AFTER_A_CLICK,
            "link": {"from": [0, _CLICK], "to": [1, _BOUGHT]},
        },
        "who did nothing more": {**_AFTER_A_CLICK, "node": {"position": 1, "name": _OVER}},
        "who took that path": {**_AFTER_A_CLICK, "sequence": [_CLICK, _BOUGHT]},
    },
}

PATHS_ANSWERS: dict[str, Any] = {
    "ask_for_paths": {
        "nodes": [
            {"position": 0, "name": _CLICK, "people": 90, "transitions": 120},
            {"position": 1, "name": _BOUGHT, "people": 61, "transitions": 75},
            {"position": 1, "name": _OVER, "people": 40, "transitions": 45},
        ],
        "links": [
            {"from": [0, _CLICK], "to": [1, _BOUGHT], "people": 61, "transitions": 75},
            {"from": [0, _CLICK], "to": [1, _OVER], "people": 40, "transitions": 45},
        ],
        "sequences": [
            {"steps": [_CLICK, _BOUGHT], "people": 61, "transitions": 75},
            {"steps": [_CLICK], "people": 40, "transitions": 45},
        ],
        "share_covered": 1.0,
        "about": ABOUT,
    },
    "ask_for_paths_people": {
        "total": 61,
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
