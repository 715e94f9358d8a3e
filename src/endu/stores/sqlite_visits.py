"""Owners and visits in SQLite, and what of them the ledger has not been told."""

from collections.abc import Sequence, Set

import msgspec

from endu.events.ledger import OwnerChange, VisitChange
from endu.events.visits import Given
from endu.identities.evidence import Review
from endu.identities.identifier import Subject
from endu.identities.linking import Node
from endu.stores.casebook_sql import NODES_OF
from endu.stores.sqlite import Connection
from endu.stores.sqlite_rows import transaction
from endu.stores.sqlite_texts import json_of, put, read_nodes, text_of

SEEN_ON = """
SELECT json_group_array(DISTINCT s.subject) FROM json_each(?) AS asked
CROSS JOIN sightings AS s ON s.fingerprint = asked.value
"""

VISITS = """
SELECT json_group_array(json_array(v.seq, v.subject)) FROM json_each(?) AS asked
CROSS JOIN visits AS v ON v.seq = asked.value
WHERE v.subject <> 0
"""

# As the fields of a Given; the first of them gets the next version.
PUT_VISITS = """
INSERT INTO visits (seq, recorded, subject, version)
SELECT value ->> 0, value ->> 1, value ->> 2,
       key + 1 + (SELECT coalesce(max(version), 0) FROM visits)
  FROM json_each(?) WHERE true
ON CONFLICT (seq) DO UPDATE SET subject = excluded.subject, version = excluded.version
"""

REVIEWED = """
DELETE FROM reviews WHERE (subject, from_ms, to_ms) IN (
  SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)
)
"""

WAITING = "SELECT json_group_array(json_array(subject, from_ms, to_ms)) FROM reviews"

VISITS_AFTER = """
SELECT json_group_array(json_array(seq, subject, version) ORDER BY version) FROM visits
WHERE version > ?
"""

OWNERS_AFTER = """
SELECT json_group_array(json_array(subject, identity, version) ORDER BY version) FROM owners
WHERE version > ?
"""

_read_subjects = msgspec.json.Decoder(set[Subject]).decode
_read_visits = msgspec.json.Decoder(list[tuple[int, Subject]]).decode
_read_reviews = msgspec.json.Decoder(list[Review]).decode
_read_owner_changes = msgspec.json.Decoder(list[OwnerChange]).decode
_read_visit_changes = msgspec.json.Decoder(list[VisitChange]).decode


class SqliteVisitBook:
    """Fits the port `VisitBook`. The settler's own connection writes; another one reads, and so
    sees nothing of what a batch that is under way may yet take back."""

    def __init__(self, writing: Connection, reading: Connection) -> None:
        self._writing = writing
        self._reading = reading

    async def nodes(self, subjects: Set[Subject]) -> list[Node]:
        return read_nodes(await text_of(self._reading, NODES_OF, (json_of(subjects),)))

    async def seen_on(self, fingerprints: Set[Subject]) -> set[Subject]:
        return _read_subjects(await text_of(self._reading, SEEN_ON, (json_of(fingerprints),)))

    async def visits(self, seqs: Sequence[int]) -> dict[int, Subject]:
        return dict(_read_visits(await text_of(self._reading, VISITS, (json_of(seqs),))))

    async def keep(self, given: Sequence[Given], reviewed: Sequence[Review]) -> None:
        async with transaction(self._writing):
            await put(self._writing, PUT_VISITS, json_of(given))
            await put(self._writing, REVIEWED, json_of(reviewed))

    async def waiting(self) -> list[Review]:
        return _read_reviews(await text_of(self._reading, WAITING, ()))

    async def visits_after(self, version: int) -> list[VisitChange]:
        return _read_visit_changes(await text_of(self._reading, VISITS_AFTER, (version,)))


class SqliteOwners:
    """What the casebook wrote of owners, for the ledger: as much of it as was kept for good."""

    def __init__(self, reading: Connection) -> None:
        self._reading = reading

    async def changes_after(self, version: int) -> list[OwnerChange]:
        return _read_owner_changes(await text_of(self._reading, OWNERS_AFTER, (version,)))
