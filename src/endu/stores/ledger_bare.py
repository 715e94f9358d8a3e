"""What the ledger keeps of events that were let go of, in a table of its own: no question about
events sees it, and identity goes on finding who was seen with whom, and when.

`endu.seen` reads both tables as one, for those who ask about people and not about what they did.
"""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from endu.events.ledger import SettledEvent
from endu.stores.ledger_tables import DURABLE, EVENTS

BARE_EVENTS = "endu.bare_events"
SEEN = "endu.seen"

COLUMNS = """
        org         LowCardinality(String),
        subject     UInt64,
        ts          DateTime64(3, 'UTC'),
        seq         UInt64,
        source      UInt16,
        fingerprint UInt64,
        others      Array(UInt64),
        identifiers Array(String)"""

BARE_TABLES = (
    f"""
    CREATE TABLE IF NOT EXISTS {BARE_EVENTS} ({COLUMNS},
        check       UInt32,
        INDEX by_ts  ts  TYPE minmax GRANULARITY 1,
        INDEX by_seq seq TYPE minmax GRANULARITY 1
    )
    ENGINE = MergeTree
    ORDER BY (org, subject, ts, seq)
    {DURABLE}""",
    f"""
    CREATE TABLE IF NOT EXISTS {SEEN} ({COLUMNS}
    )
    ENGINE = Merge('endu', '^(events|bare_events)$')""",
)

# As `check_of` in events/bare.py.
BARE_CHECK = """CRC32(concat(org, ' ', toString(toUnixTimestamp64Milli(ts)), ' ',
                     toString(toUnixTimestamp64Milli(received_at)), ' ', toString(proof), ' ',
                     arrayStringConcat(identifiers, '\\n')))"""

# Made of the events' own rows.
LAY_BARE = f"""
INSERT INTO {BARE_EVENTS}
       (org, subject, ts, seq, source, fingerprint, others, identifiers, check)
SELECT org, subject, ts, seq, source, fingerprint, others, identifiers, {BARE_CHECK}
  FROM {EVENTS}"""

_SCHEMA = pa.schema(
    [
        ("org", pa.string()),
        ("subject", pa.uint64()),
        ("ts", pa.timestamp("ms")),
        ("seq", pa.uint64()),
        ("source", pa.uint16()),
        ("fingerprint", pa.uint64()),
        ("others", pa.list_(pa.uint64())),
        ("identifiers", pa.list_(pa.string())),
        ("check", pa.uint32()),
    ]
)


def piece_of_bare_events(source: int, rows: Sequence[SettledEvent]) -> pa.RecordBatch:
    """As piece_of_events."""
    columns = _columns(source, rows)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, _SCHEMA, strict=True)]
    return pa.record_batch(arrays, schema=_SCHEMA)


def _columns(source: int, rows: Sequence[SettledEvent]) -> Iterator[Sequence[object]]:
    """In the order of the schema."""
    yield [row.event.organization_id for row in rows]
    yield [row.subject for row in rows]
    yield [row.event.happened_at_ms for row in rows]
    yield [row.seq for row in rows]
    yield [source] * len(rows)
    yield [row.fingerprint for row in rows]
    yield [row.others for row in rows]
    yield [row.event.identifiers for row in rows]
    yield [row.check for row in rows]
