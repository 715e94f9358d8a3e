"""Examples of questions in SQL and their answers, for the OpenAPI document."""

from typing import Any

SQL_BODIES: dict[str, Any] = {
    "people a day": {
        "sql": "SELECT toDate(timestamp) AS day, uniqExact(c_user_id) AS people\n"
        "FROM events WHERE event_type = {kind:String}\nGROUP BY day ORDER BY day",
        "parameters": {"kind": "ITEM_PURCHASED"},
    },
    "revenue as CSV": {
        "sql": "SELECT platform, sum(event_data.price::Float64) AS revenue\n"
        "FROM events GROUP BY platform ORDER BY revenue DESC",
        "format": "csv",
    },
}

SQL_ANSWER: dict[str, Any] = {
    "columns": [{"name": "day", "type": "Date"}, {"name": "people", "type": "UInt64"}],
    "rows": [["2023-01-01", 12], ["2023-01-02", 9]],
    "truncated": False,
    "about": {"rows_read": 812345, "elapsed_ms": 61, "rules_version": 7},
}
