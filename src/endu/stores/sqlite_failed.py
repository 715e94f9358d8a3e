"""Failed events in the directory's database."""

import json
from collections.abc import Sequence
from typing import Any

from endu.events.event import FailedEvent, Seq
from endu.events.failed import Dropped, Failure, Passed
from endu.organizations.organization import OrganizationId
from endu.stores.sqlite import Connection, Reader
from endu.stores.sqlite_rows import transaction

COLUMNS = """seq, organization_id, received_at_ms, reason, text, problems, body, key_kind,
       message_id, passed_seq"""

ADD = f"""
INSERT INTO failed_events ({COLUMNS})
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (seq) DO NOTHING
"""
PASS = "UPDATE failed_events SET passed_seq = ? WHERE organization_id = ? AND seq = ?"
DROP = "DELETE FROM failed_events WHERE organization_id = ? AND seq = ?"

ALL = f"""
SELECT {COLUMNS}
  FROM failed_events
 WHERE organization_id = ?1 AND (?2 IS NULL OR reason = ?2) AND seq > ?3 AND passed_seq IS NULL
 ORDER BY seq
 LIMIT ?4
"""
FIND = f"""
SELECT {COLUMNS}
  FROM failed_events
 WHERE organization_id = ? AND seq IN (SELECT value FROM json_each(?))
 ORDER BY seq
"""
BEFORE = """
SELECT seq FROM failed_events WHERE organization_id = ? AND received_at_ms < ? ORDER BY seq LIMIT ?
"""
COUNT_BEFORE = """
SELECT count(*) FROM failed_events WHERE organization_id = ? AND received_at_ms < ?
"""
COUNTS = """
SELECT reason, count(*)
  FROM failed_events
 WHERE organization_id = ? AND passed_seq IS NULL
 GROUP BY reason
"""


class SqliteFailedEvents:
    """`keep` is for the settler, whose connection it uses; the rest for anyone."""

    def __init__(self, connection: Connection, reader: Reader) -> None:
        self._connection = connection
        self._reader = reader

    async def keep(
        self, added: Sequence[Failure], passed: Sequence[Passed], dropped: Sequence[Dropped]
    ) -> None:
        if not (added or passed or dropped):
            return
        gone = [(drop.organization_id, seq) for drop in dropped for seq in drop.seqs]
        async with transaction(self._connection):
            self._connection.executemany(ADD, map(_row_of, added))
            self._connection.executemany(
                PASS, [(each.passed, each.organization_id, each.seq) for each in passed]
            )
            self._connection.executemany(DROP, gone)

    async def all(
        self, organization_id: OrganizationId, reason: str | None, after: int, limit: int
    ) -> list[Failure]:
        rows = await self._rows(ALL, organization_id, reason, after, limit)
        return [_failure_of(row) for row in rows]

    async def find(self, organization_id: OrganizationId, seqs: Sequence[int]) -> list[Failure]:
        rows = await self._rows(FIND, organization_id, json.dumps(list(seqs)))
        return [_failure_of(row) for row in rows]

    async def before(
        self, organization_id: OrganizationId, received_before_ms: int, limit: int
    ) -> list[Seq]:
        rows = await self._rows(BEFORE, organization_id, received_before_ms, limit)
        return [Seq(seq) for (seq,) in rows]

    async def count_before(self, organization_id: OrganizationId, received_before_ms: int) -> int:
        return int((await self._rows(COUNT_BEFORE, organization_id, received_before_ms))[0][0])

    async def counts(self, organization_id: OrganizationId) -> dict[str, int]:
        return dict(await self._rows(COUNTS, organization_id))

    async def _rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return await self._reader.read(lambda db: db.execute(sql, values).fetchall())


def _row_of(failure: Failure) -> tuple[Any, ...]:
    event = failure.event
    return (
        failure.seq,
        event.organization_id,
        event.received_at_ms,
        event.reason,
        event.text,
        json.dumps(event.problems),
        event.body,
        event.key_kind,
        event.message_id,
        failure.passed,
    )


def _failure_of(row: tuple[Any, ...]) -> Failure:
    seq, organization_id, received_at_ms, reason, text, problems, body, kind, message, passed = row
    event = FailedEvent(
        organization_id=OrganizationId(organization_id),
        received_at_ms=received_at_ms,
        reason=reason,
        text=text,
        problems=tuple((path, message) for path, message in json.loads(problems)),
        body=body,
        key_kind=kind,
        message_id=message,
    )
    return Failure(Seq(seq), event, passed)
