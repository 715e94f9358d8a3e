"""What is done to the log besides appending to it: sealed frames leave the inbox, and records are
made to say less, or nothing any more."""

from collections.abc import Sequence, Set
from enum import Enum
from typing import Protocol
from zlib import crc32

import msgspec
from msgspec.structs import replace

from endu.events.bare import bare_of
from endu.events.event import (
    Erased,
    Event,
    FailedEvent,
    Record,
    Seq,
    decode_record,
    encode_record,
)
from endu.events.frame import Frame, read_frame, write_again
from endu.events.inbox import Found
from endu.organizations.organization import OrganizationId


class Leaves(Enum):
    """What stays of a record that is taken out of the log."""

    NOTHING = "nothing"  # but its place, its organization and its time
    EVIDENCE = "evidence"  # of an event: what identity follows from; of a refused one nothing


class LogEraser(Protocol):
    async def erase(self, places: Sequence[Seq], leaves: Leaves = Leaves.NOTHING) -> None:
        """Returns once the records at these places say no more than is left of them, in the inbox
        and in every sealed segment, durably. May be asked again; places stay taken, and one that
        was never used is no error. Raises NotDurable, LogUnreadable or what storage raises: then
        some of them may be as they were, and it is to be asked again."""


class InboxKeeper(Protocol):
    """What the one that writes the inbox does for those who keep the log."""

    async def drop(self, until: Seq) -> None:
        """Takes every frame up to `until` out of the inbox: they are sealed. Returns once that
        would survive a power cut; commits go on meanwhile. Raises NotDurable."""

    async def erase(self, places: Sequence[Seq], leaves: Leaves = Leaves.NOTHING) -> None:
        """As LogEraser.erase, in the inbox alone."""


def erased_in(frame: Frame, places: Set[int], leaves: Leaves) -> Frame:
    """The frame in which the records at these places say no more than is left of them."""
    before = read_frame(frame)
    found = [_left_of(each, leaves) if each.seq in places else each for each in before]
    return frame if found == before else write_again(frame, found)


def _left_of(found: Found, leaves: Leaves) -> Found:
    if leaves is Leaves.EVIDENCE and not found.intact:
        return found  # damage stays, and stays loud
    try:
        record = decode_record(found.record)
    except (msgspec.MsgspecError, ValueError, RecursionError):  # damaged: nothing of it can stay
        record = Erased(organization_id=OrganizationId(""), received_at_ms=0)
    encoded = encode_record(_evidence_of(record) if leaves is Leaves.EVIDENCE else _erased(record))
    return replace(found, record=encoded, check=crc32(encoded), intact=True)


def _evidence_of(record: Record) -> Record:
    if isinstance(record, Event):
        return bare_of(record)
    return _erased(record) if isinstance(record, FailedEvent) else record


def _erased(record: Record) -> Erased:
    return Erased(organization_id=record.organization_id, received_at_ms=record.received_at_ms)
