"""POST /events/record and /events/record/batch, straight on ASGI: every microsecond counts here."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec
from msgspec import Struct

from endu.events.inbox import NOT_ACKNOWLEDGED
from endu.events.json_text import without_comments
from endu.events.recorder import Recorder, Sent
from endu.organizations.caller import Caller
from endu.refusals import Reason, Refusal
from endu.web.asgi import (
    JSON,
    AsgiScope,
    Header,
    Receive,
    Send,
    accepted_body,
    refusal_body,
    refusal_headers,
    reply,
)
from endu.web.body import Bodies
from endu.web.buckets import Counting, of_events, refused_stranger
from endu.web.callers import Callers

# What is read of an event before its key is known, because the key is inside it.
KEYLESS_EVENT_BYTES_AT_MOST = 1024 * 1024

# A page anywhere may try: whether its origin is right for the key shows when the event comes.
PREFLIGHT: tuple[Header, ...] = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"POST"),
    (
        b"access-control-allow-headers",
        b"authorization, content-type, content-encoding, idempotency-key",
    ),
    (b"access-control-max-age", b"86400"),
)
READABLE_BY_PAGES: tuple[Header, ...] = (
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"endu-record-id, endu-warning, endu-error, retry-after, ratelimit, ratelimit-policy",
    ),
)
ALLOW: Header = (b"allow", b"OPTIONS, POST")

# With `record_always_200` these alone keep their status: a 200 would say that the event is kept.
SEND_AGAIN = frozenset({*NOT_ACKNOWLEDGED, Reason.RATE_LIMITED})


class RecordDoor:
    """`outcomes` counts what became of each event, by "accepted", "duplicate" or a Reason."""

    def __init__(
        self,
        callers: Callers,
        recorder: Recorder,
        rates: Counting,
        bodies: Bodies,
        now_ms: Callable[[], int],
        outcomes: Counter[str],
    ) -> None:
        self._callers = callers
        self._recorder = recorder
        self._rates = rates
        self._bodies = bodies
        self._now_ms = now_ms
        self._outcomes = outcomes

    async def one(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        if scope["method"] != "POST":
            return await _other_method(scope["method"], headers, send)
        caller, said = None, list[Header]()
        try:
            if b"authorization" in headers:
                caller = self._callers.caller(headers)
                await self._count(caller, 1, said)
                limit = caller.organization.settings.event_bytes_at_most
                body = await self._bodies.read(receive, headers, limit, caller.key_id)
            else:
                body = await self._bodies.read(receive, headers, KEYLESS_EVENT_BYTES_AT_MOST)
                caller = self._callers.caller_by_body(_key_in_event(body), headers)
                await self._count(caller, 1, said)
            sent = Sent(self._now_ms(), _text(headers.get(b"idempotency-key")))
            recorded = await self._recorder.record(body, caller, sent)
        except Refusal as refusal:
            return await self._refuse(refusal, caller, scope, said, send)
        self._outcomes["duplicate" if recorded.duplicate else "accepted"] += 1
        said.append((b"endu-record-id", recorded.record_id.encode()))
        if recorded.warnings:
            said.append((b"endu-warning", ", ".join(recorded.warnings).encode()))
        if b"origin" in headers:
            said.extend(READABLE_BY_PAGES)
        return await reply(send, 200, b"", said)

    async def batch(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        if scope["method"] != "POST":
            return await _other_method(scope["method"], headers, send)
        said: list[Header] = []
        try:
            if b"authorization" in headers:
                caller = self._callers.caller(headers)
                limit = caller.organization.settings.batch_bytes_at_most
                body = await self._bodies.read(receive, headers, limit, caller.key_id)
            else:
                body = await self._bodies.read(receive, headers, KEYLESS_EVENT_BYTES_AT_MOST)
                caller = self._callers.caller_by_body(_key_in_batch(body), headers)
            let_in = partial(self._count, caller, said=said)
            sent = Sent(self._now_ms())
            results = await self._recorder.record_batch(body, caller, sent, let_in)
        except Refusal as refusal:
            return await self._refuse(refusal, None, scope, said, send)
        for result in results:
            self._outcomes[
                result.error or ("accepted" if result.result == "ok" else "duplicate")
            ] += 1
        said += [JSON, *_for_pages(headers)]
        return await reply(send, 200, accepted_body({"results": results}), said)

    async def _count(self, caller: Caller, count: int, said: list[Header]) -> None:
        """So many events, whatever becomes of them. Raises Refusal RATE_LIMITED; `said` gets the
        headers where there is something to say."""
        left = await self._rates.spend(of_events(caller, count))
        if left is not None:
            said += left.headers
            if not left.allowed:
                raise left.refusal

    async def _refuse(
        self,
        refusal: Refusal,
        caller: Caller | None,
        scope: AsgiScope,
        limits: Sequence[Header],
        send: Send,
    ) -> None:
        refusal, more = await refused_stranger(refusal, scope, self._rates)
        headers = dict(scope["headers"])
        self._outcomes[refusal.reason.name] += 1
        always_200 = caller is not None and caller.organization.settings.record_always_200
        if always_200 and refusal.reason not in SEND_AGAIN:
            code = (b"endu-error", refusal.reason.name.encode())
            await reply(send, 200, b"", [code, *limits, *_for_pages(headers)])
        else:
            said = [*refusal_headers(refusal), *limits, *more, *_for_pages(headers)]
            await reply(send, refusal.reason.status, refusal_body(refusal), said)


class _Keyed(Struct, frozen=True):
    api_key: str = ""


def _key_in_event(body: bytes) -> str:
    try:
        return msgspec.json.decode(without_comments(body), type=_Keyed).api_key
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""


def _key_in_batch(body: bytes) -> str:
    """That of its first event: one page sends all of them."""
    body = body.lstrip()
    if not body.startswith(b"["):
        return _key_in_event(body.partition(b"\n")[0])
    try:
        events = msgspec.json.decode(body, type=list[_Keyed])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    return events[0].api_key if events else ""


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")


def _for_pages(headers: Mapping[bytes, bytes]) -> tuple[Header, ...]:
    return READABLE_BY_PAGES if b"origin" in headers else ()


async def _other_method(method: str, headers: Mapping[bytes, bytes], send: Send) -> None:
    if method == "OPTIONS":
        return await reply(send, 200, b"", [ALLOW, *PREFLIGHT])
    refusal = Refusal(Reason.METHOD_NOT_ALLOWED)
    said = [*refusal_headers(refusal), ALLOW, *_for_pages(headers)]
    return await reply(send, 405, b"" if method == "HEAD" else refusal_body(refusal), said)
