"""A check sum for each line of the journal.

Which changes are told in one line depends on how the log came in batches, so that settling it
again tells the same in other lines: what a line says is in no other place.
"""

from collections.abc import Iterator
from zlib import crc32

import msgspec

from endu.stores.soundness import NAMED_AT_MOST
from endu.stores.sqlite import Connection

LINES = """
SELECT organization_id, seq, at_ms, change, subject, detail, mark FROM journal ORDER BY change_id
"""
HAS_MARKS = "SELECT 1 FROM pragma_table_info('journal') WHERE name = 'mark'"

_write = msgspec.json.Encoder().encode


def mark_of(
    organization_id: str, seq: int, at_ms: int, change: str, subject: int, detail: str
) -> int:
    """CRC-32 of a line as it is stored."""
    return crc32(_write((organization_id, seq, at_ms, change, subject, detail)))


def wrong_lines(connection: Connection) -> Iterator[str]:
    """Those that are not as they were written; nothing where an earlier version wrote no marks."""
    if not connection.execute(HAS_MARKS).fetchone():
        return
    found = 0
    for *line, mark in connection.execute(LINES):
        if mark_of(*line) != mark:
            found += 1
            if found > NAMED_AT_MOST:
                yield "journal: more lines are not as they were written"
                return
            yield f"journal: a line of record {line[1]} is not as it was written"
