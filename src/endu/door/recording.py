"""The usual event, judged at the door by what the registry holds at that moment."""

import logging
from collections.abc import Callable
from functools import partial

from endu.door.connection import Told
from endu.door.heads import Request
from endu.door.numbers import SharedNumbers
from endu.events.inbox import NotDurable
from endu.events.recorded import Recorded
from endu.events.recorder import Recorder, Sent
from endu.refusals import Reason, Refusal
from endu.stores.data_directory import DataDirectory
from endu.stores.registry_file import read_registry
from endu.stores.sqlite_inbox import SqliteInbox
from endu.stores.sqlite_numbers import NumbersAtHand
from endu.web.buckets import Left, Rates
from endu.web.callers import Callers

logger = logging.getLogger(__name__)


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
        key = request.headers.get(b"idempotency-key")
        now_ms = self._now_ms()
        sent = Sent(now_ms, None if key is None else key.decode("latin-1"))
        try:
            caller = self._callers.caller(request.headers)
            left = self._rates.of_event(caller, now_ms)
            if left is not None and not left.allowed:
                return self._turn_away(left)
            told = partial(self._tell, told)
            if self._recorder.record_soon(request.body, caller, sent, told):
                return left or True
            self._rates.give_back(caller)
            return False
        except Refusal as refusal:
            if refusal.reason is not Reason.UNKNOWN_KEY:
                return False
            left = self._rates.why_not(peer, request.headers, now_ms)
            return self._turn_away(left) if left else False
        except Exception:  # our own mistake: it happens again where it is answered
            logger.exception("An event could not be judged at the door; it is handed over")
            return False

    def close(self) -> None:
        self._known.close()

    def _turn_away(self, left: Left) -> Left:
        self._shared.count_limited()
        return left

    def _tell(self, told: Told, recorded: Recorded | NotDurable) -> None:
        if isinstance(recorded, Recorded):
            self._shared.count(recorded.duplicate)
        told(recorded)

    def _read_registry(self) -> None:
        self._version = self._shared.registry  # first: a change meanwhile is seen next time
        self._known.forget()  # somebody may have been erased
        registry = read_registry(self._data.registry)
        self._callers = Callers(registry.keyring, registry.organizations)
        self._recorder = Recorder(registry.catalog, self._inbox, self._known, self._inbox.scramble)
