"""The casebook in SQLite, for the one who resolves."""

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence, Set
from contextlib import AbstractAsyncContextManager
from typing import Any

import msgspec

from endu.identities.casebook import Farewell, JournalLine, Outcome, Seen, StandingRule
from endu.identities.evidence import Review
from endu.identities.forgotten import Left, Plan
from endu.identities.identifier import Kind, Number, Subject
from endu.identities.linking import Link, Node, Pair
from endu.organizations.organization import OrganizationId
from endu.stores import casebook_sql as sql
from endu.stores.journal_marks import mark_of
from endu.stores.sqlite import Connection
from endu.stores.sqlite_forgetting import forget, left_behind, plan_of
from endu.stores.sqlite_rows import rule_of, rules_of, transaction
from endu.stores.sqlite_texts import json_of, put, read_nodes, text_of

_read_links = msgspec.json.Decoder(list[Link]).decode
_read_subjects = msgspec.json.Decoder(list[Subject]).decode
_read_reviews = msgspec.json.Decoder(list[Review]).decode
_read_people = msgspec.json.Decoder(list[tuple[Subject, set[Subject]]]).decode


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
        named = json_of([name.split(":", 1) for name in names])
        nodes = await self._nodes(sql.FIND, (named, organization_id))
        return {node.text: node for node in nodes}

    async def bearing(
        self, organization_id: OrganizationId, numbers: Collection[Number]
    ) -> dict[Number, Node]:
        asked = {"numbers": json_of(numbers), "organization_id": organization_id}
        return {node.number: node for node in await self._nodes(sql.BEARING, asked)}

    async def nodes(self, subjects: Set[Subject]) -> list[Node]:
        return await self._nodes(sql.NODES_OF, (json_of(subjects),)) if subjects else []

    async def clusters(self, clusters: Set[Subject]) -> list[Node]:
        nodes = await self._nodes(sql.CLUSTERS, (json_of(clusters),)) if clusters else []
        return [node for node in nodes if node.kind is not Kind.FINGERPRINT]

    async def clusters_beside(self, subjects: Set[Subject]) -> set[Subject]:
        return set(await self._subjects(sql.CLUSTERS_BESIDE, {"subjects": json_of(subjects)}))

    async def all_clusters(self, organization_id: OrganizationId) -> list[Subject]:
        return await self._subjects(sql.ALL_CLUSTERS, (organization_id,))

    async def links_of(self, subjects: Set[Subject]) -> list[Link]:
        return await self._links(sql.ALL_LINKS_OF, {"subjects": json_of(subjects)})

    async def counting_links_of(self, subjects: Set[Subject]) -> list[Link]:
        if not subjects:
            return []
        return await self._links(sql.COUNTING_LINKS_OF, {"subjects": json_of(subjects)})

    async def links_between(self, pairs: Collection[Pair]) -> list[Link]:
        return await self._links(sql.LINKS_BETWEEN, (json_of(pairs),)) if pairs else []

    async def put_nodes(self, nodes: Sequence[Node]) -> None:
        await self._put(sql.PUT_NODES, nodes)

    async def put_links(self, organization_id: OrganizationId, links: Sequence[Link]) -> None:
        await self._put(sql.PUT_LINKS, links, organization_id)

    async def put_seen(self, seen: Collection[Seen]) -> None:
        await self._put(sql.PUT_SEEN, seen)

    async def put_owners(self, identity_of: Mapping[Subject, Subject]) -> None:
        await self._put(sql.PUT_OWNERS, identity_of.items())

    async def put_journal(self, lines: Sequence[JournalLine]) -> None:
        await self._put(sql.PUT_JOURNAL, [_with_mark(line) for line in lines])

    async def fingerprints_seen_with(self, subjects: Set[Subject]) -> set[Subject]:
        return set(await self._subjects(sql.FINGERPRINTS_SEEN_WITH, (json_of(subjects),)))

    async def seen_first_at(
        self, fingerprints: Set[Subject], places: Collection[int]
    ) -> list[Seen]:
        rows = self._all(sql.SEEN_FIRST_AT, (json_of(fingerprints), json_of(places)))
        return [
            Seen(fingerprint, subject, tuple(json.loads(before)), *first)
            for fingerprint, subject, before, *first in rows
        ]

    async def identities_on(
        self, fingerprints: Set[Subject], blocked: Set[Subject], at_most: int
    ) -> dict[Subject, set[Subject]]:
        if not blocked:
            asked = json_of(fingerprints), at_most
            return dict(_read_people(await text_of(self._connection, sql.IDENTITIES_ON, asked)))
        return {
            fingerprint: {
                identity
                for subject, before, identity in self._all(sql.SEEN_ON, (fingerprint,))
                if subject not in blocked and set(json.loads(before)) <= blocked
            }
            for fingerprint in fingerprints
        }

    async def put_reviews(self, reviews: Collection[Review]) -> list[Review]:
        if not reviews:
            return []
        await self._put(sql.PUT_REVIEWS, reviews)
        subjects = json_of([review.subject for review in reviews])
        return _read_reviews(await text_of(self._connection, sql.REVIEWS_OF, (subjects,)))

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

    async def every_rule(self, organization_id: OrganizationId) -> list[StandingRule]:
        return rules_of(self._connection, organization_id)

    async def members(self, subject: Subject) -> list[Node]:
        return await self._nodes(sql.MEMBERS_OF, {"subject": subject})

    async def forget(self, farewell: Farewell) -> None:
        await asyncio.to_thread(forget, self._connection, farewell)

    async def plan_of(self, seq: int) -> Plan | None:
        return plan_of(self._connection, seq)

    async def left_behind(self, seq: int) -> list[Left]:
        return left_behind(self._connection, seq)

    async def has_creation(self, seq: int) -> bool:
        return bool(self._all("SELECT 1 FROM creations WHERE seq = ?", (seq,)))

    async def conflicts_of(
        self, organization_id: OrganizationId, names: Collection[str]
    ) -> list[int]:
        return list(await self._subjects(sql.CONFLICTS_OF, (organization_id, json_of(names))))

    async def created_with(self, subjects: Set[Subject]) -> set[Subject]:
        return set(await self._subjects(sql.CREATED_WITH, (json_of(subjects),)))

    async def put_creation(self, outcome: Outcome) -> None:
        row = (outcome.seq, outcome.organization_id, outcome.number, outcome.created,
               json.dumps(outcome.conflict))  # fmt: skip
        self._connection.execute(sql.PUT_CREATION, row)

    async def _nodes(self, statement: str, values: Any) -> list[Node]:
        return read_nodes(await text_of(self._connection, statement, values))

    async def _links(self, statement: str, values: Any) -> list[Link]:
        return _read_links(await text_of(self._connection, statement, values))

    async def _subjects(self, statement: str, values: Any) -> list[Subject]:
        return _read_subjects(await text_of(self._connection, statement, values))

    async def _put(self, statement: str, rows: Collection[object], *values: str) -> None:
        if rows:
            await put(self._connection, statement, json_of(rows), *values)

    def _all(self, statement: str, values: Any = ()) -> list[tuple[Any, ...]]:
        return list(self._connection.execute(statement, values))


def _with_mark(line: JournalLine) -> tuple[str | int, ...]:
    detail = msgspec.json.encode(line.detail).decode()
    columns = line.organization_id, line.seq, line.at_ms, line.change, line.subject, detail
    return *columns, mark_of(*columns)
