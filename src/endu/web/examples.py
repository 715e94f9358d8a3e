"""Examples for the OpenAPI document, by endpoint. A test holds them to the types."""

from typing import Any

from endu.web.drivers_examples import DRIVERS_ANSWERS, DRIVERS_BODIES
from endu.web.erasures_examples import ERASURES_ANSWERS
from endu.web.funnel_examples import FUNNEL_ANSWERS, FUNNEL_BODIES
from endu.web.journeys_examples import JOURNEYS_ANSWERS, JOURNEYS_BODIES
from endu.web.paths_examples import PATHS_ANSWERS, PATHS_BODIES
from endu.web.retention_examples import RETENTION_ANSWERS, RETENTION_BODIES
from endu.web.sql_examples import SQL_ANSWER, SQL_BODIES

ORGANIZATION = "848WN4oEUgisKrV9dY9Ni6"
RECORD = "1Bm3XoJfUXkkW9vMdJHr1x"
NUMBER = "5907859812587292501"
AT = "2023-01-01T01:23:39.000Z"

_EVENT = {
    "property_id": "D#1007491775344160808",
    "organization_id": ORGANIZATION,
    "timestamp": "1672536219",
    "event_type": "ITEM_PURCHASED",
    "event_data": {"item_id": "8258727671"},
}
_PLATFORM = {"p_user_id": "702877938567086080", "platform_type": "Discord"}
_WALLET = {"blockchain": {"chain_type": "solana", "chain_account": "0x0"}}
_DISCORD = "discord:702877938567086080"
_ADDRESS = "wallet:eip155:0x52908400098527886e0f7030069857d2e4169ee7"

_LINK = {
    "a": _DISCORD,
    "b": _ADDRESS,
    "proof": 2,
    "claimed_at": AT,
    "record_id": RECORD,
    "verdict": "accepted",
    "reason": "",
    "against": None,
}
_IDENTITY = {
    "c_user_id": NUMBER,
    "redirected_from": None,
    "first_seen": AT,
    "last_seen": AT,
    "identifiers": [
        {
            "kind": "discord",
            "value": "702877938567086080",
            "c_user_id": NUMBER,
            "proof": 2,
            "asserted": False,
            "standing": "",
            "first_seen": AT,
            "last_seen": AT,
            "events": 1,
        }
    ],
}
_ITEM = {
    "record_id": RECORD,
    "event_id": "905HFFkfjwuja8f89W2KrV",
    "event_type": "ITEM_PURCHASED",
    "property_id": "D#1007491775344160808",
    "timestamp": AT,
    "received_at": AT,
    "relation": "own",
    "contested": False,
    "because": _DISCORD,
    "identifiers": [_DISCORD],
    "event_data": {"item_id": "8258727671"},
    "violations": [],
    "warnings": [],
}
_SCHEMA = {"key_1": "string", "key_2": "array", "key_3": "number", "key_4": {"sub_key_1": "string"}}
_EVENT_TYPE = {
    "event_id": "905HFFkfjwuja8f89W2KrV",
    "event_type": "MY_NEW_EVENT",
    "event_display_name": "My New Event",
    "is_global": False,
    "is_current": True,
    "created_at": AT,
    "event_id_previous": None,
    "schema": {"version": 1, "event_data_schema": _SCHEMA, "mode": "flag", "created_at": AT},
}
_KEY = {
    "key_id": RECORD,
    "kind": "publishable",
    "name": "website",
    "scopes": ["record"],
    "origins": ["https://example.com"],
    "created_at": AT,
}
_RULE = {
    "rule_id": RECORD,
    "rule": "never-link",
    "identifiers": [_DISCORD, _ADDRESS],
    "author": "secret key 1Bm3XoJfUXkkW9vMdJHr1x",
    "reason": "A shared wallet.",
    "made_at": AT,
    "taken_back_at": None,
    "taken_back_by": None,
}
_LIMITS: dict[str, Any] = {
    "organization_id": ORGANIZATION,
    "settings": {
        "record_always_200": False,
        "unknown_c_user_id": "adopt",
        "event_types_at_most": 100,
        "identities_created_per_hour": 500,
        "event_bytes_at_most": 32768,
        "events_per_batch_at_most": 2000,
        "batch_bytes_at_most": 5242880,
        "events_per_second_at_most": 100000,
        "events_burst_at_most": 1000000,
        "retention_days": None,
        "retention_days_by_event_type": {},
    },
    "identity": {"asserted": 1, "discord": 1, "telegram": 1, "wallet": 10},
    "fixed": {"event_data_levels": 8, "event_data_keys": 500},
    "would_let_go": None,
}


def _page(item: Any) -> dict[str, Any]:
    return {"items": [item], "next": None}


PARAMETERS: dict[str, Any] = {
    "c_user_id": NUMBER,
    "event_id": "BEGIN_EVENT",
    "organization_id": ORGANIZATION,
    "discord": "702877938567086080",
}

BODIES: dict[str, dict[str, Any]] = {
    **DRIVERS_BODIES,
    **FUNNEL_BODIES,
    **JOURNEYS_BODIES,
    **PATHS_BODIES,
    **RETENTION_BODIES,
    "ask_in_sql": SQL_BODIES,
    "record_event": {
        "platform identity": {**_EVENT, **_PLATFORM},
        "unique identity": {**_EVENT, "c_user_id": "59078598125872925"},
        "blockchain": {**_EVENT, **_WALLET},
        "fingerprint": {**_EVENT, "event_type": "PAGE_VIEW", "fingerprint": "xuauwiaufjwaj"},
        "platform and blockchain": {**_EVENT, **_PLATFORM, **_WALLET},
    },
    "record_events": {"two": [{**_EVENT, **_PLATFORM}, {**_EVENT, **_WALLET}]},
    "create_event_type": {
        "new": {
            "event_type": "MY_NEW_EVENT",
            "event_display_name": "My New Event",
            "event_data_schema": _SCHEMA,
            "confirm_overwrite": False,
        }
    },
    "put_schema": {
        "try": {"event_data_schema": {"key_1": "string"}, "mode": "refuse", "dry_run": True}
    },
    "create_identity": {"known on a platform": {"prefill": _PLATFORM}},
    "explain": {"two identifiers": {"a": _DISCORD, "b": _ADDRESS}},
    "make_rule": {
        "try": {
            "rule": "never-link",
            "a": _DISCORD,
            "b": _ADDRESS,
            "reason": "A shared wallet.",
            "dry_run": True,
        }
    },
    "replay_failed_events": {"try": {"reason": "UNKNOWN_EVENT_TYPE", "dry_run": True}},
    "create_organization": {"new": {"name": "acme"}},
    "put_limits": {
        "more": {"event_types_at_most": 200, "identity": {"wallet": 20}},
        "what would be let go of": {
            "retention_days": 365,
            "retention_days_by_event_type": {"LINK_TRACKING_CLICK": 90, "BEGIN_EVENT": None},
            "dry_run": True,
        },
    },
    "create_key": {
        "for a website": {
            "kind": "publishable",
            "name": "website",
            "origins": ["https://example.com"],
        }
    },
}

_ARRIVED_NAMES = (
    "record_id",
    "event_id",
    "event_type",
    "property_id",
    "timestamp",
    "received_at",
    "identifiers",
    "event_data",
)

ANSWERS: dict[str, Any] = {
    **DRIVERS_ANSWERS,
    **ERASURES_ANSWERS,
    **FUNNEL_ANSWERS,
    **JOURNEYS_ANSWERS,
    **PATHS_ANSWERS,
    **RETENTION_ANSWERS,
    "ask_in_sql": SQL_ANSWER,
    "list_events": {"items": [{name: _ITEM[name] for name in _ARRIVED_NAMES}], "next": "kQM"},
    "record_events": {
        "results": [
            {"result": "ok", "record_id": RECORD},
            {
                "result": "refused",
                "failed_event_id": RECORD,
                "error": "UNKNOWN_EVENT_TYPE",
                "error_text": "Register this event_type before sending events of it.",
            },
        ]
    },
    "create_event_type": {"event_id": "905HFFkfjwuja8f89W2KrV"},
    "list_event_types": _page(_EVENT_TYPE),
    "get_event_type": _EVENT_TYPE,
    "put_schema": {
        "event_id": "905HFFkfjwuja8f89W2KrV",
        "version": None,
        "mode": "refuse",
        "dry_run": True,
        "checked": 120,
        "violating": 1,
        "examples": [
            {"event_data": {"key_1": 1}, "violations": [{"path": "key_1", "message": "…"}]}
        ],
    },
    "create_identity": {"c_user_id": NUMBER, "created": True},
    "find_identity": _IDENTITY,
    "get_identity": _IDENTITY,
    "get_timeline": _page(_ITEM),
    "get_journal": _page(
        {"at": AT, "change": "created", "c_user_id": NUMBER, "record_id": RECORD, "detail": {}}
    ),
    "explain": {"same": True, "path": [_LINK], "refused": []},
    "list_conflicts": _page(
        {
            "link": {**_LINK, "verdict": "refused", "reason": "at most 1 discord"},
            "identities": [NUMBER, "5907859812587292502"],
        }
    ),
    "list_hubs": _page({"identifier": _ADDRESS, "claimed_by": 6}),
    "make_rule": {
        "rule_id": None,
        "dry_run": True,
        "moves": [
            {
                "identifier": _ADDRESS,
                "c_user_id": NUMBER,
                "would_be": "5907859812587292502",
                "events": 3,
            }
        ],
        "identities_moved": 1,
        "events_moved": 3,
    },
    "list_rules": _page(_RULE),
    "take_back_rule": {"rule_id": RECORD},
    "list_failed_events": _page(
        {
            "failed_event_id": RECORD,
            "received_at": AT,
            "reason": "UNKNOWN_EVENT_TYPE",
            "text": "Register this event_type before sending events of it.",
            "problems": [],
            "body": "{…}",
            "key_kind": "secret",
        }
    ),
    "replay_failed_events": {
        "dry_run": True,
        "tried": 2,
        "passed": 2,
        "reasons": [{"reason": "UNKNOWN_EVENT_TYPE", "tried": 2, "passed": 2, "refused": {}}],
    },
    "drop_failed_events": {"dropped": 2},
    "create_organization": {"organization_id": ORGANIZATION, "name": "acme", "created_at": AT},
    "list_organizations": _page(
        {"organization_id": ORGANIZATION, "name": "default", "created_at": AT}
    ),
    "list_properties": _page({"property_id": "D#1007491775344160808", "first_seen": AT}),
    "get_limits": _LIMITS,
    "put_limits": {**_LIMITS, "would_let_go": {"events": 1200, "failed_events": 3}},
    "create_key": {"key": "endu_pk_…", **_KEY},
    "list_keys": _page({**_KEY, "hint": "x7Qz", "revoked_at": None}),
    "revoke_key": {"key_id": RECORD, "revoked": True},
    "live": {"status": "live"},
    "ready": {"status": "ready"},
}
