"""Organizations, keys and event types as rows of `registry.db`, and back."""

from typing import Any

import msgspec

from endu.event_types.event_type import EventType, EventTypeId, SchemaMode, SchemaVersion
from endu.organizations.keyring import Key, KeyId, KeyKind, Scope
from endu.organizations.organization import Organization, OrganizationId, OrganizationSettings

Row = dict[str, Any]


def organization_row(organization: Organization) -> Row:
    return {
        "organization_id": organization.organization_id,
        "name": organization.name,
        "created_at_ms": organization.created_at_ms,
        "settings": msgspec.json.encode(organization.settings).decode(),
    }


def organization_of(row: Row) -> Organization:
    return Organization(
        OrganizationId(row["organization_id"]),
        row["name"],
        row["created_at_ms"],
        msgspec.json.decode(row["settings"], type=OrganizationSettings),
    )


def key_row(key: Key) -> Row:
    return {
        "key_id": key.key_id,
        "organization_id": key.organization_id,
        "kind": key.kind.value,
        "scopes": " ".join(sorted(key.scopes)),
        "sha256": key.sha256,
        "hint": key.hint,
        "name": key.name,
        "origins": " ".join(key.origins),
        "created_at_ms": key.created_at_ms,
        "revoked_at_ms": key.revoked_at_ms,
    }


def key_of(row: Row) -> Key:
    return Key(
        key_id=KeyId(row["key_id"]),
        organization_id=OrganizationId(row["organization_id"]),
        kind=KeyKind(row["kind"]),
        scopes=frozenset(Scope(scope) for scope in row["scopes"].split()),
        sha256=row["sha256"],
        hint=row["hint"],
        name=row["name"],
        origins=tuple(row["origins"].split()),
        created_at_ms=row["created_at_ms"],
        revoked_at_ms=row["revoked_at_ms"],
    )


def event_type_row(event_type: EventType) -> Row:
    return {
        "event_id": event_type.event_id,
        "organization_id": event_type.organization_id,
        "name": event_type.name,
        "display_name": event_type.display_name,
        "created_at_ms": event_type.created_at_ms,
        "previous": event_type.previous,
    }


def event_type_of(row: Row) -> EventType:
    """Without its schema, which is a row of its own."""
    previous = row["previous"]
    return EventType(
        event_id=EventTypeId(row["event_id"]),
        organization_id=OrganizationId(row["organization_id"]),
        name=row["name"],
        display_name=row["display_name"],
        created_at_ms=row["created_at_ms"],
        previous=None if previous is None else EventTypeId(previous),
    )


def version_row(
    organization_id: OrganizationId, event_id: EventTypeId, version: SchemaVersion
) -> Row:
    return {
        "event_id": event_id,
        "organization_id": organization_id,
        "version": version.version,
        "schema": msgspec.json.encode(version.schema).decode(),
        "mode": version.mode.value,
        "created_at_ms": version.created_at_ms,
    }


def version_of(row: Row) -> SchemaVersion:
    return SchemaVersion(
        row["version"],
        msgspec.json.decode(row["schema"]),
        SchemaMode(row["mode"]),
        row["created_at_ms"],
    )
