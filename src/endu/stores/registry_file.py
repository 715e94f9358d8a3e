"""All that `registry.db` holds, read at once: for whoever writes it, and for whoever only asks."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from endu.event_types.event_type import EventTypeId
from endu.organizations.organization import OrganizationId
from endu.stores import registry_rows as rows
from endu.stores.memory_registry import MemoryRegistry
from endu.stores.sqlite import Connection, connect

ORGANIZATIONS = "SELECT * FROM organizations ORDER BY created_at_ms, rowid"
KEYS = "SELECT * FROM keys ORDER BY created_at_ms, rowid"
EVENT_TYPES = "SELECT * FROM event_types ORDER BY position"
SCHEMA_VERSIONS = "SELECT * FROM schema_versions ORDER BY version"


def read_registry(path: Path) -> MemoryRegistry:
    """As of one moment."""
    registry = MemoryRegistry()
    with closing(connect(path)) as connection:
        connection.execute("BEGIN")
        for row in _rows(connection, ORGANIZATIONS):
            registry.organizations.put(rows.organization_of(row))
        for row in _rows(connection, KEYS):
            registry.keyring.put(rows.key_of(row))
        for row in _rows(connection, EVENT_TYPES):
            registry.catalog.put(rows.event_type_of(row))
        for row in _rows(connection, SCHEMA_VERSIONS):
            registry.catalog.put_schema(
                OrganizationId(row["organization_id"]),
                EventTypeId(row["event_id"]),
                rows.version_of(row),
            )
    return registry


def _rows(connection: Connection, sql: str) -> Iterator[rows.Row]:
    found = connection.execute(sql)
    names = [column[0] for column in found.description]
    for row in found:
        yield dict(zip(names, row, strict=True))
