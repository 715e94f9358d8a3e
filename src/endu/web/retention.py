"""Retention over HTTP, and the people behind its numbers."""

from endu.journeys.retention import (
    Retention,
    RetentionPeopleQuestion,
    RetentionQuestion,
    ask_retention,
    ask_retention_people,
)
from endu.organizations.keyring import Scope
from endu.web.endpoint import Call, Nothing, endpoint
from endu.web.journeys import GROUP, REFUSALS, PeopleQuery, PeopleShown, people_shown, sources_of


@endpoint("POST", "/journeys/retention", group=GROUP, needs=Scope.READ, refusals=REFUSALS)
async def ask_for_retention(call: Call[Nothing, RetentionQuestion]) -> Retention:
    """Of those who did one thing, how many did another in each period after it.

    A grid: a row for each cohort, a cell for each period, and the weighted mean of the cells that
    are complete.
    """
    return await ask_retention(call.body, sources_of(call))


@endpoint("POST", "/journeys/retention/people", group=GROUP, needs=Scope.READ, refusals=REFUSALS)
async def ask_for_retention_people(
    call: Call[PeopleQuery, RetentionPeopleQuestion],
) -> PeopleShown:
    """Who is in a cohort, in one of its cells, or in the cohort and not in the cell."""
    query = call.query
    page = await ask_retention_people(call.body, sources_of(call), query.after, query.limit)
    return people_shown(page)


ENDPOINTS = (ask_for_retention, ask_for_retention_people)
