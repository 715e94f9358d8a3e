"""Rows of the directory's tables as what they stand for."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any

from endu.identities.casebook import StandingRule
from endu.identities.identifier import KINDS, Subject
from endu.identities.linking import Link, Node
from endu.organizations.organization import OrganizationId
from endu.stores.sqlite import Connection, Error

NODE = """i.subject, i.organization_id, i.kind, i.value, i.number, i.asserted, i.standing,
       i.first_at_ms, i.cluster, i.identity"""

LINK = """l.a, l.b, l.proof, l.claimed_at_ms, l.first_seq, l.verdict, l.reason,
       l.against_a, l.against_b"""

NODES = f"""
SELECT {NODE} FROM json_each(?) AS asked CROSS JOIN identifiers AS i ON i.subject = asked.value
"""

LINKS_OF = f"""
SELECT {LINK} FROM json_each(:subjects) AS asked CROSS JOIN links AS l ON l.a = asked.value
UNION
SELECT {LINK} FROM json_each(:subjects) AS asked CROSS JOIN links AS l ON l.b = asked.value
"""

RULES = "SELECT * FROM rules WHERE organization_id = ? ORDER BY seq"


def node_of(row: tuple[Any, ...]) -> Node:
    """From the columns of NODE."""
    return Node(
        subject=row[0],
        organization_id=row[1],
        kind=KINDS[row[2]],
        value=row[3],
        number=row[4],
        asserted=bool(row[5]),
        standing=row[6],
        first_at_ms=row[7],
        cluster=row[8],
        identity=row[9],
    )


def link_of(row: tuple[Any, ...]) -> Link:
    """From the columns of LINK."""
    a, b, proof, claimed_at_ms, first_seq, verdict, reason, against_a, against_b = row
    return Link(
        a=a,
        b=b,
        proof=proof,
        claimed_at_ms=claimed_at_ms,
        first_seq=first_seq,
        verdict=verdict,
        reason=reason,
        against=None if against_a is None else (against_a, against_b),
    )


def rule_of(row: tuple[Any, ...]) -> StandingRule:
    """From all columns of `rules`."""
    return StandingRule(
        seq=row[0],
        organization_id=row[1],
        rule=row[2],
        identifiers=tuple(json.loads(row[3])),
        author=row[4],
        reason=row[5],
        made_at_ms=row[6],
        taken_back_at_ms=row[7],
        taken_back_by=row[8],
    )


def nodes_of(connection: Connection, subjects: Iterable[Subject]) -> list[Node]:
    asked = json.dumps(list(subjects))
    return [node_of(row) for row in connection.execute(NODES, (asked,))]


def links_of(connection: Connection, subjects: Iterable[Subject]) -> list[Link]:
    """Every link with an end here, once."""
    asked = {"subjects": json.dumps(list(subjects))}
    return [link_of(row) for row in connection.execute(LINKS_OF, asked)]


def rules_of(connection: Connection, organization_id: OrganizationId) -> list[StandingRule]:
    """Oldest first, those that were taken back too."""
    return [rule_of(row) for row in connection.execute(RULES, (organization_id,))]


@asynccontextmanager
async def transaction(connection: Connection, end: str = "COMMIT") -> AsyncIterator[None]:
    """Takes the write lock at once, so that two writers wait instead of failing half-way. The
    begin, which waits for another writer, and the end, which waits for the disk, are in another
    thread: the loop goes on."""
    try:
        await asyncio.to_thread(connection.execute, "BEGIN IMMEDIATE")
        yield
        await asyncio.to_thread(connection.execute, end)
    except BaseException:
        with suppress(Error):  # SQLite has rolled back by itself after some errors
            connection.execute("ROLLBACK")
        raise
