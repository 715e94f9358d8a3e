"""Organizations, keys and event types in memory: what every registry answers from.

The ports' writes are `put` and its like, which return at once: other stores call them after
their own writing is done.
"""

from collections.abc import Sequence

import msgspec

from endu.event_types.data_schema import Check, compile_schema
from endu.event_types.event_type import (
    GLOBAL_NAMES,
    EventType,
    EventTypeId,
    SchemaMode,
    SchemaVersion,
    global_event_types,
)
from endu.organizations.keyring import Key, KeyId
from endu.organizations.organization import Organization, OrganizationId, OrganizationSettings
from endu.refusals import Refusal


class MemoryRegistry:
    """Forgets everything with the process."""

    def __init__(self) -> None:
        self.organizations = MemoryOrganizations()
        self.keyring = MemoryKeyring()
        self.catalog = MemoryCatalog()


class MemoryOrganizations:
    def __init__(self) -> None:
        self._by_id: dict[OrganizationId, Organization] = {}

    def find(self, organization_id: OrganizationId) -> Organization | None:
        return self._by_id.get(organization_id)

    def all(self) -> list[Organization]:
        return list(self._by_id.values())

    async def add(self, organization: Organization) -> None:
        self.put(organization)

    async def set(self, organization_id: OrganizationId, settings: OrganizationSettings) -> None:
        self.put_settings(organization_id, settings)

    def put(self, organization: Organization) -> None:
        self._by_id[organization.organization_id] = organization

    def put_settings(self, organization_id: OrganizationId, settings: OrganizationSettings) -> None:
        changed = msgspec.structs.replace(self._by_id[organization_id], settings=settings)
        self._by_id[organization_id] = changed


class MemoryKeyring:
    def __init__(self) -> None:
        self._live: dict[bytes, Key] = {}
        self._by_id: dict[KeyId, Key] = {}

    def find(self, sha256: bytes) -> Key | None:
        return self._live.get(sha256)

    def of(self, organization_id: OrganizationId) -> list[Key]:
        return [key for key in self._by_id.values() if key.organization_id == organization_id]

    async def add(self, key: Key) -> None:
        self.put(key)

    async def revoke(self, key_id: KeyId, now_ms: int) -> None:
        self.put_revoked(key_id, now_ms)

    def put(self, key: Key) -> None:
        self._by_id[key.key_id] = key
        if key.revoked_at_ms is None:
            self._live[key.sha256] = key

    def put_revoked(self, key_id: KeyId, now_ms: int) -> None:
        key = self._by_id[key_id]
        if self._live.pop(key.sha256, None) is not None:
            self._by_id[key_id] = msgspec.structs.replace(key, revoked_at_ms=now_ms)


class MemoryCatalog:
    def __init__(self) -> None:
        self._by_id: dict[tuple[OrganizationId, EventTypeId], EventType] = {}
        self._current: dict[tuple[OrganizationId, str], EventType] = {}
        self._versions: dict[tuple[OrganizationId, EventTypeId], list[SchemaVersion]] = {}
        self._checks: dict[tuple[OrganizationId, EventTypeId], Check | None] = {}

    def current(self, organization_id: OrganizationId, name: str) -> EventType | None:
        found = self._current.get((organization_id, name))
        if found is None and name in GLOBAL_NAMES:
            self._add_globals(organization_id)
            return self._current[organization_id, name]
        return found

    def chain(self, organization_id: OrganizationId, name: str) -> Sequence[EventType]:
        return [each for each in self.all(organization_id) if each.name == name]

    def find(self, organization_id: OrganizationId, event_id: EventTypeId) -> EventType | None:
        if event_id in GLOBAL_NAMES:
            return self.current(organization_id, event_id)
        return self._by_id.get((organization_id, event_id))

    def all(self, organization_id: OrganizationId) -> list[EventType]:
        self._add_globals(organization_id)
        theirs = [each for each in self._by_id.values() if each.organization_id == organization_id]
        return sorted(theirs, key=lambda each: each.name not in GLOBAL_NAMES)

    async def add(self, event_type: EventType) -> None:
        self.put(event_type)

    async def set_schema(
        self, organization_id: OrganizationId, event_id: EventTypeId, version: SchemaVersion
    ) -> None:
        self.put_schema(organization_id, event_id, version)

    def put(self, event_type: EventType) -> None:
        place = (event_type.organization_id, event_type.event_id)
        self._by_id[place] = event_type
        self._current[event_type.organization_id, event_type.name] = event_type
        if event_type.schema is not None:
            self._versions[place] = [event_type.schema]

    def put_schema(
        self, organization_id: OrganizationId, event_id: EventTypeId, version: SchemaVersion
    ) -> None:
        event_type = self.find(organization_id, event_id)
        if event_type is None:
            raise LookupError(event_id)
        changed = msgspec.structs.replace(event_type, schema=version)
        place, name = (organization_id, event_id), (organization_id, event_type.name)
        self._by_id[place] = changed
        if self._current[name].event_id == event_id:
            self._current[name] = changed
        self._versions.setdefault(place, []).append(version)
        self._checks.pop(place, None)

    async def schema_versions(
        self, organization_id: OrganizationId, event_id: EventTypeId
    ) -> list[SchemaVersion]:
        return list(self._versions.get((organization_id, event_id), ()))

    def check_of(self, event_type: EventType) -> Check | None:
        if event_type.schema is None or event_type.schema.mode is SchemaMode.OFF:
            return None
        place = (event_type.organization_id, event_type.event_id)
        if place not in self._checks:
            self._checks[place] = _compiled(event_type.schema)
        return self._checks[place]

    def _add_globals(self, organization_id: OrganizationId) -> None:
        """An organization's own, because each may give them a schema of its own."""
        for event_type in global_event_types(organization_id):
            self._by_id.setdefault((organization_id, event_type.event_id), event_type)
            self._current.setdefault((organization_id, event_type.name), event_type)


def _compiled(schema: SchemaVersion) -> Check | None:
    """None where a schema that was once good is so no longer: an upgrade must not refuse events."""
    try:
        return compile_schema(schema.schema)
    except Refusal:
        return None
