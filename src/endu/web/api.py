"""The whole HTTP face of Endu: recording straight on ASGI, the rest through Litestar."""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from litestar import Litestar, Request, Response, route
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from endu.events.ledger import Bound, TooDear
from endu.ids import new_id
from endu.organizations.caller import Caller
from endu.organizations.keyring import KeyKind, Scope
from endu.refusals import Reason, Refusal
from endu.web import (
    drivers,
    erasures,
    event_types,
    events,
    explaining,
    exporting,
    failed_events,
    funnel,
    identities,
    journeys,
    keys,
    limits,
    operating,
    organizations,
    paths,
    retention,
    rules,
    sql,
)
from endu.web.asgi import (
    AsgiScope,
    Door,
    Receive,
    Send,
    accepted_body,
    refusal_body,
    refusal_headers,
    reply,
)
from endu.web.buckets import refused_stranger
from endu.web.callers import Callers
from endu.web.endpoint import NDJSON, Call, Endpoint, Lines, Needs, Text
from endu.web.exchange import Exchange
from endu.web.parts import Parts
from endu.web.reading import read_json, read_query
from endu.web.record import RecordDoor
from endu.web.recording import RECORD, RECORD_BATCH
from endu.web.wanted import NobodyWaits, while_wanted

AnyRequest: TypeAlias = Request[Any, Any, Any]

# The largest body that is no event: a schema of a few hundred keys has room to spare.
BODY_BYTES_AT_MOST = 256 * 1024

logger = logging.getLogger("endu.web")

EXCHANGE = "endu.exchange"  # in the scope of a request

NOBODY_WAITS = 499  # for the metrics: as nginx has it

TOO_DEAR = {
    Bound.TIME: Reason.QUERY_TIMEOUT,
    Bound.SIZE: Reason.QUERY_TOO_LARGE,
    Bound.NUMBER: Reason.TOO_MANY_QUESTIONS,
    Bound.DISK: Reason.QUERY_LACKS_SPACE,
}

GROUPS = (
    events,
    event_types,
    identities,
    exporting,
    erasures,
    explaining,
    rules,
    failed_events,
    organizations,
    limits,
    keys,
    journeys,
    drivers,
    funnel,
    paths,
    retention,
    sql,
)


def http_face(parts: Parts) -> "Front":
    """The ASGI application."""
    callers = Callers(parts.keyring, parts.organizations)
    door = RecordDoor(
        callers,
        parts.recorder,
        parts.rates,
        parts.bodies,
        parts.now_ms,
        parts.metrics.outcomes,
    )
    return Front(
        {RECORD.path: door.one, RECORD_BATCH.path: door.batch},
        _litestar(every_endpoint(), parts, callers),
        parts,
    )


def every_endpoint() -> list[Endpoint]:
    """All but the two that record."""
    endpoints = [each for group in GROUPS for each in group.ENDPOINTS]
    endpoints += operating.ENDPOINTS
    recording = [RECORD, RECORD_BATCH]
    described = [*recording, *(each.description for each in endpoints)]
    return [*endpoints, *operating.describing(described)]


class Front:
    """Sends each request to its door, and turns Endu's own mistakes into an answer."""

    def __init__(self, doors: Mapping[str, Door], rest: Door, parts: Parts) -> None:
        self._doors = doors
        self._rest = rest
        self._parts = parts

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        door = self._doors.get(scope["path"], self._rest) if "path" in scope else self._rest
        exchange = Exchange(scope, send, self._new_id, time.monotonic)
        scope[EXCHANGE] = exchange
        try:
            await door(scope, receive, exchange.send)
        except Exception as problem:
            logger.exception("request %s failed", exchange.id, extra=exchange.about)
            refusal = _why_failed(problem, exchange.id, self._parts)
            headers = refusal_headers(refusal)
            await reply(exchange.send, refusal.reason.status, refusal_body(refusal), headers)
        finally:
            exchange.end()
            del scope[EXCHANGE]  # or it would hold what is left of the body until garbage is sought

    def _new_id(self) -> str:
        return new_id(self._parts.now_ms(), self._parts.randomness(10))


def _litestar(endpoints: Sequence[Endpoint], parts: Parts, callers: Callers) -> Litestar:
    def failed(request: AnyRequest, problem: Exception) -> Response[bytes]:
        exchange: Exchange = request.scope[EXCHANGE]  # type: ignore[literal-required]
        logger.exception("request %s failed", exchange.id, extra=exchange.about)
        return _refused(_why_failed(problem, exchange.id, parts), {})

    methods: dict[str, list[str]] = {}
    for described in (endpoint.description for endpoint in endpoints):
        methods.setdefault(described.path, ["OPTIONS"]).append(described.method)
    return Litestar(
        [
            *(_options(path, allowed) for path, allowed in methods.items()),
            *(_route(endpoint, parts, callers) for endpoint in endpoints),
        ],
        exception_handlers={HTTPException: _not_routed, Exception: failed},
        openapi_config=None,
        logging_config=None,
    )


def _route(endpoint: Endpoint, parts: Parts, callers: Callers) -> HTTPRouteHandler:
    described = endpoint.description

    async def answer(request: AnyRequest) -> Response[Any]:
        headers: dict[str, str] = {}
        try:
            if described.needs is None:
                response = _answered(await endpoint.handle(parts), headers)
            else:
                call = await _call_of(request, endpoint, parts, callers, headers)
                work = endpoint.handle(call)
                if described.needs is Scope.READ:  # nothing is half done where it ends
                    work = while_wanted(request.receive, work)
                response = _answered(await work, headers)
        except Refusal as refusal:
            refusal, said = await refused_stranger(refusal, request.scope, parts.rates)
            headers.update({name.decode(): value.decode() for name, value in said})
            response = _refused(refusal, headers)
        except TooDear as fault:
            response = _refused(Refusal(TOO_DEAR[fault.bound]), headers)
        except NobodyWaits:
            response = Response(b"", status_code=NOBODY_WAITS)
        parts.metrics.requests[described.name, response.status_code or 200] += 1
        return response

    path = _litestars(described.path)
    return route(path, http_method=[described.method], status_code=200)(answer)


def _options(path: str, methods: list[str]) -> HTTPRouteHandler:
    """Litestar's own answer names one of an address's methods only."""
    allow = {"Allow": ", ".join(sorted(methods))}

    async def answer() -> Response[None]:
        return Response(None, status_code=204, headers=allow)

    return route(_litestars(path), http_method=["OPTIONS"], status_code=204)(answer)


def _litestars(path: str) -> str:
    return path.replace("}", ":str}")


async def _call_of(
    request: AnyRequest,
    endpoint: Endpoint,
    parts: Parts,
    callers: Callers,
    headers: dict[str, str],
) -> Call[Any, Any]:
    """Who asks comes first: a stranger learns nothing, not even what was wrong."""
    described = endpoint.description
    sent = dict(request.scope["headers"])
    caller = callers.caller(sent)
    _must_be_let_in(caller, described.needs)
    query: Any = read_query(request.scope["query_string"], request.path_params, described.query)
    body: Any = None
    if described.body is not None:
        read = parts.bodies.read(request.receive, sent, BODY_BYTES_AT_MOST, caller.key_id)
        body = read_json(await read, described.body)
    if getattr(query, "fresh", False) or getattr(body, "fresh", False):
        await parts.fresh()
    return Call(parts, caller, query, body, headers)


def _must_be_let_in(caller: Caller, needs: Needs) -> None:
    if isinstance(needs, KeyKind):
        if caller.kind is not needs:
            raise Refusal(
                Reason.KEY_NOT_ALLOWED,
                f"Only the {needs} key may do that; it is in the file operator.key of the data.",
            )
    elif needs is not None:
        caller.must_have(needs)


def _answered(answer: Any, headers: dict[str, str]) -> Response[Any]:
    if isinstance(answer, Lines):
        return Stream(answer.content, media_type=NDJSON, headers=headers)
    if isinstance(answer, Text):
        return Response(answer.content, media_type=answer.media_type, headers=answer.headers)
    return Response(accepted_body(answer), media_type="application/json", headers=headers)


def _refused(refusal: Refusal, headers: Mapping[str, str]) -> Response[bytes]:
    said = {name.decode(): value.decode() for name, value in refusal_headers(refusal)}
    return Response(
        refusal_body(refusal), status_code=refusal.reason.status, headers={**headers, **said}
    )


def _not_routed(_: AnyRequest, fault: HTTPException) -> Response[bytes]:
    if isinstance(fault, MethodNotAllowedException):
        return _refused(Refusal(Reason.METHOD_NOT_ALLOWED), fault.headers or {})
    if isinstance(fault, NotFoundException):
        return _refused(Refusal(Reason.NOT_FOUND, "There is no such address; see /docs."), {})
    return _refused(Refusal(Reason.INVALID_REQUEST, fault.detail), {})


def _why_failed(problem: Exception, request_id: str, parts: Parts) -> Refusal:
    if parts.of_the_disk(problem):
        return Refusal(Reason.STORAGE_FAILED, data={"request_id": request_id})
    return Refusal(
        Reason.INTERNAL,
        f"Endu made a mistake; its log has the trace under request {request_id}.",
        data={"request_id": request_id},
    )
