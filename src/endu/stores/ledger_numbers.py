"""The c_user_ids that callers brought, in the ledger: a copy of what the directory knows.

A subject's number never changes, so the copy can only be incomplete, and is made good before a
question that shows numbers; it needs no versions, and losing it loses nothing.
"""

from collections.abc import Sequence

import pyarrow as pa

from endu.events.ledger import NUMBERS, BroughtNumber

BROUGHT_NUMBERS = "endu.brought_numbers"

NUMBER_TABLES = (
    f"""
    CREATE TABLE IF NOT EXISTS {BROUGHT_NUMBERS} (subject UInt64, number String)
    ENGINE = ReplacingMergeTree ORDER BY subject""",
    f"""
    CREATE DICTIONARY IF NOT EXISTS {NUMBERS} (subject UInt64, number String)
    PRIMARY KEY subject
    SOURCE(CLICKHOUSE(QUERY
        'SELECT subject, any(number) AS number FROM {BROUGHT_NUMBERS} GROUP BY subject'
    ))
    LAYOUT(HASHED()) LIFETIME(0)""",
)


def arrow_of_numbers(numbers: Sequence[BroughtNumber]) -> pa.Table:
    return pa.table(
        {
            "subject": pa.array([each.subject for each in numbers], pa.uint64()),
            "number": pa.array([each.number for each in numbers], pa.string()),
        }
    )
