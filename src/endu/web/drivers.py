"""Drivers over HTTP, and the people behind their numbers."""

from endu.journeys.drivers import (
    Drivers,
    DriversPeopleQuestion,
    DriversQuestion,
    ask_drivers,
    ask_drivers_people,
)
from endu.organizations.keyring import Scope
from endu.web.endpoint import Call, Nothing, endpoint
from endu.web.journeys import GROUP, REFUSALS, PeopleQuery, PeopleShown, people_shown, sources_of


@endpoint("POST", "/journeys/drivers", group=GROUP, needs=Scope.READ, refusals=REFUSALS)
async def ask_for_drivers(call: Call[Nothing, DriversQuestion]) -> Drivers:
    """What is associated with reaching a goal, or with leaving.

    Each behaviour with how many people had it before the goal and how many not, how many of either
    reached it, and how sure it is that the two go together. It says nothing of causes.
    """
    return await ask_drivers(call.body, sources_of(call))


@endpoint("POST", "/journeys/drivers/people", group=GROUP, needs=Scope.READ, refusals=REFUSALS)
async def ask_for_drivers_people(call: Call[PeopleQuery, DriversPeopleQuestion]) -> PeopleShown:
    """Who has a behaviour or has it not, of those who reached the goal, or did not, or of all."""
    query = call.query
    page = await ask_drivers_people(call.body, sources_of(call), query.after, query.limit)
    return people_shown(page)


ENDPOINTS = (ask_for_drivers, ask_for_drivers_people)
