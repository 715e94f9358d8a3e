"""Paths over HTTP, and the people behind their numbers."""

from endu.journeys.paths import (
    Paths,
    PathsPeopleQuestion,
    PathsQuestion,
    ask_paths,
    ask_paths_people,
)
from endu.organizations.keyring import Scope
from endu.web.endpoint import Call, Nothing, endpoint
from endu.web.journeys import GROUP, REFUSALS, PeopleQuery, PeopleShown, people_shown, sources_of


@endpoint("POST", "/journeys/paths", group=GROUP, needs=Scope.READ, refusals=REFUSALS)
async def ask_for_paths(call: Call[Nothing, PathsQuestion]) -> Paths:
    """What people do next: the steps of their sessions, and the links between these.

    `nodes` and `links` are of all paths and can be drawn as they are, in columns by position;
    `sequences` are the paths that most people took.
    """
    return await ask_paths(call.body, sources_of(call))


@endpoint("POST", "/journeys/paths/people", group=GROUP, needs=Scope.READ, refusals=REFUSALS)
async def ask_for_paths_people(call: Call[PeopleQuery, PathsPeopleQuestion]) -> PeopleShown:
    """Whose paths lead over a node, along a link, or are a sequence."""
    query = call.query
    page = await ask_paths_people(call.body, sources_of(call), query.after, query.limit)
    return people_shown(page)


ENDPOINTS = (ask_for_paths, ask_for_paths_people)
