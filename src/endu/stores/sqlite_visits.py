"""Owners and visits in SQLite, and what of them the ledger has not been told."""

import json
from collections.abc import Sequence, Set

from endu.events.ledger import OwnerChange, VisitChange
from endu.identities.identifier import Subject
from endu.identities.linking import Node
from endu.stores.sqlite import Connection
from endu.stores.sqlite_rows import nodes_of, transaction

SEEN_ON = """
SELECT DISTINCT s.subject FROM json_each(?) AS asked
CROSS JOIN sightings AS s ON s.fingerprint = asked.value
"""

VISITS = """
SELECT v.seq, v.subject FROM json_each(?) AS asked CROSS JOIN visits AS v ON v.seq = asked.value
WHERE v.subject <> 0
"""

PUT_VISIT = """
INSERT INTO visits (seq, recorded, subject, version) VALUES (?, ?, ?, ?)
ON CONFLICT (seq) DO UPDATE SET subject = excluded.subject, version = excluded.version
"""

VISITS_AFTER = "SELECT seq, subject, version FROM visits WHERE version > ? ORDER BY version"

OWNERS_AFTER = "SELECT subject, identity, version FROM owners WHERE version > ? ORDER BY version"


class SqliteVisitBook:
    """Fits the port `VisitBook`, on the settler's connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def nodes(self, subjects: Set[Subject]) -> list[Node]:
        return nodes_of(self._connection, subjects)

    async def seen_on(self, fingerprints: Set[Subject]) -> set[Subject]:
        asked = json.dumps(list(fingerprints))
        return {row[0] for row in self._connection.execute(SEEN_ON, (asked,))}

    async def visits(self, seqs: Sequence[int]) -> dict[int, Subject]:
        return dict(self._connection.execute(VISITS, (json.dumps(seqs),)))

    async def put_visits(self, visits: Sequence[tuple[int, Subject, Subject]]) -> None:
        async with transaction(self._connection):
            greatest = "SELECT coalesce(max(version), 0) FROM visits"
            (last,) = self._connection.execute(greatest).fetchone()
            rows = ((*visit, last + n) for n, visit in enumerate(visits, 1))
            self._connection.executemany(PUT_VISIT, rows)

    async def reviewed(self) -> None:
        async with transaction(self._connection):
            self._connection.execute("DELETE FROM reviews")

    async def visits_after(self, version: int) -> list[VisitChange]:
        return [VisitChange(*row) for row in self._connection.execute(VISITS_AFTER, (version,))]


class SqliteOwners:
    """What the casebook wrote of owners, for the ledger."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def changes_after(self, version: int) -> list[OwnerChange]:
        return [OwnerChange(*row) for row in self._connection.execute(OWNERS_AFTER, (version,))]
