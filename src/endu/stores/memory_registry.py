"""Organizations, keys and event types in memory: what every registry answers from."""

from endu.event_types.catalog import Catalog
from endu.organizations.keyring import Keyring
from endu.organizations.organization import Organizations


class MemoryRegistry:
    """Forgets everything with the process."""

    organizations: Organizations
    keyring: Keyring
    catalog: Catalog
