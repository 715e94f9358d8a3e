"""Giving out places in the log: who gets the next ones, and who was here before."""

from collections.abc import Mapping, Sequence
from typing import cast
from zlib import crc32

from msgspec import Struct

from endu.events.event import Seq
from endu.events.inbox import Entry, Kept, MessageKey


class Message(Struct, frozen=True):
    """The first time a message_id was used: what it said, and where that is kept."""

    body: bytes
    seq: Seq
    received_at_ms: int


class Places(Struct, frozen=True):
    """What is to be written, from the first free place on, and what to answer each entry."""

    kept: list[Kept]
    records: list[bytes]
    reused: list[bool]
    messages: dict[bytes, Message]  # used for the first time


def check_of(name: bytes, message: Message) -> int:
    """The CRC-32 of a message_id and of what is known of its first use."""
    numbers = b"".join(n.to_bytes(8, "big") for n in (message.seq, message.received_at_ms))
    return crc32(numbers, crc32(message.body, crc32(name)))


def keys_of(entries: Sequence[Entry]) -> list[MessageKey]:
    return [entry.message for entry in entries if entry.message is not None]


def give_places(first: int, entries: Sequence[Entry], known: Mapping[bytes, Message]) -> Places:
    """`known` has every message_id of the entries that was used in an earlier group.

    The same message_id with the same body is a duplicate and gets the place of the first one;
    with another body it is kept and marked.
    """
    places = Places([], [], [], {})
    for entry in entries:
        seq = Seq(first + len(places.records))
        before = _before(entry, seq, known, places.messages)
        if before is not None and entry.message is not None and before.body == entry.message.body:
            places.kept.append(Kept(before.seq, before.received_at_ms, duplicate=True))
            continue
        places.kept.append(Kept(seq, entry.received_at_ms, reused=before is not None))
        places.records.append(entry.record)
        places.reused.append(before is not None)
    return places


def give_places_to_new(first: int, entries: Sequence[Entry]) -> Places:
    """The same for entries none of which has a message_id: most groups are of these."""
    seqs = cast("Sequence[Seq]", range(first, first + len(entries)))
    return Places(
        [Kept(seq, entry.received_at_ms) for seq, entry in zip(seqs, entries, strict=True)],
        [entry.record for entry in entries],
        [False] * len(entries),
        {},
    )


def _before(
    entry: Entry, seq: Seq, known: Mapping[bytes, Message], new: dict[bytes, Message]
) -> Message | None:
    """The first use of the entry's message_id, if this is not it; then it is noted."""
    key = entry.message
    if key is None:
        return None
    before = known.get(key.message) or new.get(key.message)
    if before is None:
        new[key.message] = Message(key.body, seq, entry.received_at_ms)
    return before
