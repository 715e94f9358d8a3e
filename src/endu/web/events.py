"""Events over HTTP, in the order in which they settle."""

from msgspec import Struct

from endu.journeys.latest import Arrived, LatestQuestion, ask_latest
from endu.organizations.keyring import Scope
from endu.web.endpoint import Call, endpoint
from endu.web.lists import Cursor, Fresh, Limit, read_cursor, write_cursor

GROUP = "Recording"


class EventsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    limit: Limit = 50
    cursor: Cursor = None
    fresh: Fresh = False


class ArrivedPage(Struct, frozen=True):
    """`next` is the cursor for what settles from now on: there is always one."""

    items: list[Arrived]
    next: str


@endpoint("GET", "/events", group=GROUP, needs=Scope.READ)
async def list_events(call: Call[EventsQuery, None]) -> ArrivedPage:
    """The newest events, oldest of them first; with a cursor, those that settled since."""
    query, parts = call.query, call.parts
    after = None if query.cursor is None else read_cursor(query.cursor, (0,))[0]
    items, last = await ask_latest(
        LatestQuestion(call.organization_id, after, query.limit),
        parts.ledger,
        parts.catalog,
        parts.scramble,
    )
    return ArrivedPage(items, write_cursor(last))


ENDPOINTS = (list_events,)
