"""What is done to the log besides appending to it: sealed frames leave the inbox, and records are
made to say nothing any more."""

from collections.abc import Sequence, Set
from typing import Protocol
from zlib import crc32

import msgspec
from msgspec.structs import replace

from endu.events.event import Erased, Seq, decode_record, encode_record
from endu.events.frame import Frame, read_frame, write_again
from endu.events.inbox import Found
from endu.organizations.organization import OrganizationId


class LogEraser(Protocol):
    async def erase(self, places: Sequence[Seq]) -> None:
        """Returns once the records at these places say nothing any more, in the inbox and in
        every sealed segment, durably. May be asked again; places stay taken, and one that was
        never used is no error. Raises NotDurable, LogUnreadable or what storage raises: then some
        of them may be left, and it is to be asked again."""


class InboxKeeper(Protocol):
    """What the one that writes the inbox does for those who keep the log."""

    async def drop(self, until: Seq) -> None:
        """Takes every frame up to `until` out of the inbox: they are sealed. Returns once that
        would survive a power cut; commits go on meanwhile. Raises NotDurable."""

    async def erase(self, places: Sequence[Seq]) -> None:
        """As LogEraser.erase, in the inbox alone."""


def erased_in(frame: Frame, places: Set[int]) -> Frame:
    """The frame in which the records at these places say nothing any more."""
    found = [_erased(each) if each.seq in places else each for each in read_frame(frame)]
    return write_again(frame, found)


def _erased(found: Found) -> Found:
    try:
        record = decode_record(found.record)
        left = Erased(organization_id=record.organization_id, received_at_ms=record.received_at_ms)
    except (msgspec.MsgspecError, ValueError, RecursionError):  # damaged: nothing of it can stay
        left = Erased(organization_id=OrganizationId(""), received_at_ms=0)
    encoded = encode_record(left)
    return replace(found, record=encoded, check=crc32(encoded), intact=True)
