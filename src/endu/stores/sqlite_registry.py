"""Organizations, keys and event types in `registry.db`: read from memory, written through."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import msgspec
import sqlalchemy as sa

from endu.event_types.data_schema import Check
from endu.event_types.event_type import EventType, EventTypeId, SchemaVersion
from endu.organizations.keyring import Key, KeyId
from endu.organizations.organization import Organization, OrganizationId, OrganizationSettings
from endu.refusals import Reason, Refusal
from endu.stores import registry_rows as rows
from endu.stores.database import engine_of, migrate
from endu.stores.memory_registry import (
    MemoryCatalog,
    MemoryKeyring,
    MemoryOrganizations,
    MemoryRegistry,
)
from endu.stores.registry_file import read_registry
from endu.stores.registry_marks import mark_rows
from endu.stores.schema import event_types, keys, organizations, schema_versions
from endu.stores.sqlite import Error

Remember = Callable[[], None]


class SqliteRegistry:
    """Three ports over one file. Everything is loaded at open; writes are durable on return.
    `changed` is called once a change is durable, before whoever asked for it is told."""

    def __init__(self, engine: sa.Engine, loaded: MemoryRegistry, changed: Remember) -> None:
        self._writer = Writer(engine, changed)
        self.organizations = SqliteOrganizations(self._writer, loaded.organizations)
        self.keyring = SqliteKeyring(self._writer, loaded.keyring)
        self.catalog = SqliteCatalog(self._writer, loaded.catalog)

    async def close(self) -> None:
        """What is being written is written first."""
        await self._writer.close()


def nothing_changed() -> None:
    """What is done after a change where nobody else reads the file."""


def open_sqlite_registry(path: Path, changed: Remember = nothing_changed) -> SqliteRegistry:
    """Migrates the file where it is older, and loads it. Raises DatabaseTooNew."""
    migrate(path, "registry")
    return SqliteRegistry(engine_of(path), read_registry(path), changed)


class Writer:
    """The file's one connection, in a thread of its own. What is written is remembered next, even
    where whoever asked for it is gone by then: memory and file never disagree."""

    def __init__(self, engine: sa.Engine, changed: Remember) -> None:
        self._thread = ThreadPoolExecutor(1, "registry")
        self._engine = engine
        self._changed = changed
        self._under_way: set[asyncio.Task[None]] = set()

    async def write(self, statements: Sequence[sa.Executable], remember: Remember) -> None:
        """All of them in one transaction; returns once it would survive a power cut."""
        task = asyncio.create_task(self._write(statements, remember))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        await asyncio.shield(task)

    async def close(self) -> None:
        if self._under_way:
            await asyncio.wait(self._under_way)
        self._thread.shutdown()
        self._engine.dispose()

    async def _write(self, statements: Sequence[sa.Executable], remember: Remember) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._execute, statements)
        remember()
        self._changed()

    def _execute(self, statements: Sequence[sa.Executable]) -> None:
        try:
            with self._engine.begin() as connection:
                for statement in statements:
                    connection.execute(statement)
                mark_rows(connection)
            self._empty_wal()
        except sa.exc.OperationalError as fault:  # a full disk, a failed write
            raise Refusal(
                Reason.NOT_DURABLE,
                "The change could not be kept and was not made; send it again.",
                retry_after_seconds=1,
            ) from fault

    def _empty_wal(self) -> None:
        """What the WAL has is safe from power cuts, but a flipped byte there takes it back."""
        with self._engine.connect() as connection, suppress(Error):  # it is kept all the same
            connection.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


class SqliteOrganizations:
    def __init__(self, writer: Writer, memory: MemoryOrganizations) -> None:
        self._writer = writer
        self._memory = memory

    def find(self, organization_id: OrganizationId) -> Organization | None:
        return self._memory.find(organization_id)

    def all(self) -> list[Organization]:
        return self._memory.all()

    async def add(self, organization: Organization) -> None:
        statement = sa.insert(organizations).values(rows.organization_row(organization))
        await self._writer.write([statement], lambda: self._memory.put(organization))

    async def set(self, organization_id: OrganizationId, settings: OrganizationSettings) -> None:
        statement = (
            sa.update(organizations)
            .where(organizations.c.organization_id == organization_id)
            .values(settings=msgspec.json.encode(settings).decode(), mark=None)
        )
        await self._writer.write(
            [statement], lambda: self._memory.put_settings(organization_id, settings)
        )


class SqliteKeyring:
    def __init__(self, writer: Writer, memory: MemoryKeyring) -> None:
        self._writer = writer
        self._memory = memory

    def find(self, sha256: bytes) -> Key | None:
        return self._memory.find(sha256)

    def of(self, organization_id: OrganizationId) -> list[Key]:
        return self._memory.of(organization_id)

    async def add(self, key: Key) -> None:
        statement = sa.insert(keys).values(rows.key_row(key))
        await self._writer.write([statement], lambda: self._memory.put(key))

    async def revoke(self, key_id: KeyId, now_ms: int) -> None:
        statement = (
            sa.update(keys)
            .where(keys.c.key_id == key_id, keys.c.revoked_at_ms.is_(None))
            .values(revoked_at_ms=now_ms, mark=None)
        )
        await self._writer.write([statement], lambda: self._memory.put_revoked(key_id, now_ms))


class SqliteCatalog:
    def __init__(self, writer: Writer, memory: MemoryCatalog) -> None:
        self._writer = writer
        self._memory = memory

    def current(self, organization_id: OrganizationId, name: str) -> EventType | None:
        return self._memory.current(organization_id, name)

    def chain(self, organization_id: OrganizationId, name: str) -> Sequence[EventType]:
        return self._memory.chain(organization_id, name)

    def find(self, organization_id: OrganizationId, event_id: EventTypeId) -> EventType | None:
        return self._memory.find(organization_id, event_id)

    def all(self, organization_id: OrganizationId) -> list[EventType]:
        return self._memory.all(organization_id)

    def check_of(self, event_type: EventType) -> Check | None:
        return self._memory.check_of(event_type)

    async def add(self, event_type: EventType) -> None:
        statements: list[sa.Executable] = [
            sa.insert(event_types).values(rows.event_type_row(event_type))
        ]
        if event_type.schema is not None:
            row = rows.version_row(
                event_type.organization_id, event_type.event_id, event_type.schema
            )
            statements.append(sa.insert(schema_versions).values(row))
        await self._writer.write(statements, lambda: self._memory.put(event_type))

    async def set_schema(
        self, organization_id: OrganizationId, event_id: EventTypeId, version: SchemaVersion
    ) -> None:
        row = rows.version_row(organization_id, event_id, version)
        await self._writer.write(
            [sa.insert(schema_versions).values(row)],
            lambda: self._memory.put_schema(organization_id, event_id, version),
        )

    async def schema_versions(
        self, organization_id: OrganizationId, event_id: EventTypeId
    ) -> list[SchemaVersion]:
        return await self._memory.schema_versions(organization_id, event_id)
