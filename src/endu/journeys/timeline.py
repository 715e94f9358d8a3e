"""What one person did, newest first, and which identifier put each event there."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from endu.event_types.catalog import Catalog
from endu.event_types.event_type import EventTypeId
from endu.events.event import EventDetails, RecordId
from endu.events.ledger import Ledger
from endu.identities.directory import Directory, Identity
from endu.identities.identifier import Subject
from endu.ids import Scramble, record_id
from endu.journeys.scope import Time, rfc3339, whose_events
from endu.organizations.organization import OrganizationId, PropertyId

COLUMNS = """
SELECT seq, source, {relation} AS relation,
       toUnixTimestamp64Milli(ts) AS happened_at_ms,
       toUnixTimestamp64Milli(received_at) AS received_at_ms,
       event_type, property_id, identifiers, subject, others, fingerprint,
       chain_type, event_data, details, reused
  FROM endu.events
 WHERE org = {{organization:String}}
   AND {condition}
   AND (happened_at_ms, seq) < ({{before_ms:Int64}}, {{before_seq:UInt64}})
 ORDER BY ts DESC, seq DESC
 LIMIT {{limit:UInt32}}
"""

SQL = """
SELECT *
  FROM ({parts})
 ORDER BY happened_at_ms DESC, seq DESC
 LIMIT {{limit:UInt32}}
"""

Relation = Literal["own", "related"]


class Item(Struct, frozen=True, kw_only=True):
    """One event of a person's timeline.

    `because` is the identifier that put it here. `relation` is `related` for another person's
    event that carries one of this person's identifiers; `contested` says that identifiers on
    the event belong to different people.
    """

    record_id: RecordId
    event_id: EventTypeId
    event_type: str
    property_id: PropertyId
    timestamp: Time
    received_at: Time
    relation: Relation
    contested: bool
    because: str
    identifiers: tuple[str, ...]
    event_data: Raw
    violations: tuple[str, ...]
    warnings: tuple[str, ...]
    message_id: str | UnsetType = UNSET
    chain_type: str | UnsetType = UNSET
    chain_account: str | UnsetType = UNSET
    blocked: tuple[str, ...] | UnsetType = UNSET
    unknown: dict[str, Any] | UnsetType = UNSET
    replay_of: str | UnsetType = UNSET


class Timeline(Struct, frozen=True):
    items: list[Item]
    next: tuple[int, int] | None  # the place that the page behind this one begins before


class TimelineQuestion(Struct, frozen=True):
    """`before` is (milliseconds, seq): events behind that place, newest first. `related`: other
    people's events that carry one of this person's identifiers, too."""

    organization_id: OrganizationId
    identity: Identity
    before: tuple[int, int]
    limit: int
    related: bool = True


async def ask_timeline(
    question: TimelineQuestion,
    directory: Directory,
    ledger: Ledger,
    catalog: Catalog,
    scramble: Scramble,
) -> Timeline:
    organization_id, identity = question.organization_id, question.identity
    conditions, values = await whose_events(directory, organization_id, identity)
    if not question.related:
        conditions = {name: sql for name, sql in conditions.items() if name != "related"}
    before_ms, before_seq = question.before
    asked = {
        **values,
        "before_ms": before_ms,
        "before_seq": before_seq,
        "limit": question.limit + 1,  # one more tells whether there is another page
    }
    rows = await ledger.ask(timeline_sql(conditions), asked)
    shown = rows[: question.limit]
    items = [_item(_Row(*row), question, catalog, scramble) for row in shown]
    more = len(rows) > len(shown)
    return Timeline(items, (shown[-1][3], shown[-1][0]) if more else None)


def timeline_sql(conditions: Mapping[str, str]) -> str:
    """Only our own conditions are put into the text; every value travels beside it."""
    parts = [
        COLUMNS.format(relation=f"'{relation}'", condition=condition)
        for relation, condition in conditions.items()
    ]
    return SQL.format(parts="UNION ALL".join(f"({part})" for part in parts))


class _Row(Struct, frozen=True):
    """A row of SQL, in its order."""

    seq: int
    source: int
    found_as: str
    happened_at_ms: int
    received_at_ms: int
    event_type: str
    property_id: str
    identifiers: Sequence[str]
    subject: int
    others: Sequence[int]
    fingerprint: int
    chain_type: str
    event_data: str
    details: str
    reused: int


def _item(row: _Row, question: TimelineQuestion, catalog: Catalog, scramble: Scramble) -> Item:
    event_id = EventTypeId(row.event_type)
    kind = catalog.find(question.organization_id, event_id)
    details = _details(row.details)
    mine = {each.subject: f"{each.kind}:{each.value}" for each in question.identity.identifiers}
    related = row.found_as == "related"
    return Item(
        record_id=RecordId(record_id(scramble, row.source, row.seq, row.received_at_ms)),
        event_id=event_id,
        event_type=kind.name if kind else event_id,
        property_id=PropertyId(row.property_id),
        timestamp=rfc3339(row.happened_at_ms),
        received_at=rfc3339(row.received_at_ms),
        relation="related" if related else "own",
        contested=related or any(other not in mine for other in row.others),
        because=_because(row, mine),
        identifiers=tuple(row.identifiers),
        event_data=Raw(row.event_data.encode()),
        violations=details.violations,
        warnings=(*details.warnings, "MESSAGE_ID_REUSED") if row.reused else details.warnings,
        message_id=details.message_id or UNSET,
        chain_type=row.chain_type or UNSET,
        chain_account=details.chain_account or UNSET,
        blocked=details.blocked or UNSET,
        unknown=details.unknown or UNSET,
        replay_of=details.replay_of or UNSET,
    )


def _details(text: str) -> EventDetails:
    return msgspec.json.decode(text, type=EventDetails) if text else EventDetails()


def _because(row: _Row, mine: Mapping[Subject, str]) -> str:
    """The deciding identifier where it is this person's, else the one of theirs that it carries.

    A shared device's event is neither: its device put it here.
    """
    carried = (row.subject, *row.others, row.fingerprint)
    found = next((mine[Subject(each)] for each in carried if each in mine), None)
    return found or (row.identifiers[0] if row.identifiers else "")
