"""Where settled events are kept and questions about them are asked."""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Any, Protocol

from msgspec import Struct
from msgspec.structs import replace

from endu.events.event import BareEvent, Event, Seq
from endu.identities.identifier import Number, Subject

# The dictionaries that questions look subjects and single events up in.
OWNERS = "endu.owners"
VISITS = "endu.visits"
NUMBERS = "endu.numbers"


class Visited(Enum):
    """Which events of an organization may be somebody else's than their subject says."""

    NONE = auto()
    ON_DEVICES = auto()  # only those that name nothing but a device (R6)
    ANY = auto()  # those of blocked identifiers, too (R9)


class SettledEvent(Struct, frozen=True, gc=False):
    """An event, or what is left of one, with the subjects of its identifiers. None of this ever
    changes.

    `subject` is that of the deciding identifier, 0 where nobody is named. `others` are those of
    its other strong identifiers, `fingerprint` that of its fingerprint, 0 without one.
    """

    seq: Seq
    event: Event | BareEvent
    check: int  # CRC-32 of the record in the log; of what is left of one see events/bare.py
    reused: bool
    subject: Subject
    others: tuple[Subject, ...]
    fingerprint: Subject


class OwnerChange(Struct, frozen=True, array_like=True, gc=False):
    """From now on `subject` is `identity`. Versions grow; the greatest one holds."""

    subject: Subject
    identity: Subject
    version: int


class VisitChange(Struct, frozen=True, array_like=True, gc=False):
    """An event of a shared device: it is `subject`'s, or its own subject's again (0)."""

    seq: Seq
    subject: Subject
    version: int


class Answered(Struct, frozen=True):
    """Rows, and what they cost: how many rows were read for them, and for how long."""

    rows: list[tuple[Any, ...]]
    rows_read: int
    elapsed_ms: float


class BroughtNumber(Struct, frozen=True, gc=False):
    """`subject` goes by a number that a caller brought, and not by its own. That never changes."""

    subject: Subject
    number: Number


class Table(Struct, frozen=True):
    """An answer column by column, under its own names, with ClickHouse's names of the types.

    Times are aware of their zone; text that is no UTF-8 comes as its hexadecimal digits.
    """

    names: tuple[str, ...]
    types: tuple[str, ...]
    columns: Sequence[Sequence[Any]]
    rows_read: int
    elapsed_ms: float

    @property
    def rows(self) -> int:
        return len(self.columns[0]) if self.columns else 0

    def first(self, rows: int) -> "Table":
        return replace(self, columns=[column[:rows] for column in self.columns])


class LostPart(Struct, frozen=True):
    """A part of a table that could not be read and was taken out: its rows are missing."""

    table: str
    name: str


class LedgerDamaged(Exception):
    """What was written is not what is there: the batch has to be tried again."""


class Bound(Enum):
    """What a question can ask too much of."""

    TIME = auto()
    SIZE = auto()  # memory, or what is read and answered
    NUMBER = auto()  # questions at once
    DISK = auto()  # it is nearly full, and the question set something aside on it, or would


class TooDear(Exception):
    """The question ran into one of its bounds."""

    def __init__(self, bound: Bound, text: str) -> None:
        super().__init__(text)
        self.bound = bound


class CannotAnswer(Exception):
    """SQL that the ledger cannot run. `code` is ClickHouse's, 0 where there is none; the text is
    the engine's own, and speaks of whatever it was given."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def owner_sql(subject: str) -> str:
    """Whose a subject is now: the number that names the identity, 0 for nobody."""
    return f"dictGetOrDefault('{OWNERS}', 'identity', {subject}, {subject})"


def subject_sql(visited: Visited, event: str = "") -> str:
    """Which subject an event counts for. `event` is what the table's columns are called by, with
    its dot. Looking up only what may be there matters: for every row of a bare count of people
    it would cost two thirds of that count."""
    looked_up = f"dictGetOrDefault('{VISITS}', 'subject', {event}seq, {event}subject)"
    if visited is Visited.ON_DEVICES:
        return f"if({event}device_only, {looked_up}, {event}subject)"
    return looked_up if visited is Visited.ANY else f"{event}subject"


def who_sql(visited: Visited) -> str:
    """Whose an event is now, for SELECTs over the events' table; 0 for nobody."""
    return owner_sql(subject_sql(visited))


class Ledger(Protocol):
    async def append(self, source: int, rows: Sequence[SettledEvent]) -> None:
        """Writes the rows in one insert and reads them back (count and sum of checks, no empty
        file). Raises LedgerDamaged, or the store's own error, with any part of them written:
        the caller asks `present` before it tries again."""

    async def present(self, source: int, first: Seq, last: Seq) -> set[int]:
        """Which places of the range are in the ledger, bare events among them."""

    async def last(self, source: int) -> int:
        """The greatest place that is in the ledger; 0 without any."""

    async def set_owners(self, changes: Sequence[OwnerChange]) -> None:
        """Writing a change again changes nothing."""

    async def set_visits(self, changes: Sequence[VisitChange]) -> None:
        """Writing a change again changes nothing."""

    async def set_numbers(self, numbers: Sequence[BroughtNumber]) -> None:
        """Writing one again changes nothing. Every later question sees them."""

    async def versions(self) -> tuple[int, int]:
        """The greatest versions of owners and of visits that are written; 0 without any."""

    async def refresh(self) -> None:
        """Every later question sees all owners and visits that are written."""

    async def ask(self, sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """ClickHouse SQL with {name:Type} placeholders, the same embedded and clustered.

        Read-only and bounded in time, memory and number: raises TooDear. Cancelled, it ends.
        `endu.events` is the table; see `stores/ledger_tables.py` for its columns. `endu.seen` has
        who was seen when, bare events among them: `stores/ledger_bare.py`. For what is about a few
        events: neither recording nor questions about many make it wait.
        """

    async def answer(self, sql: str, values: Mapping[str, Any]) -> Answered:
        """As `ask`, with what it cost; for what may be about all events. It has handles of its own,
        and steps back behind recording and settling."""

    async def table(self, sql: str, values: Mapping[str, Any]) -> Table:
        """As `answer`, for SQL that others had a part in: its result is bounded in bytes too, and
        what cannot be run raises CannotAnswer. Dates without a zone are UTC's."""
