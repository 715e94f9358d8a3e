"""Letting events in, or saying why not: from a body to a place in the log."""

from collections.abc import Sequence
from typing import Literal, Protocol

from msgspec import Struct

from endu.event_types.catalog import Catalog
from endu.events.event import RecordId
from endu.events.inbox import Inbox
from endu.identities.identifier import Number
from endu.ids import Scramble
from endu.organizations.caller import Caller
from endu.organizations.organization import OrganizationId
from endu.refusals import Problem


class Numbers(Protocol):
    """The directory, as far as recording needs it."""

    async def knows_number(self, organization_id: OrganizationId, number: Number) -> bool:
        """Whether a c_user_id was ever issued or adopted here."""


class Sent(Struct, frozen=True):
    """How a request arrived. `idempotency_key` is the header, None without one."""

    received_at_ms: int
    idempotency_key: str | None = None


class Recorded(Struct, frozen=True):
    """What became of an accepted event. A duplicate has the record id of the first one."""

    record_id: RecordId
    duplicate: bool = False
    warnings: tuple[str, ...] = ()


class Result(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one event of a batch, as it stands in the answer's `data.results`."""

    result: Literal["ok", "duplicate", "refused", "retry"]
    record_id: RecordId | None = None
    failed_event_id: RecordId | None = None
    error: str = ""
    error_text: str = ""
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()


class Recorder:
    def __init__(
        self, catalog: Catalog, inbox: Inbox, numbers: Numbers, scramble: Scramble
    ) -> None:
        self._catalog = catalog
        self._inbox = inbox
        self._numbers = numbers
        self._scramble = scramble

    async def record(self, body: bytes, caller: Caller, sent: Sent) -> Recorded:
        """Returns once the event would survive a power cut; raises Refusal if it may not come in.

        What is refused for what it says is kept as a failed event before the Refusal is raised,
        and its data has `failed_event_id`.
        """
        raise NotImplementedError

    async def record_batch(self, body: bytes, caller: Caller, sent: Sent) -> Sequence[Result]:
        """A JSON array or NDJSON: one result for each event, in order.

        Raises Refusal only where no event could be told from the next (MALFORMED_JSON), the body
        is too large, the key may not record, or nothing could be kept (NOT_DURABLE).
        """
        raise NotImplementedError
