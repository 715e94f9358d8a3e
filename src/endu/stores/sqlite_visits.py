"""Owners and visits in SQLite, and what of them the ledger has not been told."""

import json
from collections.abc import Sequence, Set

from endu.events.ledger import OwnerChange, VisitChange
from endu.events.visits import Given
from endu.identities.evidence import Review
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

REVIEWED = "DELETE FROM reviews WHERE subject = ? AND from_ms = ? AND to_ms = ?"

WAITING = "SELECT subject, from_ms, to_ms FROM reviews"

VISITS_AFTER = "SELECT seq, subject, version FROM visits WHERE version > ? ORDER BY version"

OWNERS_AFTER = "SELECT subject, identity, version FROM owners WHERE version > ? ORDER BY version"


class SqliteVisitBook:
    """Fits the port `VisitBook`. The settler's own connection writes; another one reads, and so
    sees nothing of what a batch that is under way may yet take back."""

    def __init__(self, writing: Connection, reading: Connection) -> None:
        self._writing = writing
        self._reading = reading

    async def nodes(self, subjects: Set[Subject]) -> list[Node]:
        return nodes_of(self._reading, subjects)

    async def seen_on(self, fingerprints: Set[Subject]) -> set[Subject]:
        asked = json.dumps(list(fingerprints))
        return {row[0] for row in self._reading.execute(SEEN_ON, (asked,))}

    async def visits(self, seqs: Sequence[int]) -> dict[int, Subject]:
        return dict(self._reading.execute(VISITS, (json.dumps(seqs),)))

    async def keep(self, given: Sequence[Given], reviewed: Sequence[Review]) -> None:
        async with transaction(self._writing):
            greatest = "SELECT coalesce(max(version), 0) FROM visits"
            (last,) = self._writing.execute(greatest).fetchone()
            visits = ((v.seq, v.recorded, v.subject, last + n) for n, v in enumerate(given, 1))
            self._writing.executemany(PUT_VISIT, visits)
            windows = ((review.subject, review.from_ms, review.to_ms) for review in reviewed)
            self._writing.executemany(REVIEWED, windows)

    async def waiting(self) -> list[Review]:
        return [Review(*row) for row in self._reading.execute(WAITING)]

    async def visits_after(self, version: int) -> list[VisitChange]:
        return [VisitChange(*row) for row in self._reading.execute(VISITS_AFTER, (version,))]


class SqliteOwners:
    """What the casebook wrote of owners, for the ledger: as much of it as was kept for good."""

    def __init__(self, reading: Connection) -> None:
        self._reading = reading

    async def changes_after(self, version: int) -> list[OwnerChange]:
        return [OwnerChange(*row) for row in self._reading.execute(OWNERS_AFTER, (version,))]
