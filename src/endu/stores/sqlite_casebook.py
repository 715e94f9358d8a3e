"""The casebook in SQLite, for the one who resolves.

Sets of subjects go into a statement as one JSON text and come apart in `json_each`: one
statement for a whole batch, whatever its size.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Set
from contextlib import AbstractAsyncContextManager
from typing import Any

import msgspec

from endu.identities.casebook import JournalLine, Outcome, Seen, StandingRule
from endu.identities.evidence import Review
from endu.identities.identifier import Kind, Number, Subject
from endu.identities.linking import Link, Node, Pair
from endu.organizations.organization import OrganizationId
from endu.stores import casebook_sql as sql
from endu.stores.sqlite import Connection
from endu.stores.sqlite_rows import (
    link_of,
    links_of,
    node_of,
    nodes_of,
    rule_of,
    rules_of,
    transaction,
)


class SqliteCasebook:
    """Fits the port `Casebook`. The connection is this thread's and nobody else's meanwhile."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def transaction(self) -> AbstractAsyncContextManager[None]:
        return transaction(self._connection)

    def undone(self) -> AbstractAsyncContextManager[None]:
        return transaction(self._connection, "ROLLBACK")

    async def find(
        self, organization_id: OrganizationId, names: Collection[str]
    ) -> dict[str, Node]:
        named = _text([name.split(":", 1) for name in names])
        nodes = map(node_of, self._all(sql.FIND, (named, organization_id)))
        return {node.text: node for node in nodes}

    async def bearing(
        self, organization_id: OrganizationId, numbers: Collection[Number]
    ) -> dict[Number, Node]:
        asked = {"numbers": _text(list(numbers)), "organization_id": organization_id}
        nodes = map(node_of, self._all(sql.BEARING, asked))
        return {node.number: node for node in nodes}

    async def nodes(self, subjects: Set[Subject]) -> list[Node]:
        return nodes_of(self._connection, subjects)

    async def clusters(self, clusters: Set[Subject]) -> list[Node]:
        nodes = (node_of(row) for row in self._all(sql.CLUSTERS, {"clusters": _json(clusters)}))
        return [node for node in nodes if node.kind is not Kind.FINGERPRINT]

    async def clusters_beside(self, subjects: Set[Subject]) -> set[Subject]:
        return {row[0] for row in self._all(sql.CLUSTERS_BESIDE, {"subjects": _json(subjects)})}

    async def all_clusters(self, organization_id: OrganizationId) -> list[Subject]:
        return [row[0] for row in self._all(sql.ALL_CLUSTERS, (organization_id,))]

    async def links_of(self, subjects: Set[Subject]) -> list[Link]:
        return links_of(self._connection, subjects)

    async def counting_links_of(self, subjects: Set[Subject]) -> list[Link]:
        rows = self._all(sql.COUNTING_LINKS_OF, {"subjects": _json(subjects)})
        return [link_of(row) for row in rows]

    async def links_between(self, pairs: Collection[Pair]) -> list[Link]:
        return [link_of(row) for row in self._all(sql.LINKS_BETWEEN, (_text(list(pairs)),))]

    async def put_nodes(self, nodes: Iterable[Node]) -> None:
        rows = (
            (n.subject, n.organization_id, n.kind.value, n.value, n.number, n.asserted,
             n.standing, n.first_at_ms, n.cluster, n.identity)
            for n in nodes
        )  # fmt: skip
        self._connection.executemany(sql.PUT_NODE, rows)

    async def put_links(self, organization_id: OrganizationId, links: Iterable[Link]) -> None:
        rows = (
            (x.a, x.b, organization_id, x.proof, x.claimed_at_ms, x.first_seq, x.verdict,
             x.reason, *(x.against or (None, None)))
            for x in links
        )  # fmt: skip
        self._connection.executemany(sql.PUT_LINK, rows)

    async def put_seen(self, seen: Iterable[Seen]) -> None:
        rows = (
            (s.fingerprint, s.subject, _text(s.before), s.first_at_ms, s.first_seq) for s in seen
        )
        self._connection.executemany(sql.PUT_SEEN, rows)

    async def put_owners(self, identity_of: Mapping[Subject, Subject]) -> None:
        ((last,),) = self._all("SELECT coalesce(max(version), 0) FROM owners")
        rows = ((s, identity, last + n) for n, (s, identity) in enumerate(identity_of.items(), 1))
        self._connection.executemany(sql.PUT_OWNER, rows)

    async def put_journal(self, lines: Iterable[JournalLine]) -> None:
        rows = (
            (x.organization_id, x.seq, x.at_ms, x.change, x.subject, _text(x.detail)) for x in lines
        )
        self._connection.executemany(sql.PUT_LINE, rows)

    async def fingerprints_seen_with(self, subjects: Set[Subject]) -> set[Subject]:
        return {row[0] for row in self._all(sql.FINGERPRINTS_SEEN_WITH, (_json(subjects),))}

    async def identities_on(
        self, fingerprints: Set[Subject], blocked: Set[Subject], at_most: int
    ) -> dict[Subject, set[Subject]]:
        if not blocked:
            rows = self._all(sql.IDENTITIES_ON, (_json(fingerprints), at_most))
            return {fingerprint: set(json.loads(found)) for fingerprint, found in rows}
        return {
            fingerprint: {
                identity
                for subject, before, identity in self._all(sql.SEEN_ON, (fingerprint,))
                if subject not in blocked and set(json.loads(before)) <= blocked
            }
            for fingerprint in fingerprints
        }

    async def put_reviews(self, reviews: Iterable[Review]) -> list[Review]:
        windows = [(review.subject, review.from_ms, review.to_ms) for review in reviews]
        return [Review(*row) for each in windows for row in self._all(sql.PUT_REVIEW, each)]

    async def watched(self) -> set[Subject]:
        return {row[0] for row in self._all(sql.WATCHED)}

    async def rules(self, organization_id: OrganizationId) -> list[StandingRule]:
        rules = rules_of(self._connection, organization_id)
        return [rule for rule in rules if rule.taken_back_at_ms is None]

    async def put_rule(self, rule: StandingRule) -> bool:
        row = (rule.seq, rule.organization_id, rule.rule, json.dumps(rule.identifiers),
               rule.author, rule.reason, rule.made_at_ms)  # fmt: skip
        return bool(self._connection.execute(sql.PUT_RULE, row).rowcount)

    async def take_back(
        self, organization_id: OrganizationId, rule_seq: int, at_ms: int, author: str
    ) -> StandingRule | None:
        for row in self._all(sql.TAKE_BACK, (at_ms, author, organization_id, rule_seq)):
            return rule_of(row)
        return None

    async def limits(self, organization_id: OrganizationId) -> dict[str, int]:
        query = "SELECT limits FROM limits WHERE organization_id = ?"
        for (limits,) in self._all(query, (organization_id,)):
            return dict(json.loads(limits))
        return {}

    async def put_limits(self, organization_id: OrganizationId, limits: Mapping[str, int]) -> None:
        self._connection.execute(sql.PUT_LIMITS, (organization_id, json.dumps(dict(limits))))

    async def has_creation(self, seq: int) -> bool:
        return bool(self._all("SELECT 1 FROM creations WHERE seq = ?", (seq,)))

    async def put_creation(self, outcome: Outcome) -> None:
        row = (outcome.seq, outcome.organization_id, outcome.number, outcome.created,
               json.dumps(outcome.conflict))  # fmt: skip
        self._connection.execute(sql.PUT_CREATION, row)

    def _all(self, statement: str, values: Any = ()) -> list[tuple[Any, ...]]:
        return list(self._connection.execute(statement, values))


def _json(subjects: Collection[Subject]) -> str:
    return _text(list(subjects))


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()
