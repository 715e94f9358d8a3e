"""The views that SQL is asked over: `events`, `identities`, `event_types` of one organization.

Each is written as a subquery in the place of its name. That its rows are the organization's stands
in PREWHERE, not in WHERE: conditions of a WHERE are evaluated in whatever order seems cheap, and
one of the caller's that fails on a row (a cast, a division) would tell of another organization's.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct

from endu.event_types.event_type import GLOBAL_NAMES, EventType
from endu.events.ledger import NUMBERS, Visited, owner_sql, subject_sql
from endu.journeys.values import Values
from endu.organizations.organization import OrganizationId

# A number is its identifier's subject, but for those that a caller brought.
NUMBER = f"dictGetOrDefault('{NUMBERS}', 'number', %(who)s, toString(%(who)s))"

# The same as in journeys/about.py, event by event.
ANONYMOUS = "toBool(e.device_only AND (%(who)s = e.subject OR %(who)s = 0))"
CONTESTED = f"""toBool(length(arrayDistinct(arrayFilter(x -> x != 0,
    arrayPushBack(arrayMap(x -> {owner_sql("x")}, e.others), %(who)s)))) > 1)"""

# The engine works out by itself which event types a condition on their names can hold of, and
# reads no other.
EVENT_TYPE = (
    "transform(e.event_type, {event_ids:Array(String)}, {event_names:Array(String)}, e.event_type)"
)


# Column by column, as it comes out of endu.events, which is `e`: without that, the name of a column
# could be the view's own, or one that the caller's WITH gives.
EVENT_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "c_user_id": f"if(%(who)s = 0, NULL, {NUMBER})",
        "anonymous": ANONYMOUS,
        "contested": CONTESTED,
        "event_type": EVENT_TYPE,
        "event_id": "e.event_type",
        "timestamp": "e.ts",
        "received_at": "e.received_at",
        "property_id": "e.property_id",
        "platform": "e.platform",
        "chain_type": "e.chain_type",
        "proof": "e.proof",
        "identifiers": "e.identifiers",
        "event_data": "e.event_data",
        "warnings": "JSONExtract(e.details, 'warnings', 'Array(String)')",
        "violations": "JSONExtract(e.details, 'violations', 'Array(String)')",
    }
)

IDENTITY_COLUMNS = (
    "c_user_id",
    "anonymous",
    "events",
    "first_seen",
    "last_seen",
    "platforms",
    "event_types",
    "identifiers",
)

EVENT_TYPE_COLUMNS = (
    "event_type",
    "event_id",
    "display_name",
    "is_current",
    "is_global",
    "created_at",
)

# People with an event of their own.
_PEOPLE = f"""(
SELECT {NUMBER % {"who": "people.who"}} AS c_user_id,
       anonymous, events, first_seen, last_seen, platforms, event_types%(names)s
  FROM (SELECT %(who)s AS who, toBool(max(e.fingerprint = who)) AS anonymous, count() AS events,
               min(e.ts) AS first_seen, max(e.ts) AS last_seen,
               arraySort(groupUniqArrayIf(toString(e.platform), e.platform != '')) AS platforms,
               arraySort(groupUniqArray(toString({EVENT_TYPE}))) AS event_types
          FROM endu.events AS e
      PREWHERE e.org = {{organization:String}}
         WHERE who != 0
         GROUP BY who) AS people%(joined)s)"""

# Whose an identifier is, its own subject's owner says, on whosever event it stands. An event that
# names somebody by the number of another identifier on it has one subject for both.
_SUBJECTS = (
    "arrayFilter(x -> x != 0, arrayDistinct(arrayConcat([e.subject], e.others, [e.fingerprint])))"
)
_NAMES = (
    f"if(length(e.identifiers) > length({_SUBJECTS}), arrayPopFront(e.identifiers), e.identifiers)"
)
_IDENTIFIERS = f"""
  LEFT JOIN (SELECT owner, arraySort(groupUniqArray(named.2)) AS identifiers
               FROM (SELECT DISTINCT named, {owner_sql("named.1")} AS owner
                       FROM (SELECT arrayJoin(arrayZip({_SUBJECTS}, {_NAMES})) AS named
                               FROM endu.events AS e
                           PREWHERE e.org = {{organization:String}}
                              WHERE length({_SUBJECTS}) = length({_NAMES})))
              WHERE owner != 0
              GROUP BY owner) AS names ON names.owner = people.who"""

_EVENT_TYPES = """(
SELECT kind.1 AS event_type, kind.2 AS event_id, kind.3 AS display_name,
       toBool(kind.4) AS is_current, toBool(kind.5) AS is_global,
       fromUnixTimestamp64Milli(kind.6, 'UTC') AS created_at
  FROM (SELECT arrayJoin(arrayZip({event_names:Array(String)}, {event_ids:Array(String)},
               {display_names:Array(String)}, {currents:Array(UInt8)}, {globals:Array(UInt8)},
               {created:Array(Int64)})) AS kind))"""


class Told(Struct, frozen=True):
    """What the views need to know of an organization; `visited` as `who_sql` has it."""

    organization_id: OrganizationId
    event_types: Sequence[EventType]
    visited: Visited


class Views:
    """The views of one organization, for one statement. `values` grows with what they bind."""

    def __init__(self, told: Told, with_identifiers: bool) -> None:
        self.values = Values(organization=told.organization_id)
        self._kinds = told.event_types
        self._who = owner_sql(subject_sql(told.visited, "e."))
        self._with_identifiers = with_identifiers

    def named(self, view: str) -> str | None:
        """The subquery that stands for a view; None where there is none of that name."""
        if view not in VIEWS:
            return None
        self._bind_kinds(whole=view == "event_types")
        if view == "events":
            return self._events()
        return self._people() if view == "identities" else _EVENT_TYPES

    def _events(self) -> str:
        who = {"who": self._who}
        columns = ", ".join(f"{sql % who} AS `{name}`" for name, sql in EVENT_COLUMNS.items())
        return f"(SELECT {columns} FROM endu.events AS e PREWHERE e.org = {{organization:String}})"

    def _people(self) -> str:
        named = {"names": ", names.identifiers", "joined": _IDENTIFIERS}
        unnamed = {"names": "", "joined": ""}
        return _PEOPLE % {"who": self._who, **(named if self._with_identifiers else unnamed)}

    def _bind_kinds(self, whole: bool) -> None:
        kinds, bound = self._kinds, self.values.bound
        bound["event_ids"] = [kind.event_id for kind in kinds]
        bound["event_names"] = [kind.name for kind in kinds]
        if whole:
            current = {kind.name: kind.event_id for kind in kinds}  # the newest of a name is last
            bound["display_names"] = [kind.display_name for kind in kinds]
            bound["currents"] = [int(current[kind.name] == kind.event_id) for kind in kinds]
            bound["globals"] = [int(kind.name in GLOBAL_NAMES) for kind in kinds]
            bound["created"] = [kind.created_at_ms for kind in kinds]


VIEWS = {
    "events": tuple(EVENT_COLUMNS),
    "identities": IDENTITY_COLUMNS,
    "event_types": EVENT_TYPE_COLUMNS,
}
