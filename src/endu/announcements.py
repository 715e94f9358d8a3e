"""What the assembly tells whoever started it: it runs, someone came, so much is done."""

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct


class Started(Struct, frozen=True, kw_only=True):
    """The server answers. The two keys are given once, at the first start, and None after."""

    address: str  # "http://127.0.0.1:8400", with the port that was really bound
    organization_id: str
    property_id: str
    secret_key: str | None
    publishable_key: str | None
    first_start: bool


class FirstEvent(Struct, frozen=True, kw_only=True):
    """The first event this instance ever settled, and whose it is (None: it names nobody)."""

    event_type: str
    record_id: str
    identifiers: tuple[str, ...]
    c_user_id: str | None


Announce: TypeAlias = Callable[[Started | FirstEvent], None]

# What is being done, how many are done, of how many.
Progress: TypeAlias = Callable[[str, int, int], None]


class CannotRun(Exception):
    """The directory or the machine does not allow it. The text is one sentence that says what
    to do: another server is on the directory, it cannot be written, the port is taken."""


class Damage(Struct, frozen=True):
    """One thing that is not as it was written: where, and what is wrong."""

    where: str
    what: str


class Verified(Struct, frozen=True, kw_only=True):
    """What `verify` read: records of the log, events of the ledger, and what it found."""

    records: int
    events: int
    damage: tuple[Damage, ...]


class Rebuilt(Struct, frozen=True, kw_only=True):
    """What `rebuild` settled again from the log; `set_aside` could not be settled."""

    records: int
    events: int
    set_aside: int
