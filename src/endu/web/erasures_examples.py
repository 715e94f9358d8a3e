"""Examples of what erasures answer."""

from typing import Any

_RECEIPT = {
    "erasure_id": "1Bm3XoJfUXkkW9vMdJHr1x",
    "state": "done",
    "asked_at": "2023-01-01T01:23:39.000Z",
    "done_at": "2023-01-01T01:23:40.000Z",
    "erased": {
        "events": 12,
        "identifiers": 2,
        "links": 1,
        "journal_lines": 3,
        "rules": 0,
        "failed_events": 1,
        "identities_made": 0,
        "records": 13,
    },
}

ERASURES_ANSWERS: dict[str, Any] = {
    "erase_identity": _RECEIPT,
    "list_erasures": {"items": [_RECEIPT], "next": None},
    "get_erasure": _RECEIPT,
}
