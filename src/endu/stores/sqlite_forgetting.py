"""Taking a person out of the directory, in one transaction of the settler's."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from endu.identities.casebook import Farewell
from endu.identities.forgotten import Left, Plan
from endu.identities.identifier import Kind
from endu.organizations.organization import OrganizationId
from endu.stores.casebook_sql import PUT_SEEN
from endu.stores.sqlite import Connection

THEIRS = "(SELECT value FROM json_each(:subjects))"

# What is counted by what it is.
DELETIONS = {
    "identifiers": f"DELETE FROM identifiers WHERE subject IN {THEIRS}",
    "links": f"DELETE FROM links WHERE a IN {THEIRS} OR b IN {THEIRS}",
    # A pass over the organization's journal: what is told of others may name them, too.
    "journal_lines": f"""
DELETE FROM journal WHERE subject IN {THEIRS} OR organization_id = :organization_id AND EXISTS (
  SELECT 1 FROM json_each(:quoted) AS named WHERE instr(journal.detail, named.value)
)""",
    "rules": """
DELETE FROM rules WHERE organization_id = :organization_id AND EXISTS (
  SELECT 1 FROM json_each(rules.identifiers) AS one
  WHERE one.value IN (SELECT value FROM json_each(:names))
)""",
}
MORE = (
    f"DELETE FROM reviews WHERE subject IN {THEIRS}",
    """
DELETE FROM creations
WHERE organization_id = :organization_id AND number IN (SELECT value FROM json_each(:numbers))
""",
    """
UPDATE creations SET conflict = 'null'
WHERE organization_id = :organization_id AND EXISTS (
  SELECT 1 FROM json_each(:quoted) AS named WHERE instr(creations.conflict, named.value)
)""",
    # Rows with a version stay: the greatest one says how far the ledger was told.
    """
UPDATE visits SET subject = 0, version = (SELECT max(version) + 1 FROM visits)
WHERE subject <> 0 AND seq IN (SELECT value FROM json_each(:places))
""",
)

SIGHTINGS = f"""
SELECT fingerprint, subject, before, first_at_ms, first_seq FROM sightings
WHERE fingerprint IN {THEIRS}
   OR fingerprint IN (SELECT fingerprint FROM sightings WHERE subject IN {THEIRS})
"""
DROP_SIGHTING = "DELETE FROM sightings WHERE fingerprint = ? AND subject = ? AND before = ?"

ADD_ERASURE = """
INSERT INTO erasures (seq, organization_id, asked_at_ms, names, subjects, plan, planned, counts)
VALUES (?, ?, ?, ?, ?, ?, 0, ?)
"""
ADD_PLACES = "INSERT OR IGNORE INTO erased_places (asked, seq) SELECT ?, value FROM json_each(?)"

# A pass over the organization's plans: earlier erasures may have spelled out who leaves now.
SPELLING = """
SELECT seq, plan FROM erasures
WHERE organization_id = :organization_id AND EXISTS (
  SELECT 1 FROM json_each(:names) AS named WHERE instr(plan, CAST(named.value AS BLOB))
)
"""
PUT_PLAN = "UPDATE erasures SET plan = ? WHERE seq = ?"

PLAN_OF = "SELECT plan FROM erasures WHERE seq = ?"
LEFT_BEHIND = "SELECT seq, organization_id, plan FROM erasures WHERE seq > ? ORDER BY seq"

pack = msgspec.msgpack.Encoder().encode
unpack = msgspec.msgpack.Decoder(Plan).decode


def forget(db: Connection, farewell: Farewell) -> None:
    """As Casebook.forget."""
    subjects = [node.subject for node in farewell.nodes]
    numbers = [node.number for node in farewell.nodes]
    names = {node.text for node in farewell.nodes}
    names |= {f"{Kind.C_USER_ID}:{number}" for number in numbers}
    values = {
        "organization_id": farewell.organization_id,
        "subjects": json.dumps(subjects),
        "numbers": json.dumps(numbers),
        "names": json.dumps(sorted(names)),
        "quoted": json.dumps([_quoted(each) for each in [*names, *numbers]]),
        "places": json.dumps(farewell.places),
    }
    counts = {"events": len(farewell.places)}
    _forget_sightings(db, set(subjects), values)
    for what, statement in DELETIONS.items():
        counts[what] = db.execute(statement, values).rowcount
    for statement in MORE:
        db.execute(statement, values)
    for seq, plan in db.execute(SPELLING, values).fetchall():
        db.execute(PUT_PLAN, (pack(unpack(plan).silent_on(set(subjects))), seq))
    row = (farewell.seq, farewell.organization_id, farewell.asked_at_ms, values["names"],
           values["subjects"], pack(farewell.plan), json.dumps(counts))  # fmt: skip
    db.execute(ADD_ERASURE, row)
    add_places(db, farewell.seq, farewell.places)


def add_places(db: Connection, asked: int, places: Iterable[int]) -> None:
    db.execute(ADD_PLACES, (asked, json.dumps(list(places))))


def plan_of(db: Connection, seq: int) -> Plan | None:
    row = db.execute(PLAN_OF, (seq,)).fetchone()
    return unpack(row[0]) if row else None


def left_behind(db: Connection, seq: int) -> list[Left]:
    rows = db.execute(LEFT_BEHIND, (seq,))
    return [Left(asked, OrganizationId(whose), unpack(plan)) for asked, whose, plan in rows]


def _forget_sightings(db: Connection, subjects: set[int], values: Mapping[str, Any]) -> None:
    """On other people's events they are left out of what came before; their own events go."""
    for fingerprint, subject, before, *first in db.execute(SIGHTINGS, values).fetchall():
        stronger = json.loads(before)
        leaving = fingerprint in subjects or subject in subjects
        if not leaving and subjects.isdisjoint(stronger):
            continue
        db.execute(DROP_SIGHTING, (fingerprint, subject, before))
        if not leaving and stronger[0] not in subjects:
            left = [each for each in stronger if each not in subjects]
            db.execute(PUT_SEEN, (json.dumps([[fingerprint, subject, left, *first]]),))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
