"""The usual event, judged at the door by what the registry holds at that moment."""

import logging
from collections.abc import Callable, Sequence
from functools import partial

from msgspec import Struct

from endu.door.connection import Told
from endu.door.heads import HEADS_AT_MOST, Head, Request
from endu.door.numbers import SharedNumbers
from endu.events.admission import Admitted
from endu.events.inbox import Kept, NotDurable
from endu.events.recorder import Recorder, Sent
from endu.organizations.caller import Caller
from endu.refusals import Reason, Refusal
from endu.stores.data_directory import DataDirectory
from endu.stores.registry_file import read_registry
from endu.stores.sqlite_inbox import SqliteInbox
from endu.stores.sqlite_numbers import NumbersAtHand
from endu.web.buckets import Left, Rates
from endu.web.callers import Callers

logger = logging.getLogger(__name__)


class _Sender(Struct, frozen=True):
    """What a head says of each request that it begins, by the registry as it was read."""

    caller: Caller
    idempotency_key: str | None


class Recording:
    """The registry is the other process's: what is read of it here is read again, before anything
    is judged by it, once it has changed."""

    def __init__(
        self,
        data: DataDirectory,
        inbox: SqliteInbox,
        shared: SharedNumbers,
        rates: Rates,
        now_ms: Callable[[], int],
    ) -> None:
        self._data = data
        self._inbox = inbox
        self._shared = shared
        self._rates = rates
        self._now_ms = now_ms
        self._known = NumbersAtHand(data.directory)
        self._read_registry()

    def record(self, request: Request, peer: str, told: Told) -> bool | Left:
        """As Behind.record."""
        if self._shared.closed:
            return False
        if self._version != self._shared.registry:
            self._read_registry()
        now_ms = self._now_ms()
        try:
            sender = self._senders.get(request.head) or self._sender_of(request.head)
            left = self._rates.of_event(sender.caller, now_ms)
            if left is not None and not left.allowed:
                return self._turn_away(left)
            if self._keep(request.body, sender, now_ms, told):
                return left or True
            self._rates.give_back(sender.caller)
        except Refusal as refusal:  # nobody sends with such a head
            if refusal.reason is Reason.UNKNOWN_KEY:
                left = self._rates.why_not(peer, request.head.headers, now_ms)
                return self._turn_away(left) if left else False
        except Exception:  # our own mistake: it happens again where it is answered
            logger.exception("An event could not be judged at the door; it is handed over")
        return False

    def close(self) -> None:
        self._known.close()

    def _sender_of(self, head: Head) -> _Sender:
        """Raises Refusal."""
        key = head.headers.get(b"idempotency-key")
        caller = self._callers.caller(head.headers)
        if len(self._senders) >= HEADS_AT_MOST:
            self._senders.clear()
        sender = _Sender(caller, None if key is None else key.decode("latin-1"))
        self._senders[head] = sender
        return sender

    def _keep(self, body: bytes, sender: _Sender, now_ms: int, told: Told) -> bool:
        sent = Sent(now_ms, sender.idempotency_key)
        admitted = self._recorder.admit_at_once(body, sender.caller, sent)
        if admitted is None:
            return False
        try:
            self._inbox.post([admitted.entry], partial(self._tell, told, admitted))
        except NotDurable:
            return False
        return True

    def _tell(self, told: Told, admitted: Admitted, kept: Sequence[Kept] | NotDurable) -> None:
        if isinstance(kept, NotDurable):
            told(kept)
        else:
            self._shared.count(kept[0].duplicate)
            told(self._recorder.recorded(admitted, kept[0]))

    def _turn_away(self, left: Left) -> Left:
        self._shared.count_limited()
        return left

    def _read_registry(self) -> None:
        self._version = self._shared.registry  # first: a change meanwhile is seen next time
        self._known.forget()  # somebody may have been erased
        self._senders: dict[Head, _Sender] = {}
        registry = read_registry(self._data.registry)
        self._callers = Callers(registry.keyring, registry.organizations)
        self._recorder = Recorder(registry.catalog, self._inbox, self._known, self._inbox.scramble)
