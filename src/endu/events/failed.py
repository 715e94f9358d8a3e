"""Failed events: requests to record that were refused, kept whole until they pass or are let go."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from endu.events.event import FailedEvent, Seq
from endu.organizations.organization import OrganizationId
from endu.refusals import Reason

# A refusal for what an event says is kept with the event, to be looked at and sent again. The
# others are about the sender, or mean that it should send again itself.
KEPT_REASONS = frozenset(
    {
        Reason.MALFORMED_JSON,
        Reason.INVALID_EVENT,
        Reason.NOBODY_NAMED,
        Reason.UNKNOWN_EVENT_TYPE,
        Reason.UNKNOWN_C_USER_ID,
        Reason.SCHEMA_VIOLATION,
    }
)


class Failure(Struct, frozen=True):
    """A failed event with its place; `passed` is that of the event it became when replayed."""

    seq: Seq
    event: FailedEvent
    passed: Seq | None = None


class Passed(Struct, frozen=True):
    """The failed event at `seq` became the event at `passed`."""

    organization_id: OrganizationId
    seq: Seq
    passed: Seq


class Dropped(Struct, frozen=True):
    """An operator let go of these."""

    organization_id: OrganizationId
    seqs: tuple[int, ...]


class FailedEvents(Protocol):
    """Every method answers for one organization; another's places are unknown."""

    async def keep(
        self, added: Sequence[Failure], passed: Sequence[Passed], dropped: Sequence[Dropped]
    ) -> None:
        """All of it or nothing, in this order. Keeping it again changes nothing."""

    async def all(
        self, organization_id: OrganizationId, reason: str | None, after: int, limit: int
    ) -> list[Failure]:
        """Those behind `after` that have not passed, oldest first; None for any reason."""

    async def find(self, organization_id: OrganizationId, seqs: Sequence[int]) -> list[Failure]:
        """Those that are here, passed ones too, oldest first."""

    async def before(
        self, organization_id: OrganizationId, received_before_ms: int, limit: int
    ) -> list[Seq]:
        """Places of those that came before, passed ones too, oldest first."""

    async def count_before(self, organization_id: OrganizationId, received_before_ms: int) -> int:
        """How many those are."""

    async def counts(self, organization_id: OrganizationId) -> dict[str, int]:
        """By reason, without those that have passed."""
