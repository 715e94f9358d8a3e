"""The young end of the log: where a record becomes durable, and where the settler takes it."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from msgspec import Struct

from endu.events.event import Seq
from endu.refusals import Reason, Refusal


class MessageKey(Struct, frozen=True):
    """For deduplication: `message` names (organization, message_id), `body` what it said.

    Both are digests; equal `message` with equal `body` is the same event sent again.
    """

    message: bytes  # 16 bytes
    body: bytes  # 8 bytes


class Entry(Struct, frozen=True, gc=False):
    """What a caller wants kept."""

    record: bytes
    received_at_ms: int
    message: MessageKey | None = None


class Kept(Struct, frozen=True, gc=False):
    """What was made of an entry. A duplicate carries the place and time of the first one."""

    seq: Seq
    received_at_ms: int
    duplicate: bool = False
    reused: bool = False  # the message_id came before with another body; kept all the same


class Found(Struct, frozen=True, gc=False):
    """One record as it lies in the log, with its CRC-32 as it was written there.

    `intact` is false where the record's bytes no longer have that check sum.
    """

    seq: Seq
    record: bytes
    check: int
    reused: bool
    intact: bool


class NotDurable(Exception):
    """The storage failed or is closing: nothing of what was asked is kept."""


class NoSpace(NotDurable):
    """The disk has too little space left: nothing was even tried."""


class MaybeKept(NotDurable):
    """The storage failed so that only its next start shows whether what was asked is kept."""


Told = Callable[[Sequence[Kept] | NotDurable], None]


class LogUnreadable(Exception):
    """The storage cannot even tell which records come next."""


# What a caller may be told of that.
NOT_ACKNOWLEDGED = (Reason.NOT_DURABLE, Reason.DISK_FULL, Reason.MAYBE_KEPT)

# How soon they may come again: a failed commit may have been the only one; space takes somebody
# to make it.
AFTER_FAILURE_SECONDS, AFTER_NO_SPACE_SECONDS = 1, 5


def refusal_of(fault: NotDurable) -> Refusal:
    """One of NOT_ACKNOWLEDGED."""
    if isinstance(fault, NoSpace):
        return Refusal(Reason.DISK_FULL, retry_after_seconds=AFTER_NO_SPACE_SECONDS)
    reason = Reason.MAYBE_KEPT if isinstance(fault, MaybeKept) else Reason.NOT_DURABLE
    return Refusal(reason, retry_after_seconds=AFTER_FAILURE_SECONDS)


class Inbox(Protocol):
    async def append(self, entries: Sequence[Entry]) -> list[Kept]:
        """Returns once all entries would survive a power cut, and not before; all or none.

        Callers that come while one commit is on its way share the next. Places are handed out
        in the order of the calls. Raises NotDurable, NoSpace and MaybeKept among it.
        """

    def post(self, entries: Sequence[Entry], told: Told) -> None:
        """The same for those who do not wait: `told` is called in a later turn of the loop, with
        why not where nothing may be said to be kept. Raises NotDurable where that is so at once."""

    async def take(self, after: Seq, limit: int) -> list[Found]:
        """The oldest records behind `after`, about `limit` of them (whole groups), in order.

        Taking removes nothing. Never returns what is not yet durable. Raises LogUnreadable.
        """

    async def arrival(self, after: Seq) -> None:
        """Returns once there is something behind `after` to take."""

    @property
    def end(self) -> Seq:
        """The last place that is durable; 0 for an empty log."""

    @property
    def source(self) -> int:
        """Which inbox this is (0 to 4095): places of different inboxes are different things."""


async def posted(inbox: Inbox, entries: Sequence[Entry]) -> list[Kept]:
    """Waits for what `post` tells: an inbox's `append`. Raises NotDurable."""
    promise: asyncio.Future[list[Kept]] = asyncio.get_running_loop().create_future()
    inbox.post(entries, partial(_keep_promise, promise))
    return await promise


def _keep_promise(promise: asyncio.Future[list[Kept]], kept: Sequence[Kept] | NotDurable) -> None:
    if promise.done():  # the caller hung up meanwhile
        return
    if isinstance(kept, NotDurable):
        promise.set_exception(kept)
    else:
        promise.set_result(list(kept))
