"""The directory's questions in SQLite: who goes by what, and how it came to be."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from endu.identities.directory import (
    Change,
    Conflict,
    Creating,
    Explanation,
    Hub,
    Identity,
    KnownIdentifier,
    Related,
)
from endu.identities.identifier import Kind, Number, Subject
from endu.identities.linking import NEVER_SEEN, Link, Node
from endu.organizations.organization import OrganizationId
from endu.stores.sqlite import Connection, Reader
from endu.stores.sqlite_explain import explain, link_seen, rule_links
from endu.stores.sqlite_numbers import numbers_in
from endu.stores.sqlite_rows import LINK, NODE, link_of, links_of, node_of, nodes_of

# A number is its identifier's own subject, or was brought by a caller for one of its own kind.
BY_NUMBER = f"""
SELECT {NODE} FROM identifiers AS i
WHERE i.subject = CAST(:number AS INTEGER) AND i.number = :number
  AND i.organization_id = :organization_id
UNION
SELECT {NODE} FROM identifiers AS i
WHERE i.organization_id = :organization_id AND i.kind = 'c_user_id' AND i.value = :number
"""

BY_NAME = f"""
SELECT {NODE} FROM identifiers AS i
WHERE i.organization_id = ? AND i.kind = ? AND i.value = ?
"""

# The identifier that names an identity, and the others of it.
MEMBER = """
members AS (
  SELECT subject FROM identifiers WHERE subject = :identity AND identity = :identity
  UNION ALL
  SELECT subject FROM identifiers WHERE identity = :identity AND identity <> subject
)"""

MEMBERS = f"""
WITH {MEMBER}
SELECT {NODE} FROM members CROSS JOIN identifiers AS i ON i.subject = members.subject
ORDER BY i.first_at_ms, i.subject
"""

# Pairs seen together whose two sides are different people now.
RELATED = f"""
WITH {MEMBER}, pairs AS (
  SELECT l.b AS theirs, l.a AS mine FROM members CROSS JOIN links AS l ON l.a = members.subject
  WHERE l.verdict <> 'accepted'
  UNION
  SELECT l.a AS theirs, l.b AS mine FROM members CROSS JOIN links AS l ON l.b = members.subject
  WHERE l.verdict <> 'accepted'
)
SELECT pairs.theirs, pairs.mine FROM pairs
CROSS JOIN identifiers AS i ON i.subject = pairs.theirs
WHERE i.identity <> :identity LIMIT 1000
"""

VISITING = f"""
WITH {MEMBER}
SELECT v.seq FROM members CROSS JOIN visits AS v ON v.subject = members.subject
"""

GIVEN_AWAY = f"""
WITH {MEMBER}
SELECT v.seq
FROM members
CROSS JOIN visits AS v ON v.recorded = members.subject AND v.subject <> 0
CROSS JOIN identifiers AS now ON now.subject = v.subject
WHERE now.identity <> :identity
"""

JOURNAL = f"""
WITH {MEMBER}
SELECT j.change_id, j.at_ms, j.seq, j.change, i.number, j.detail
FROM members
CROSS JOIN identifiers AS i ON i.subject = members.subject
CROSS JOIN journal AS j ON j.subject = members.subject
WHERE j.change_id < :before ORDER BY j.change_id DESC LIMIT :limit
"""

REFUSED = f"""
SELECT l.rowid, {LINK} FROM links AS l
WHERE l.organization_id = ? AND l.verdict = 'refused' AND l.rowid > ? ORDER BY l.rowid LIMIT ?
"""

# The places of hubs are their subjects: an order that stays, whatever it means.
HUBS = f"""
SELECT {NODE} FROM identifiers AS i
WHERE i.standing = 'hub' AND i.organization_id = ? AND i.subject > ?
ORDER BY i.subject LIMIT ?
"""

LIMITS = "SELECT limits FROM limits WHERE organization_id = ?"

CREATING = "SELECT number, created, conflict FROM creations WHERE organization_id = ? AND seq = ?"


class SqliteDirectory:
    """Fits the port `Directory`. Sees what the settler committed; reads in a thread of its own."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def known_numbers(
        self, organization_id: OrganizationId, numbers: Sequence[Number]
    ) -> set[Number]:
        return await self._reader.read(lambda db: numbers_in(db, organization_id, numbers))

    async def by_number(self, organization_id: OrganizationId, number: Number) -> Identity | None:
        return await self.by_identifier(organization_id, f"{Kind.C_USER_ID}:{number}")

    async def by_identifier(
        self, organization_id: OrganizationId, identifier: str
    ) -> Identity | None:
        def work(db: Connection) -> Identity | None:
            node = _named(db, organization_id, identifier)
            return _identity(db, node.identity) if node else None

        return await self._reader.read(work)

    async def limits_of(self, organization_id: OrganizationId) -> dict[str, int]:
        """How many identifiers of each kind an identity may hold, where that was set (R3)."""
        rows = await self._rows(LIMITS, (organization_id,))
        return dict(json.loads(rows[0][0])) if rows else {}

    async def related(
        self, organization_id: OrganizationId, identity: Identity
    ) -> Sequence[Related]:
        rows = await self._rows(RELATED, {"identity": identity.subject})
        return [Related(*row) for row in rows]

    async def visits_of(
        self, organization_id: OrganizationId, identity: Identity
    ) -> tuple[Sequence[int], Sequence[int]]:
        visiting = await self._rows(VISITING, {"identity": identity.subject})
        given_away = await self._rows(GIVEN_AWAY, {"identity": identity.subject})
        return [seq for (seq,) in visiting], [seq for (seq,) in given_away]

    async def explain(self, organization_id: OrganizationId, a: str, b: str) -> Explanation | None:
        return await self._reader.read(lambda db: _explain(db, organization_id, a, b))

    async def journal(
        self, organization_id: OrganizationId, identity: Identity, before: int, limit: int
    ) -> list[Change]:
        return [
            _change(row) for row in await self._rows(JOURNAL, (identity.subject, before, limit))
        ]

    async def conflicts(
        self, organization_id: OrganizationId, after: int, limit: int
    ) -> list[tuple[int, Conflict]]:
        def work(db: Connection) -> list[tuple[int, Conflict]]:
            rows = db.execute(REFUSED, (organization_id, after, limit)).fetchall()
            return [(row[0], _conflict(db, link_of(row[1:]))) for row in rows]

        return await self._reader.read(work)

    async def conflicts_of(
        self, organization_id: OrganizationId, identity: Identity
    ) -> list[Conflict]:
        def work(db: Connection) -> list[Conflict]:
            links = links_of(db, identity.subjects)
            return [_conflict(db, link) for link in links if link.verdict == "refused"]

        return await self._reader.read(work)

    async def hubs(
        self, organization_id: OrganizationId, after: int, limit: int
    ) -> list[tuple[int, Hub]]:
        def work(db: Connection) -> list[tuple[int, Hub]]:
            rows = db.execute(HUBS, (organization_id, after, limit)).fetchall()
            return [(row[0], _hub(db, node_of(row))) for row in rows]

        return await self._reader.read(work)

    async def creating(self, organization_id: OrganizationId, seq: int) -> Creating | None:
        def work(db: Connection) -> Creating | None:
            row = db.execute(CREATING, (organization_id, seq)).fetchone()
            if row is None:
                return None
            number, created, conflict = row[0], bool(row[1]), json.loads(row[2])
            why = _explain(db, organization_id, *conflict) if conflict else None
            return Creating(c_user_id=number, created=created, conflict=why)

        return await self._reader.read(work)

    async def _rows(self, sql: str, values: Any) -> list[tuple[Any, ...]]:
        return await self._reader.read(lambda db: list(db.execute(sql, values)))


def _named(db: Connection, organization_id: OrganizationId, identifier: str) -> Node | None:
    kind, _, value = identifier.partition(":")
    if kind == Kind.C_USER_ID:
        asked = {"organization_id": organization_id, "number": value}
        row = db.execute(BY_NUMBER, asked).fetchone()
    else:
        row = db.execute(BY_NAME, (organization_id, kind, value)).fetchone()
    return node_of(row) if row else None


def _members(db: Connection, subject: Subject) -> list[Node]:
    return [node_of(row) for row in db.execute(MEMBERS, {"identity": subject})]


def _explain(db: Connection, organization_id: OrganizationId, a: str, b: str) -> Explanation | None:
    one, other = _named(db, organization_id, a), _named(db, organization_id, b)
    if one is None or other is None:
        return None
    people = _members(db, one.identity)
    if other.identity != one.identity:
        people += _members(db, other.identity)
    return explain(db, one, other, people)


def _identity(db: Connection, subject: Subject) -> Identity:
    members = _members(db, subject)
    (naming,) = [node for node in members if node.subject == subject]
    links = [x for x in links_of(db, (node.subject for node in members)) if x.verdict == "accepted"]
    proof: dict[Subject, int] = {}
    for link in [*links, *rule_links(db, members)]:
        for end in link.pair:
            proof[end] = max(proof.get(end, 0), link.proof)
    return Identity(
        c_user_id=naming.number,
        subject=subject,
        identifiers=tuple(_known(node, proof.get(node.subject, 0)) for node in members),
    )


def _known(node: Node, proof: int) -> KnownIdentifier:
    return KnownIdentifier(
        subject=node.subject,
        kind=node.kind,
        value=node.value,
        number=node.number,
        proof=proof,
        asserted=node.asserted,
        standing=node.standing,
        first_seen_ms=None if node.first_at_ms == NEVER_SEEN else node.first_at_ms,
    )


def _change(row: tuple[Any, ...]) -> Change:
    change_id, at_ms, seq, change, number, detail = row
    return Change(
        change_id=change_id,
        at_ms=at_ms,
        seq=seq,
        change=change,
        identity=number,
        detail=json.loads(detail),
    )


def _conflict(db: Connection, link: Link) -> Conflict:
    ends = {node.subject: node for node in nodes_of(db, {*link.pair, *(link.against or ())})}
    names = {n.subject: n.number for n in nodes_of(db, {n.identity for n in ends.values()})}
    a, b = (names[ends[subject].identity] for subject in link.pair)
    return Conflict(link=link_seen(link, ends), identities=(a, b))


def _hub(db: Connection, node: Node) -> Hub:
    links = [link for link in links_of(db, [node.subject]) if link.verdict == "hub"]
    ends = {subject for link in links for subject in link.pair} - {node.subject}
    kinds = Counter(claimer.kind for claimer in nodes_of(db, ends))
    return Hub(identifier=node.text, claimed_by=max(kinds.values(), default=0))
