"""Erasing a person over HTTP, and the receipts of it."""

import asyncio
from typing import Literal

from msgspec import Struct

from endu.events.erasures import Erasure
from endu.events.event import RecordId
from endu.events.inbox import NOT_ACKNOWLEDGED
from endu.identities.evidence import ErasureAsked
from endu.identities.identifier import Number
from endu.journeys.scope import Time, rfc3339
from endu.organizations.keyring import Scope
from endu.refusals import Reason, Refusal
from endu.web.endpoint import Call, endpoint
from endu.web.explaining import PageQuery
from endu.web.identities import IdentityQuery, found_identity
from endu.web.lists import Page, read_cursor, write_cursor
from endu.web.log import id_of, keep, seq_of
from endu.web.parts import Parts

GROUP = "Erasures"

# Most erasures take less than a second; a long log takes longer, and nobody has to wait for it.
WITHIN_SECONDS = 30


class ErasedCounts(Struct, frozen=True):
    """What was erased: events, and what the directory knew; of the log, failed events, rules that
    named the person and identities made beforehand. `records` is how many of the log's records
    say nothing any more, all of these together."""

    events: int = 0
    identifiers: int = 0
    links: int = 0
    journal_lines: int = 0
    rules: int = 0
    failed_events: int = 0
    identities_made: int = 0
    records: int = 0


class ErasureShown(Struct, frozen=True, kw_only=True):
    """A receipt. While it is `under way`, the person is gone from every answer, and `erased` grows;
    once it is `done`, from every file too."""

    erasure_id: RecordId
    state: Literal["under way", "done"]
    asked_at: Time
    done_at: Time | None
    erased: ErasedCounts


class ErasureQuery(Struct, frozen=True, forbid_unknown_fields=True):
    erasure_id: str


@endpoint(
    "DELETE",
    "/identities/{c_user_id}",
    group=GROUP,
    needs=Scope.MANAGE,
    refusals=(Reason.NOT_FOUND, *NOT_ACKNOWLEDGED, Reason.NOT_SETTLED),
)
async def erase_identity(call: Call[IdentityQuery, None]) -> ErasureShown:
    """Erase a person: events, identifiers and links, journal, rules and failed events that name
    them, in the log as well.

    What is answered is a receipt. It cannot be taken back; what the person does afterwards makes a
    new identity. An erasure that takes long goes on behind the answer: ask for its receipt.
    """
    parts, organization_id = call.parts, call.organization_id
    await parts.fresh()
    identity = await found_identity(call, Number(call.query.c_user_id))
    asked = ErasureAsked(
        organization_id=organization_id,
        received_at_ms=parts.now_ms(),
        subject=identity.subject,
    )
    seq = await keep(parts, asked)
    await parts.fresh()
    try:
        async with asyncio.timeout(WITHIN_SECONDS):
            erasure = await parts.erasures.until_done(organization_id, seq)
    except TimeoutError:
        erasure = await parts.erasures.find(organization_id, seq)
    if erasure is None:
        raise Refusal(Reason.NOT_SETTLED)
    return _shown(parts, erasure)


@endpoint("GET", "/erasures", group=GROUP, needs=Scope.READ)
async def list_erasures(call: Call[PageQuery, None]) -> Page[ErasureShown]:
    """Every receipt, oldest first."""
    (after,) = read_cursor(call.query.cursor, (0,))
    limit = call.query.limit
    found = await call.parts.erasures.all(call.organization_id, after, limit + 1)
    shown = found[:limit]
    return Page(
        [_shown(call.parts, erasure) for erasure in shown],
        write_cursor(shown[-1].asked) if len(found) > len(shown) else None,
    )


@endpoint(
    "GET", "/erasures/{erasure_id}", group=GROUP, needs=Scope.READ, refusals=(Reason.NOT_FOUND,)
)
async def get_erasure(call: Call[ErasureQuery, None]) -> ErasureShown:
    """One receipt: how far the erasure has come, and what it erased."""
    seq = seq_of(call.parts, call.query.erasure_id)
    erasure = None if seq is None else await call.parts.erasures.find(call.organization_id, seq)
    if erasure is None:
        raise Refusal(Reason.NOT_FOUND, "Your organization has no erasure of that id.")
    return _shown(call.parts, erasure)


ENDPOINTS = (erase_identity, list_erasures, get_erasure)


def _shown(parts: Parts, erasure: Erasure) -> ErasureShown:
    done_at_ms = erasure.done_at_ms
    return ErasureShown(
        erasure_id=id_of(parts, erasure.asked, erasure.asked_at_ms),
        state="under way" if done_at_ms is None else "done",
        asked_at=rfc3339(erasure.asked_at_ms),
        done_at=None if done_at_ms is None else rfc3339(done_at_ms),
        erased=ErasedCounts(**erasure.counts),
    )
