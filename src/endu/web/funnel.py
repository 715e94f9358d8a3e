"""Funnels over HTTP, and the people behind their bars."""

from endu.journeys.funnel import Funnel, ask_funnel, ask_funnel_people
from endu.journeys.funnel_question import FunnelPeopleQuestion, FunnelQuestion
from endu.organizations.keyring import Scope
from endu.web.endpoint import Call, Nothing, endpoint
from endu.web.journeys import GROUP, REFUSALS, PeopleQuery, PeopleShown, people_shown, sources_of


@endpoint("POST", "/journeys/funnel", group=GROUP, needs=Scope.READ, refusals=REFUSALS)
async def ask_for_funnel(call: Call[Nothing, FunnelQuestion]) -> Funnel:
    """How many people came how far through a row of steps, how fast, and where they stopped.

    Of a person's ways through the steps one counts: that which goes furthest; of several, the one
    that was completed first; and in it, for each step, the last time before the step behind it.
    """
    return await ask_funnel(call.body, sources_of(call))


@endpoint("POST", "/journeys/funnel/people", group=GROUP, needs=Scope.READ, refusals=REFUSALS)
async def ask_for_funnel_people(call: Call[PeopleQuery, FunnelPeopleQuestion]) -> PeopleShown:
    """Who reached a step, or did not get further: as many as the bar says."""
    query = call.query
    page = await ask_funnel_people(call.body, sources_of(call), query.after, query.limit)
    return people_shown(page)


ENDPOINTS = (ask_for_funnel, ask_for_funnel_people)
