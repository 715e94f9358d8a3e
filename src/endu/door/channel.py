"""What the two processes say to each other, and the socket on which they say it."""

import asyncio
import struct
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from endu.events.event import Seq
from endu.events.inbox import Entry, Kept, MaybeKept, NotDurable
from endu.events.keeping import Leaves
from endu.web.buckets import Left, OfKey, OfStranger
from endu.web.crowd import Reception

FAILED = "The log could not be written; send it again."

_LENGTH = struct.Struct("<I")


class OpenLog(Struct, frozen=True, tag="open-log"):
    """To the door: the data directory is ready. `floor` is the last place that was settled."""

    data: str
    randomness: bytes
    source: int
    floor: int


class LogOpened(Struct, frozen=True, tag="log-opened"):
    secret: bytes
    source: int


class CannotOpen(Struct, frozen=True, tag="cannot-open"):
    """The log cannot be used, and why: a sentence for whoever started Endu."""

    problem: str


class Listen(Struct, frozen=True, tag="listen"):
    """To the door: let people in."""

    reception: Reception


class Listening(Struct, frozen=True, tag="listening"):
    pass


class Append(Struct, frozen=True, tag="append"):
    """To the door: keep these. It answers each with an Appended, in order."""

    entries: Sequence[Entry]


class Appended(Struct, frozen=True, tag="appended"):
    """Where nothing is said to be kept, it is not, unless it `may` be."""

    kept: Sequence[Kept] | None
    may: bool = False

    @property
    def outcome(self) -> Sequence[Kept] | NotDurable:
        if self.kept is not None:
            return self.kept
        return MaybeKept(FAILED) if self.may else NotDurable(FAILED)


class Drop(Struct, frozen=True, tag="drop"):
    """To the door: frames up to here are sealed, and leave the inbox. It answers with a Done."""

    number: int
    until: Seq


class Erase(Struct, frozen=True, tag="erase"):
    """To the door: these records of the inbox say no more than is left of them. It answers with a
    Done."""

    number: int
    places: Sequence[Seq]
    leaves: Leaves


class Done(Struct, frozen=True, tag="done"):
    """What was asked under this number is done, or failed."""

    number: int
    well: bool


class Arrived(Struct, frozen=True, tag="arrived"):
    """There is more in the log than there was; how much more, the shared numbers tell."""


class Ask(Struct, frozen=True, tag="ask"):
    """An event that is no usual one, to be recorded or refused by the whole HTTP face."""

    number: int
    peer: str
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Answer(Struct, frozen=True, tag="answer"):
    """To the door: what goes back to whoever sent it, as bytes of HTTP."""

    number: int
    response: bytes


class HandedOver(Struct, frozen=True, tag="handed-over"):
    """What was read of a connection that comes over, under the same number, on the other socket."""

    number: int
    read: bytes


class Spend(Struct, frozen=True, tag="spend"):
    """To the door, which counts for both. It answers each with a Spent, in order."""

    asked: OfKey | OfStranger


class Spent(Struct, frozen=True, tag="spent"):
    left: Left | None


class LetNobodyIn(Struct, frozen=True, tag="let-nobody-in"):
    """To the door: answer what was sent, and close."""


class Empty(Struct, frozen=True, tag="empty"):
    """Nobody is at the door any more."""


class CloseLog(Struct, frozen=True, tag="close-log"):
    """To the door: the last thing. It ends, and with it the socket."""


Message: TypeAlias = (
    OpenLog
    | LogOpened
    | CannotOpen
    | Listen
    | Listening
    | Append
    | Appended
    | Drop
    | Erase
    | Done
    | Arrived
    | Ask
    | Answer
    | HandedOver
    | Spend
    | Spent
    | LetNobodyIn
    | Empty
    | CloseLog
)

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Message).decode


class Channel(asyncio.Protocol):
    """One end of it. `heard` is called with each message, `ended` once, when the other end is
    gone."""

    def __init__(self, heard: Callable[[Any], None], ended: Callable[[], None]) -> None:
        self._heard = heard
        self._ended = ended
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def say(self, message: Message) -> None:
        """Nothing where the other end is gone: `ended` has been called, or will be."""
        if not self._transport.is_closing():
            said = _encode(message)
            self._transport.write(_LENGTH.pack(len(said)) + said)

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._received += data
        start = 0
        while len(self._received) >= start + _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._received, start)
            end = start + _LENGTH.size + length
            if len(self._received) < end:
                break
            message = bytes(memoryview(self._received)[start + _LENGTH.size : end])
            start = end
            self._heard(_decode(message))
        del self._received[:start]

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended()
