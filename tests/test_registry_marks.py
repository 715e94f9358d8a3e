"""A row of the registry that is not as it was written is named."""

import os
from contextlib import closing
from pathlib import Path

import pytest

from endu.event_types.event_type import EventTypeId, SchemaMode, SchemaVersion
from endu.organizations.keyring import KeyKind, mint_key
from endu.organizations.organization import Organization, OrganizationId, OrganizationSettings
from endu.stores.registry_marks import wrong_rows
from endu.stores.soundness import unsound
from endu.stores.sqlite import connect
from endu.stores.sqlite_registry import open_sqlite_registry
from tests.running import endu, running

A = OrganizationId("A")


async def written(path: Path) -> None:
    registry = open_sqlite_registry(path)
    await registry.organizations.add(Organization(A, "a", 1))
    await registry.organizations.set(A, OrganizationSettings(event_bytes_at_most=2_000))
    _, key = mint_key(KeyKind.SECRET, A, 1, os.urandom)
    await registry.keyring.add(key)
    await registry.keyring.revoke(key.key_id, 2)
    version = SchemaVersion(1, {"type": "object"}, SchemaMode.FLAG, 1)
    await registry.catalog.set_schema(A, EventTypeId("BEGIN_EVENT"), version)
    await registry.close()


def change(path: Path, sql: str) -> None:
    with closing(connect(path)) as connection:
        connection.execute(sql)


async def test_what_was_written_and_changed_in_order_is_sound(tmp_path: Path) -> None:
    await written(tmp_path / "registry.db")
    assert unsound(tmp_path / "registry.db", wrong_rows) == []


@pytest.mark.parametrize(
    ("table", "changed"),
    [
        ("organizations", "organization_id = 'B'"),
        ("organizations", "settings = replace(settings, '2000', '2001')"),
        ("organizations", "created_at_ms = 2"),
        ("organizations", "mark = mark + 1"),
        ("keys", "sha256 = zeroblob(32)"),
        ("keys", "revoked_at_ms = NULL"),
        ("keys", "scopes = ''"),
        ("schema_versions", "mode = 'off'"),
    ],
)
async def test_a_row_that_says_something_else_is_named(
    tmp_path: Path, table: str, changed: str
) -> None:
    path = tmp_path / "registry.db"
    await written(path)
    change(path, f"UPDATE {table} SET {changed}")
    (said,) = unsound(path, wrong_rows)
    assert said.startswith(f"{table}: ")


async def test_rows_of_a_version_that_knew_no_marks_get_theirs_with_the_next_change(
    tmp_path: Path,
) -> None:
    path = tmp_path / "registry.db"
    await written(path)
    change(path, "UPDATE keys SET mark = NULL, name = 'theirs'")
    assert unsound(path, wrong_rows) == []
    registry = open_sqlite_registry(path)
    await registry.organizations.set(A, OrganizationSettings())
    await registry.close()
    change(path, "UPDATE keys SET name = 'ours'")
    assert unsound(path, wrong_rows) != []


def test_verify_names_it(tmp_path: Path) -> None:
    with running(tmp_path):
        pass
    change(tmp_path / "registry.db", "UPDATE keys SET hint = 'other'")
    said = endu("verify", "--data", str(tmp_path))
    assert said.returncode == 4
    assert "registry.db: keys: " in said.stdout
