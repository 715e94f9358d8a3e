"""The tables of the ledger, for ClickHouse in this process or on a server, and its rows as Arrow.

An event row never changes: `subject` is the number of its deciding identifier. Who that is now
stands in two small tables of versioned rows, read through dictionaries of the same database.
"""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from endu.events.event import Event
from endu.events.ledger import OWNERS, VISITS, OwnerChange, SettledEvent, VisitChange

EVENTS = "endu.events"
OWNER_CHANGES = "endu.owner_changes"
VISIT_CHANGES = "endu.visit_changes"

# Without the fsync settings 20 of 20 tables vanished on a power cut. Inserted parts are compact
# (level 0), so that in them a file without bytes always means a write that failed.
DURABLE = """
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
         min_level_for_wide_part = 1"""

# Whether nothing stronger than a device is named, or nobody: next to nothing to keep and to read,
# because a subject's events lie together.
DEVICE_ONLY = "device_only Bool MATERIALIZED subject = fingerprint"

# Half full, as ClickHouse has it, a dictionary takes twice the memory, and looking owners up takes
# a fifth longer, because less of it is in the processor's caches. Much fuller, what is not there
# takes long to be missed.
FULL = 0.7

TABLES = (
    "CREATE DATABASE IF NOT EXISTS endu ENGINE = Atomic",
    f"""
    CREATE TABLE IF NOT EXISTS {EVENTS} (
        org         LowCardinality(String),
        event_type  LowCardinality(String),
        subject     UInt64,
        ts          DateTime64(3, 'UTC'),
        seq         UInt64,
        source      UInt16,
        received_at DateTime64(3, 'UTC'),
        property_id LowCardinality(String),
        platform    LowCardinality(String),
        chain_type  LowCardinality(String),
        proof       UInt8,
        fingerprint UInt64,
        others      Array(UInt64),
        identifiers Array(String),
        event_data  String CODEC(ZSTD(1)),
        details     String,
        reused      Bool,
        check       UInt32,
        {DEVICE_ONLY},
        INDEX by_ts  ts  TYPE minmax GRANULARITY 1,
        INDEX by_seq seq TYPE minmax GRANULARITY 1
    )
    ENGINE = MergeTree
    ORDER BY (org, event_type, subject, ts, seq)
    PARTITION BY toYYYYMM(received_at)
    {DURABLE}""",
    f"""
    CREATE TABLE IF NOT EXISTS {OWNER_CHANGES} (
        subject UInt64, identity UInt64, version UInt64
    )
    ENGINE = ReplacingMergeTree(version) ORDER BY subject
    {DURABLE}""",
    f"""
    CREATE TABLE IF NOT EXISTS {VISIT_CHANGES} (
        seq UInt64, subject UInt64, version UInt64
    )
    ENGINE = ReplacingMergeTree(version) ORDER BY seq
    {DURABLE}""",
    f"""
    CREATE DICTIONARY IF NOT EXISTS {OWNERS} (subject UInt64, identity UInt64)
    PRIMARY KEY subject
    SOURCE(CLICKHOUSE(QUERY
        'SELECT subject, argMax(identity, version) AS identity FROM {OWNER_CHANGES}
          GROUP BY subject'
    ))
    LAYOUT(HASHED(MAX_LOAD_FACTOR {FULL})) LIFETIME(0)""",
    f"""
    CREATE DICTIONARY IF NOT EXISTS {VISITS} (seq UInt64, subject UInt64)
    PRIMARY KEY seq
    SOURCE(CLICKHOUSE(QUERY
        'SELECT seq, argMax(subject, version) AS subject FROM {VISIT_CHANGES}
          GROUP BY seq HAVING subject != 0'
    ))
    LAYOUT(HASHED()) LIFETIME(0)""",
    f"ALTER TABLE {EVENTS} ADD COLUMN IF NOT EXISTS {DEVICE_ONLY}",  # made before it had one
)  # fmt: skip

# A table is built of pieces: building one holds nobody up for longer than a millisecond.
PIECE = 500

_SCHEMA = pa.schema(
    [
        ("org", pa.string()),
        ("event_type", pa.string()),
        ("subject", pa.uint64()),
        ("ts", pa.timestamp("ms")),
        ("seq", pa.uint64()),
        ("source", pa.uint16()),
        ("received_at", pa.timestamp("ms")),
        ("property_id", pa.string()),
        ("platform", pa.string()),
        ("chain_type", pa.string()),
        ("proof", pa.uint8()),
        ("fingerprint", pa.uint64()),
        ("others", pa.list_(pa.uint64())),
        ("identifiers", pa.list_(pa.string())),
        ("event_data", pa.binary()),
        ("details", pa.binary()),
        ("reused", pa.bool_()),
        ("check", pa.uint32()),
    ]
)
_NUMBERS = pa.uint64()


def piece_of_events(source: int, rows: Sequence[SettledEvent]) -> pa.RecordBatch:
    """Raises a ValueError, TypeError or OverflowError of pyarrow where a value does not fit."""
    columns = _columns(source, rows)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, _SCHEMA, strict=True)]
    return pa.record_batch(arrays, schema=_SCHEMA)


def _columns(source: int, rows: Sequence[SettledEvent]) -> Iterator[Sequence[object]]:
    """In the order of the schema."""
    events = [row.event for row in rows if isinstance(row.event, Event)]  # all of them
    yield [event.organization_id for event in events]
    yield [event.event_type for event in events]
    yield [row.subject for row in rows]
    yield [event.happened_at_ms for event in events]
    yield [row.seq for row in rows]
    yield [source] * len(rows)
    yield [event.received_at_ms for event in events]
    yield [event.property_id for event in events]
    yield [event.platform for event in events]
    yield [event.chain_type for event in events]
    yield [event.proof for event in events]
    yield [row.fingerprint for row in rows]
    yield [row.others for row in rows]
    yield [event.identifiers for event in events]
    yield [event.data for event in events]
    yield [event.details for event in events]
    yield [row.reused for row in rows]
    yield [row.check for row in rows]


def arrow_of_owners(changes: Sequence[OwnerChange]) -> pa.Table:
    return pa.table(
        {
            "subject": pa.array([change.subject for change in changes], _NUMBERS),
            "identity": pa.array([change.identity for change in changes], _NUMBERS),
            "version": pa.array([change.version for change in changes], _NUMBERS),
        }
    )


def arrow_of_visits(changes: Sequence[VisitChange]) -> pa.Table:
    return pa.table(
        {
            "seq": pa.array([change.seq for change in changes], _NUMBERS),
            "subject": pa.array([change.subject for change in changes], _NUMBERS),
            "version": pa.array([change.version for change in changes], _NUMBERS),
        }
    )
