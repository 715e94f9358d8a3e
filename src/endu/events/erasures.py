"""Carrying out erasures, behind the settler's part: the log, the files, the receipt.

Each step may be done again, and how far it has come is kept; whoever was killed goes on there.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Protocol

from msgspec import Struct

from endu.events.erasing import LedgerEraser
from endu.events.event import (
    ErasureDone,
    ErasurePlanned,
    IdentifierSpelled,
    Record,
    Seq,
    encode_record,
)
from endu.events.inbox import Entry, Inbox
from endu.events.keeping import LogEraser
from endu.identities.forgotten import Plan
from endu.identities.identifier import Subject
from endu.organizations.organization import OrganizationId

logger = logging.getLogger(__name__)

PLACES_AT_ONCE = 20_000  # in one record: some 180 KB
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 60.0


class Erasure(Struct, frozen=True, kw_only=True):
    """One that was asked for, once its person is forgotten. `names` are whom to look for in the
    log, as long as that is to be done."""

    asked: int
    organization_id: OrganizationId
    asked_at_ms: int
    names: frozenset[str]
    subjects: frozenset[Subject]
    plan: Plan
    planned: bool
    counts: dict[str, int]
    done_at_ms: int | None


class Restored(Struct, frozen=True, kw_only=True):
    """What the log itself says of an erasure."""

    asked: int
    organization_id: OrganizationId
    asked_at_ms: int
    plan: Plan
    places: tuple[int, ...]
    counts: dict[str, int]
    done_at_ms: int | None


class Erasures(Protocol):
    """What the directory keeps of them. Each returns once what it writes would survive a power
    cut; writing again changes nothing."""

    async def arrival(self) -> None:
        """Returns where somebody was forgotten since this was last asked, or once somebody is."""

    async def pending(self) -> list[Erasure]:
        """Those that are not done, oldest first."""

    async def places(self, asked: int) -> list[Seq]: ...

    async def found(self, asked: int, places: Sequence[Seq], counts: Mapping[str, int]) -> None:
        """More records that are to go; failed events among them are gone from lists at once."""

    async def planned(self, asked: int) -> None:
        """The log knows what is to go: nobody has to be looked for any more."""

    async def done(self, asked: int, at_ms: int, counts: Mapping[str, int]) -> None: ...

    async def restore(self, found: Sequence[Restored]) -> None:
        """As the log has them, before any of it is settled."""

    async def wash(self) -> None:
        """Returns once the file says nothing of what was deleted."""

    async def find(self, organization_id: OrganizationId, seq: int) -> Erasure | None: ...

    async def all(self, organization_id: OrganizationId, after: int, limit: int) -> list[Erasure]:
        """Those behind a place, oldest first."""

    async def until_done(self, organization_id: OrganizationId, seq: int) -> Erasure | None:
        """As `find`, once it is done."""


class Naming(Struct, frozen=True):
    """The records that name a person and are no events: by what they are, and those in which
    earlier erasures spelled out whom they left, which no receipt counts."""

    counted: dict[str, list[Seq]]
    spelled: list[Seq]


class LogSearch(Protocol):
    async def naming(self, erasure: Erasure) -> Naming:
        """Those before the erasure; what earlier ones spelled, wherever it stands: they may have
        been carried out since. Reads the whole log."""

    async def erasures(self) -> list[Restored]:
        """Those that were planned. Reads the whole log."""


class Carrying(Struct, frozen=True, kw_only=True):
    """What erasures are carried out with. `forgotten` is called when people were forgotten: who
    remembers numbers forgets them. `at_each_step` hears each step as it is done."""

    erasures: Erasures
    search: LogSearch
    inbox: Inbox
    log: LogEraser
    ledger: LedgerEraser
    now_ms: Callable[[], int]
    forgotten: Callable[[], None]
    at_each_step: Callable[[str], None]


async def carry_out_pending(carrying: Carrying) -> None:
    """Goes on until it is cancelled; what fails is tried again."""
    pause_seconds = FIRST_PAUSE_SECONDS
    while True:
        try:
            for erasure in await carrying.erasures.pending():
                await carry_out(carrying, erasure)
        except Exception:  # the outermost loop of this task: whatever it was, it is tried again
            logger.exception("An erasure is not done; again in %.0f s", pause_seconds)
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)
        else:
            pause_seconds = FIRST_PAUSE_SECONDS
            await carrying.erasures.arrival()


async def carry_out(carrying: Carrying, erasure: Erasure) -> None:
    """What is left of one. Raises what storage raises; may be asked again."""
    carrying.forgotten()
    counts = erasure.counts if erasure.planned else await _plan(carrying, erasure)
    places = await carrying.erasures.places(erasure.asked)
    await carrying.log.erase(places)
    carrying.at_each_step("log erased")
    # Once more: until now whoever brings lost rows back from the log may have found them there.
    await carrying.ledger.erase(places, list(erasure.subjects))
    await carrying.ledger.wash()
    carrying.at_each_step("ledger washed")
    await carrying.erasures.wash()
    carrying.at_each_step("directory washed")
    done = ErasureDone(
        organization_id=erasure.organization_id,
        received_at_ms=carrying.now_ms(),
        asked=erasure.asked,
        counts={**counts, "records": len(places)},
    )
    await _append(carrying, done)
    carrying.at_each_step("erasure told")
    await carrying.erasures.done(erasure.asked, done.received_at_ms, done.counts)
    carrying.at_each_step("erasure done")


async def remember_erasures(search: LogSearch, log: LogEraser, erasures: Erasures) -> None:
    """Before a log is settled from its beginning: who was erased stays so. What was planned to go
    and still is there goes first, so that it settles nowhere."""
    found = await search.erasures()
    under_way = [each for each in found if each.done_at_ms is None]
    for each in under_way:
        await log.erase([Seq(place) for place in each.places])
    # What one of them took out may be what another had spelled.
    await erasures.restore(await search.erasures() if under_way else found)


async def _plan(carrying: Carrying, erasure: Erasure) -> dict[str, int]:
    """Finds the rest of what names them, and has the log know what is to go before any of it does:
    settling again then comes to the same, wherever this ends."""
    erasures = carrying.erasures
    found = await carrying.search.naming(erasure)
    counts = {**erasure.counts, **{what: len(seqs) for what, seqs in found.counted.items()}}
    seqs = chain(found.spelled, *found.counted.values())
    await erasures.found(erasure.asked, list(seqs), counts)
    carrying.at_each_step("erasure found")
    places = await erasures.places(erasure.asked)
    await _append(carrying, *_planned(erasure, places, carrying.now_ms()))
    carrying.at_each_step("erasure written")
    await erasures.planned(erasure.asked)
    carrying.at_each_step("erasure planned")
    return counts


async def _append(carrying: Carrying, *records: Record) -> None:
    """All in one commit."""
    entries = [Entry(encode_record(each), each.received_at_ms) for each in records]
    await carrying.inbox.append(entries)


def _planned(erasure: Erasure, places: Sequence[Seq], at_ms: int) -> list[Record]:
    """The first has the plan, and each some of the places. Whoever is spelled out has a record."""
    records: list[Record] = []
    for start in range(0, max(len(places), 1), PLACES_AT_ONCE):
        plan = erasure.plan if start == 0 else Plan()
        records.append(
            ErasurePlanned(
                organization_id=erasure.organization_id,
                received_at_ms=at_ms,
                asked=erasure.asked,
                places=tuple(places[start : start + PLACES_AT_ONCE]),
                tombstones=plan.tombstones,
                births=plan.births,
                kept=plan.kept,
                seen=plan.seen,
                conflicts=plan.conflicts,
            )
        )
    for each in erasure.plan.spelled:
        records.append(
            IdentifierSpelled(
                organization_id=erasure.organization_id,
                received_at_ms=at_ms,
                asked=erasure.asked,
                subject=each.subject,
                text=each.text,
            )
        )
    return records
