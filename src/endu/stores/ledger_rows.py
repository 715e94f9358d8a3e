"""What the rows of the ledger read as, in short, so that two ledgers of one log can be compared
though only one of them can be open at a time."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TypeAlias

import msgspec
from clickhouse_connect.driver.exceptions import Error

from endu.announcements import Damage
from endu.events.inbox import Inbox
from endu.events.ledger import Ledger, LedgerDamaged, TooDear
from endu.stores.chdb_handles import Rows
from endu.stores.ledger_bare import BARE_EVENTS
from endu.stores.ledger_numbers import BROUGHT_NUMBERS
from endu.stores.ledger_tables import EVENTS
from endu.stores.sqlite import Connection, Reader

PLACES_AT_ONCE = 1_000_000  # of the log, for one question
NUMBERS_AT_ONCE = 50_000
TOGETHER = 1_000  # places that are compared by one sum

# Whom an event of others named beside them is gone where that one was erased.
READ_AS = f"""
SELECT if(seq <= {{settled:UInt64}}, toInt64(intDiv(seq, {TOGETHER})), -toInt64(seq)) AS place,
       count(),
       sum(if(has({{forgot:Array(String)}}, org),
              cityHash64(* EXCEPT (others, fingerprint)), cityHash64(*, %s)))
  FROM %s
 WHERE source = {{source:UInt16}} AND seq > {{after:UInt64}} AND seq <= {{until:UInt64}}
 GROUP BY place
"""
# A row that was laid bare reads otherwise than the event's.
EVERY_ROW = (READ_AS % ("device_only", EVENTS), READ_AS % ("'bare'", BARE_EVENTS))
BROUGHT = f"""
SELECT subject, any(number), count(DISTINCT number)
  FROM {BROUGHT_NUMBERS}
 WHERE subject > {{after:UInt64}}
 GROUP BY subject
 ORDER BY subject
 LIMIT {NUMBERS_AT_ONCE}
"""
NOT_BROUGHT = """
SELECT asked.value ->> 0 FROM json_each(?) AS asked
WHERE NOT EXISTS (
  SELECT 1 FROM identifiers AS i
  WHERE i.subject = CAST(asked.value ->> 0 AS INTEGER) AND i.number = asked.value ->> 1
    AND i.kind = 'c_user_id' AND asked.value ->> 2 = 1
)
"""

# Rows and the sum of what they read as: of the places from so many thousand on, and behind what is
# settled of each by itself, under the place below zero.
ReadAs: TypeAlias = dict[int, tuple[int, int]]


async def read_rows(ledger: Ledger, log: Inbox, settled: int, forgot: Sequence[str]) -> ReadAs:
    """Of all events of the log; `forgot` are organizations where somebody was erased. Raises
    LedgerDamaged."""
    found: ReadAs = {}
    for after in range(0, log.end, PLACES_AT_ONCE):
        values = {"source": log.source, "settled": settled, "forgot": list(forgot),
                  "after": after, "until": min(after + PLACES_AT_ONCE, log.end)}  # fmt: skip
        try:
            rows = [row for sql in EVERY_ROW for row in await ledger.ask(sql, values)]
        except (Error, TooDear) as problem:
            raise LedgerDamaged(f"{after} and behind cannot be read: {problem}") from problem
        for place, count, read_as in rows:
            before = found.get(place, (0, 0))
            found[place] = before[0] + count, (before[1] + read_as) % (1 << 64)
    return found


def compare_rows(due: ReadAs, found: Mapping[int, tuple[int, int]]) -> Iterator[Damage]:
    """What of `found` reads otherwise than what was settled again."""
    for place, read_as in sorted(found.items(), key=lambda each: abs(each[0])):
        if due.get(place) != read_as:
            first, last = place * TOGETHER, place * TOGETHER + TOGETHER - 1
            where = f"records {max(first, 1)} to {last}" if place >= 0 else f"record {-place}"
            yield Damage(f"ledger, {where}", "its rows read otherwise than follows from the log")


async def compare_brought(ledger: Ledger, reader: Reader) -> list[Damage]:
    """Numbers that the ledger shows, and no caller brought for that identifier. Raises
    LedgerDamaged."""
    damage: list[Damage] = []
    after = 0
    try:
        while rows := await ledger.ask(BROUGHT, {"after": after}):
            asked = partial(_not_brought, rows=rows)
            for subject in await reader.read(asked):
                what = "was brought by nobody"
                damage.append(Damage(f"ledger, number of subject {subject}", what))
            after = rows[-1][0]
    except (Error, TooDear) as problem:
        raise LedgerDamaged(f"{BROUGHT_NUMBERS} cannot be read: {problem}") from problem
    return damage


def _not_brought(db: Connection, rows: Rows) -> list[int]:
    asked = msgspec.json.encode(rows).decode()
    return [subject for (subject,) in db.execute(NOT_BROUGHT, (asked,))]
