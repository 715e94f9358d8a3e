"""Which events are older than their organization keeps them."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from endu.event_types.event_type import EventType, EventTypeId
from endu.organizations.organization import OrganizationId, OrganizationSettings

DAY_MS = 24 * 60 * 60 * 1000
FOR_EVER = -(1 << 62)  # nothing happened before that

# The second condition decides; the first lets the ledger pass over whole granules.
EXPIRED = """
  FROM endu.events
 WHERE org = {org:String}
   AND source = {source:UInt16}
   AND seq <= {settled:UInt64}
   AND ts < fromUnixTimestamp64Milli({latest:Int64})
   AND toUnixTimestamp64Milli(ts) <
       transform(toString(event_type), {types:Array(String)}, {befores:Array(Int64)},
                 {before:Int64})
"""


class Expiry(Struct, frozen=True):
    """What happened before `before_ms` goes, save where its event type has a time of its own;
    what happened just then stays."""

    organization_id: OrganizationId
    before_ms: int
    by_type: dict[EventTypeId, int]

    @property
    def latest_ms(self) -> int:
        """Nothing that happened then or later goes."""
        return max(self.before_ms, *self.by_type.values(), FOR_EVER)

    def values(self) -> dict[str, Any]:
        """What EXPIRED asks for, but for the log and how far it has settled."""
        return {
            "org": self.organization_id,
            "latest": self.latest_ms,
            "types": ["", *self.by_type],  # there has to be one
            "befores": [self.before_ms, *self.by_type.values()],
            "before": self.before_ms,
        }


def expiry_of(
    organization_id: OrganizationId,
    settings: OrganizationSettings,
    event_types: Iterable[EventType],
    now_ms: int,
) -> Expiry | None:
    """Every registration of a name expires like the name. None where everything is kept."""
    own = settings.retention_days_by_event_type
    by_type = {
        each.event_id: _before_ms(own[each.name], now_ms)
        for each in event_types
        if each.name in own
    }
    expiry = Expiry(organization_id, _before_ms(settings.retention_days, now_ms), by_type)
    return None if expiry.latest_ms == FOR_EVER else expiry


def _before_ms(days: int | None, now_ms: int) -> int:
    return FOR_EVER if days is None else now_ms - days * DAY_MS
