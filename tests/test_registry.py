"""What every registry promises, in memory and in SQLite; and the migrations of both databases."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from endu.event_types.event_type import (
    GLOBAL_NAMES,
    EventType,
    EventTypeId,
    SchemaMode,
    SchemaVersion,
)
from endu.organizations.keyring import Key, KeyKind, Scope, hash_of, mint_key
from endu.organizations.organization import Organization, OrganizationId, OrganizationSettings
from endu.refusals import Reason, Refusal
from endu.stores.database import METADATA, DatabaseTooNew, Which, engine_of, migrate
from endu.stores.memory_registry import MemoryRegistry
from endu.stores.sqlite import connect
from endu.stores.sqlite_registry import SqliteRegistry, open_sqlite_registry

Registry = MemoryRegistry | SqliteRegistry

A, B = OrganizationId("A"), OrganizationId("B")


@pytest.fixture(params=["memory", "sqlite"])
async def registry(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Registry]:
    if request.param == "memory":
        yield MemoryRegistry()
        return
    opened = open_sqlite_registry(tmp_path / "registry.db")
    yield opened
    await opened.close()


async def test_a_change_is_in_the_file_itself_and_not_in_its_wal(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    registry = open_sqlite_registry(path)
    await registry.organizations.add(Organization(A, "a", 1))
    assert path.with_name("registry.db-wal").stat().st_size == 0
    await registry.close()


def key(organization_id: OrganizationId, at_ms: int, **fields: Any) -> tuple[str, Key]:
    text, made = mint_key(KeyKind.SECRET, organization_id, at_ms, os.urandom)
    return text, msgspec.structs.replace(made, **fields)


def event_type(organization_id: OrganizationId, event_id: str, name: str, **more: Any) -> EventType:
    return EventType(
        event_id=EventTypeId(event_id),
        organization_id=organization_id,
        name=name,
        display_name=name.title(),
        created_at_ms=5,
        **more,
    )


def version(number: int, schema: Any, mode: SchemaMode = SchemaMode.FLAG) -> SchemaVersion:
    return SchemaVersion(number, schema, mode, number)


async def test_organizations_are_found_and_listed_oldest_first(registry: Registry) -> None:
    made = [Organization(A, "a", 1), Organization(B, "b", 2)]
    for organization in made:
        await registry.organizations.add(organization)
    assert registry.organizations.all() == made
    assert registry.organizations.find(A) == made[0]
    assert registry.organizations.find(OrganizationId("C")) is None


async def test_settings_are_seen_at_once(registry: Registry) -> None:
    await registry.organizations.add(Organization(A, "a", 1))
    settings = OrganizationSettings(record_always_200=True, event_types_at_most=7)
    await registry.organizations.set(A, settings)
    found = registry.organizations.find(A)
    assert found and found.settings == settings


async def test_a_key_is_found_by_its_hash_until_it_is_revoked(registry: Registry) -> None:
    text, made = key(A, 1, scopes=frozenset({Scope.READ}), origins=("https://a", "https://b"))
    _, other = key(A, 2)
    await registry.keyring.add(made)
    await registry.keyring.add(other)
    assert registry.keyring.find(hash_of(text)) == made
    await registry.keyring.revoke(made.key_id, 7)
    await registry.keyring.revoke(made.key_id, 9)
    assert registry.keyring.find(hash_of(text)) is None
    assert registry.keyring.of(A) == [msgspec.structs.replace(made, revoked_at_ms=7), other]
    assert registry.keyring.of(B) == []


async def test_global_types_are_in_every_organization_from_the_start(registry: Registry) -> None:
    for name in GLOBAL_NAMES:
        found = registry.catalog.current(A, name)
        assert found and found.name == name
        assert registry.catalog.find(A, EventTypeId(name)) == found
        assert registry.catalog.chain(A, name) == [found]
    assert [each.name for each in registry.catalog.all(B)] == list(GLOBAL_NAMES)


async def test_an_overwritten_name_keeps_its_chain(registry: Registry) -> None:
    first = event_type(A, "1", "X")
    second = event_type(A, "2", "X", previous=first.event_id)
    for each in (first, second):
        await registry.catalog.add(each)
    assert registry.catalog.current(A, "X") == second
    assert registry.catalog.chain(A, "X") == [first, second]
    assert registry.catalog.find(A, first.event_id) == first
    assert registry.catalog.all(A)[len(GLOBAL_NAMES) :] == [first, second]


async def test_another_organizations_types_are_unknown(registry: Registry) -> None:
    await registry.catalog.add(event_type(A, "1", "X"))
    assert registry.catalog.current(B, "X") is None
    assert registry.catalog.find(B, EventTypeId("1")) is None
    assert list(registry.catalog.chain(B, "X")) == []


async def test_a_schema_in_force_is_checked_and_the_former_ones_are_kept(
    registry: Registry,
) -> None:
    versions = [version(1, {"a": "string"}), version(2, {"b": "string"}, SchemaMode.REFUSE)]
    await registry.catalog.add(event_type(A, "1", "X", schema=versions[0]))
    await registry.catalog.set_schema(A, EventTypeId("1"), versions[1])
    current = registry.catalog.current(A, "X")
    assert current and current.schema == versions[1]
    check = registry.catalog.check_of(current)
    assert check and [found.path for found in check({})] == ["event_data.b"]
    assert registry.catalog.check_of(current) is check
    assert await registry.catalog.schema_versions(A, EventTypeId("1")) == versions


async def test_a_former_registration_gets_a_schema_without_coming_back(
    registry: Registry,
) -> None:
    await registry.catalog.add(event_type(A, "1", "X"))
    await registry.catalog.add(event_type(A, "2", "X"))
    await registry.catalog.set_schema(A, EventTypeId("1"), version(1, {}))
    current = registry.catalog.current(A, "X")
    assert current and current.event_id == "2"


async def test_each_organization_has_its_own_schema_of_a_global_type(registry: Registry) -> None:
    name = GLOBAL_NAMES[0]
    await registry.catalog.set_schema(A, EventTypeId(name), version(1, {"a": "string"}))
    found = {each: registry.catalog.current(each, name) for each in (A, B)}
    assert [each and each.schema and each.schema.version for each in found.values()] == [1, None]


async def test_everything_is_there_after_opening_again(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    registry = open_sqlite_registry(path)
    await registry.organizations.add(Organization(A, "a", 1))
    await registry.organizations.set(A, OrganizationSettings(unknown_c_user_id="refuse"))
    _, live = key(A, 1, name="ä", origins=("https://a",))
    _, dead = key(A, 2)
    for made in (live, dead):
        await registry.keyring.add(made)
    await registry.keyring.revoke(dead.key_id, 3)
    await registry.catalog.add(event_type(A, "1", "X", schema=version(1, {"a": "string"})))
    await registry.catalog.add(event_type(A, "2", "X", previous=EventTypeId("1")))
    await registry.catalog.set_schema(A, EventTypeId("2"), version(1, {"b": "string"}))
    await registry.catalog.set_schema(A, EventTypeId("BEGIN_EVENT"), version(1, {"c": "any"}))
    before = everything(registry)
    await registry.close()
    again = open_sqlite_registry(path)
    assert everything(again) == before
    await again.close()


def everything(registry: Registry) -> Any:
    return (
        registry.organizations.all(),
        registry.keyring.of(A),
        registry.catalog.all(A),
        registry.catalog.current(A, "X"),
    )


async def test_a_write_whose_caller_is_gone_is_remembered_all_the_same(tmp_path: Path) -> None:
    registry = open_sqlite_registry(tmp_path / "registry.db")
    adding = asyncio.create_task(registry.organizations.add(Organization(A, "a", 1)))
    await asyncio.sleep(0)
    adding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await adding
    await registry.close()
    assert registry.organizations.find(A)


async def test_a_write_that_fails_changes_nothing_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    registry = open_sqlite_registry(path)
    blocker = connect(path)
    blocker.executescript("DROP TABLE organizations")
    blocker.close()
    with pytest.raises(Refusal) as refused:
        await registry.organizations.add(Organization(A, "a", 1))
    assert refused.value.reason is Reason.NOT_DURABLE
    assert registry.organizations.find(A) is None
    await registry.close()


@pytest.mark.parametrize("which", get_args(Which))
def test_a_migrated_database_is_what_the_code_says(which: Which, tmp_path: Path) -> None:
    path = tmp_path / f"{which}.db"
    for _ in range(2):
        migrate(path, which)
    engine = engine_of(path)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, METADATA[which]) == []
    engine.dispose()


@pytest.mark.parametrize("which", get_args(Which))
def test_a_database_of_a_later_endu_is_refused_in_one_sentence(
    which: Which, tmp_path: Path
) -> None:
    path = tmp_path / f"{which}.db"
    migrate(path, which)
    connection = connect(path)
    connection.execute("UPDATE alembic_version SET version_num = 'from_the_future'")
    connection.close()
    with pytest.raises(DatabaseTooNew, match="later version of Endu"):
        migrate(path, which)


KILLED_AT = """
import os, signal, sys
from pathlib import Path
import sqlalchemy as sa
from endu.stores import database

def kill_at(statement):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)

left = [int(sys.argv[2])]
made = database.engine_of
def engine_of(path):
    engine = made(path)
    sa.event.listen(engine, "after_cursor_execute", lambda c, cursor, sql, *rest: kill_at(sql))
    return engine
database.engine_of = engine_of
database.migrate(Path(sys.argv[1]), "directory")
"""


@pytest.mark.parametrize("statement", [1, 3, 8, 14])
def test_a_migration_killed_in_the_middle_is_done_by_the_next_start(
    statement: int, tmp_path: Path
) -> None:
    path = tmp_path / "directory.db"
    killed = subprocess.run([sys.executable, "-c", KILLED_AT, str(path), str(statement)])
    assert killed.returncode == -signal.SIGKILL
    test_a_migrated_database_is_what_the_code_says("directory", tmp_path)
