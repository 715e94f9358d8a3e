"""Recording one event without ASGI: from the bytes of a request to the bytes of its answer.

Of what an event costs on the loop, ASGI's task, futures and messages are the greater part. The
usual event needs none of them: it is read, judged and posted where its last byte arrives, and
answered where its commit is told. Whatever is not usual goes the ordinary road, untouched, and
that road alone knows what to say of it.
"""

from collections import Counter
from collections.abc import Callable

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from endu.events.recorded import Recorded
from endu.events.recorder import Recorder, Sent
from endu.refusals import Refusal
from endu.web.callers import Callers
from endu.web.known_heads import KnownHeads

PATH = "/events/record"

# An event that is larger is unusual, and one that is read in many pieces needs a road that can
# stop reading.
BODY_BYTES_AT_MOST = 32 * 1024

# Who sends these needs something done to the body, or something said, that only the ordinary
# road does.
UNUSUAL_HEADERS = frozenset({b"content-encoding", b"origin", b"expect", b"upgrade"})

Answer = Callable[[bytes | None], None]


class ShortRoad:
    """`outcomes` counts what became of each event, as the door's do."""

    def __init__(
        self,
        callers: Callers,
        recorder: Recorder,
        now_ms: Callable[[], int],
        outcomes: Counter[str],
    ) -> None:
        self._callers = callers
        self._recorder = recorder
        self._now_ms = now_ms
        self._outcomes = outcomes
        self.heads = KnownHeads()

    def is_open_to(self, cycle: RequestResponseCycle) -> bool:
        """By its head alone: whether the request may be a usual one."""
        scope = cycle.scope
        if scope["path"] != PATH or scope["method"] != "POST":
            return False
        names = [name for name, _ in scope["headers"]]
        return b"authorization" in names and UNUSUAL_HEADERS.isdisjoint(names)

    def take(self, cycle: RequestResponseCycle, answer: Answer) -> bool:
        """Posts the event of a request that is whole; `answer` is called in a later turn of the
        loop, with None where the event is not kept. False where nothing was done."""
        headers = dict(cycle.scope["headers"])
        key = headers.get(b"idempotency-key")
        try:
            caller = self._callers.caller(headers)
        except Refusal:
            return False
        sent = Sent(self._now_ms(), None if key is None else key.decode("latin-1"))

        def told(recorded: Recorded | None) -> None:
            answer(None if recorded is None else self._accepted(recorded))

        return self._recorder.record_soon(bytes(cycle.body), caller, sent, told)

    def _accepted(self, recorded: Recorded) -> bytes:
        """The head of the answer, but for its end."""
        self._outcomes["duplicate" if recorded.duplicate else "accepted"] += 1
        head = b"%scontent-length: 0\r\nendu-record-id: %s\r\n" % (
            STATUS_LINE[200],
            recorded.record_id.encode(),
        )
        if recorded.warnings:
            head += b"endu-warning: %s\r\n" % ", ".join(recorded.warnings).encode()
        return head
