"""Organizations, keys and event types in `registry.db`: read from memory, written through."""

from pathlib import Path

from endu.event_types.catalog import Catalog
from endu.organizations.keyring import Keyring
from endu.organizations.organization import Organizations


class SqliteRegistry:
    """Three ports over one file. Everything is loaded at open; writes are durable on return."""

    organizations: Organizations
    keyring: Keyring
    catalog: Catalog

    async def close(self) -> None:
        """What is being written is written first."""
        raise NotImplementedError


def open_sqlite_registry(path: Path) -> SqliteRegistry:
    """Migrates the file where it is older, and loads it. Raises DatabaseTooNew."""
    raise NotImplementedError
