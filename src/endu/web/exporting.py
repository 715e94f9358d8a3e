"""Everything about one person over HTTP, line by line."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from endu.events.naming import Names
from endu.identities.directory import Identity
from endu.identities.identifier import Kind, Number
from endu.journeys.timeline import TimelineQuestion, ask_timeline
from endu.organizations.keyring import Scope
from endu.refusals import Reason
from endu.web.endpoint import Call, Lines, endpoint
from endu.web.explaining import conflicts_shown
from endu.web.failed_events import failed_event_shown
from endu.web.identities import (
    GROUP,
    NEWEST,
    IdentityQuery,
    changes_shown,
    found_identity,
    identity_shown,
)
from endu.web.rules import rule_shown

AT_A_TIME = 200  # items in memory: of the largest events 6 MB, where no larger ones are allowed

_line = msgspec.json.Encoder().encode


@endpoint(
    "GET",
    "/identities/{c_user_id}/export",
    group=GROUP,
    needs=Scope.READ,
    refusals=(Reason.NOT_FOUND,),
)
async def export_identity(call: Call[IdentityQuery, None]) -> Lines:
    """Everything about one person, an object a line.

    Each has `what` it is (identity, event, change, rule, conflict, failed_event) and its `data`,
    in the form that it has elsewhere. The last line is `end`, with how many there are of each:
    an export without it is not whole.
    """
    number = Number(call.query.c_user_id)
    identity = await found_identity(call, number)
    return Lines(_lines(call, identity, number))


ENDPOINTS = (export_identity,)


async def _lines(
    call: Call[IdentityQuery, None], identity: Identity, number: Number
) -> AsyncIterator[bytes]:
    redirected_from = None if identity.c_user_id == number else number
    shown = await identity_shown(call, identity, redirected_from)
    yield _line({"what": "identity", "data": shown}) + b"\n"
    counts: dict[str, int] = {}
    for what, items in (
        ("event", _events(call, identity)),
        ("change", _changes(call, identity)),
        ("rule", _rules(call, identity)),
        ("conflict", _conflicts(call, identity)),
        ("failed_event", _failed_events(call, identity)),
    ):
        counts[what] = 0
        async for item in items:
            counts[what] += 1
            yield _line({"what": what, "data": item}) + b"\n"
    yield _line({"what": "end", "data": counts}) + b"\n"


async def _events(call: Call[Any, Any], identity: Identity) -> AsyncIterator[Any]:
    """Their own, newest first."""
    parts = call.parts
    before: tuple[int, int] | None = (NEWEST[0], NEWEST[1])
    while before is not None:
        page = await ask_timeline(
            TimelineQuestion(call.organization_id, identity, before, AT_A_TIME, related=False),
            parts.directory,
            parts.ledger,
            parts.catalog,
            parts.scramble,
        )
        for item in page.items:
            yield item
        before = page.next


async def _changes(call: Call[Any, Any], identity: Identity) -> AsyncIterator[Any]:
    before, organization_id = NEWEST[0], call.organization_id
    directory = call.parts.directory
    while changes := await directory.journal(organization_id, identity, before, AT_A_TIME):
        for shown in await changes_shown(call, changes):
            yield shown
        before = changes[-1].change_id


async def _rules(call: Call[Any, Any], identity: Identity) -> AsyncIterator[Any]:
    names = names_of(identity)
    for rule in await call.parts.rules.all(call.organization_id):
        if not names.isdisjoint(rule.identifiers):
            yield rule_shown(call, rule)


async def _conflicts(call: Call[Any, Any], identity: Identity) -> AsyncIterator[Any]:
    conflicts = await call.parts.directory.conflicts_of(call.organization_id, identity)
    for shown in await conflicts_shown(call.parts, call.organization_id, conflicts):
        yield shown


async def _failed_events(call: Call[Any, Any], identity: Identity) -> AsyncIterator[Any]:
    names, after, parts = Names(names_of(identity)), 0, call.parts
    while found := await parts.failed_events.all(call.organization_id, None, after, AT_A_TIME):
        for failure in found:
            if names.are_in(failure.event.body, failure.event.received_at_ms):
                yield failed_event_shown(parts, failure)
        after = found[-1].seq


def names_of(identity: Identity) -> set[str]:
    """Every text by which something may name this person: identifiers, and their numbers."""
    names = {f"{each.kind}:{each.value}" for each in identity.identifiers}
    return names | {f"{Kind.C_USER_ID}:{each.number}" for each in identity.identifiers}
