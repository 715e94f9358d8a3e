"""The questions about people's journeys over HTTP."""

from typing import Any

from msgspec import Struct

from endu.journeys.people import PeoplePage, PersonShown
from endu.journeys.sources import Sources
from endu.journeys.trend import Trend, TrendQuestion, ask_trend
from endu.organizations.keyring import Scope
from endu.refusals import Reason
from endu.web.endpoint import Call, Nothing, endpoint
from endu.web.lists import Cursor, Limit, read_cursor, write_cursor

GROUP = "Journeys"

# What every question may be turned down for.
REFUSALS = (
    Reason.INVALID_QUESTION,
    Reason.QUERY_TOO_LARGE,
    Reason.TOO_MANY_QUESTIONS,
    Reason.QUERY_TIMEOUT,
    Reason.QUERY_LACKS_SPACE,
    Reason.NOT_SETTLED,
)


class PeopleQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which page of the people behind a number."""

    limit: Limit = 50
    cursor: Cursor = None

    @property
    def after(self) -> int:
        """The place that the page begins after. Raises Refusal."""
        return read_cursor(self.cursor, (0,))[0]


class PeopleShown(Struct, frozen=True):
    """`total` is the number that they are behind. `next` is the cursor of the page behind this
    one, null at the end."""

    total: int
    items: list[PersonShown]
    next: str | None


@endpoint("POST", "/journeys/trend", group=GROUP, needs=Scope.READ, refusals=REFUSALS)
async def ask_for_trend(call: Call[Nothing, TrendQuestion]) -> Trend:
    """How many events or people there were in each hour, day, week or month.

    Every bucket that the range touches is a point of every series, with events or without.
    Without events, `events`, `people` and `sum` are 0, the other measures null.
    """
    return await ask_trend(call.body, sources_of(call))


ENDPOINTS = (ask_for_trend,)


def sources_of(call: Call[Any, Any]) -> Sources:
    """What the caller's organization may be asked, now."""
    parts = call.parts
    return Sources(call.organization_id, parts.now_ms(), parts.ledger, parts.catalog, parts.people)


def people_shown(page: PeoplePage) -> PeopleShown:
    cursor = None if page.next is None else write_cursor(page.next)
    return PeopleShown(page.total, page.people, cursor)
