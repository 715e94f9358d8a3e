"""An erasure in its place of the log: what the ledger knows of whoever is to be forgotten, and how
their events leave it. Everything before it has settled, and nothing behind it."""

from collections.abc import Sequence
from itertools import chain
from typing import Any, Protocol

from msgspec import Struct
from msgspec.structs import replace

from endu.events.event import Logged, Seq
from endu.events.ledger import Ledger
from endu.events.portion import Batch
from endu.identities.evidence import ErasureAsked, Evidence, Forgetting, Resolution
from endu.identities.identifier import NOBODY, Subject

# As a person's own events are found everywhere: by their subjects, and visit by visit.
OWN = "subject IN {subjects:Array(UInt64)} AND seq NOT IN {lent:Array(UInt64)}"
BORROWED = "seq IN {borrowed:Array(UInt64)}"

PLACES = "SELECT seq FROM endu.seen WHERE org = {org:String} AND "
NAMED = """
SELECT DISTINCT arrayJoin(arrayConcat([subject, fingerprint], others))
  FROM endu.seen WHERE org = {org:String} AND """
TOGETHER = """
SELECT DISTINCT arrayFilter(each -> each <> 0 AND NOT has({subjects:Array(UInt64)}, each),
                            arrayConcat([subject], others)) AS theirs
  FROM endu.seen WHERE org = {org:String} AND length(theirs) > 1 AND """
# A pass over the organization's rows, where somebody else's identifier is among theirs: who is
# still named, and whether first of all by number (0: never; places begin at 1). Only the first
# identifier of an event can be a number.
STILL_NAMED = f"""
SELECT arrayJoin(arrayConcat([subject, fingerprint], others)) AS named,
       minIf(seq, named = subject AND identifiers[1] = concat('c_user_id:', toString(subject))),
       minIf(seq, named <> subject OR identifiers[1] <> concat('c_user_id:', toString(subject)))
  FROM endu.seen
 WHERE org = {{org:String}} AND NOT ({OWN}) AND NOT ({BORROWED})
   AND (subject IN {{beside:Array(UInt64)}} OR fingerprint IN {{beside:Array(UInt64)}}
        OR hasAny(others, {{beside:Array(UInt64)}}))
 GROUP BY named
"""


class Theirs(Struct, frozen=True):
    """Whose events these are: subjects, visits that are theirs though their device's subject is
    not, and visits that are somebody else's though it is."""

    subjects: list[Subject]
    borrowed: list[int]
    lent: list[int]


class ErasureBook(Protocol):
    """What the directory keeps of erasures, as far as it was committed."""

    async def theirs(self, subject: Subject) -> Theirs:
        """Of the identity that the subject is of; nothing where nobody is."""

    async def places(self, asked: int) -> list[Seq]:
        """Those that the erasure takes out of the log, as far as they are known."""

    async def subjects(self, asked: int) -> list[Subject]:
        """Whom the erasure forgot."""

    def forgot(self) -> None:
        """The settler has done its part: whoever does the rest is told."""


class LedgerEraser(Protocol):
    async def erase(self, places: Sequence[Seq], subjects: Sequence[Subject]) -> None:
        """Returns once no question finds a row at these places or a number that was brought for
        these subjects, and none would after a power cut. May be asked again."""

    async def wash(self) -> None:
        """Returns once no file has what was erased. May be asked again."""


class Resolver(Protocol):
    async def resolve(self, batch: Sequence[tuple[int, Evidence]]) -> Resolution: ...


class ForgettingResolver:
    """A resolver that, where somebody is to be forgotten, asks the ledger what that comes to, and
    has it forget, too. Asked again after a crash it does what is left."""

    def __init__(
        self,
        resolver: Resolver,
        book: ErasureBook,
        ledger: Ledger,
        eraser: LedgerEraser,
    ) -> None:
        self._resolver = resolver
        self._book = book
        self._ledger = ledger
        self._eraser = eraser

    async def resolve(self, batch: Sequence[tuple[int, Evidence]]) -> Resolution:
        seq, asked = batch[0] if len(batch) == 1 else (0, None)
        if not isinstance(asked, Forgetting):
            return await self._resolver.resolve(batch)
        resolution = await self._resolver.resolve([(seq, await self._facts(asked))])
        await self._eraser.erase(await self._book.places(seq), await self._book.subjects(seq))
        self._book.forgot()
        return resolution

    async def _facts(self, asked: Forgetting) -> Forgetting:
        theirs = await self._book.theirs(asked.subject)
        if not theirs.subjects:
            return asked
        values: dict[str, Any] = {
            "org": asked.organization_id,
            "subjects": theirs.subjects,
            "borrowed": theirs.borrowed,
            "lent": theirs.lent,
        }
        places = {row[0] for row in await self._each(PLACES, values)}
        named = {row[0] for row in await self._each(NAMED, values)}
        beside = named - {NOBODY, *theirs.subjects}
        together: list[tuple[Any, ...]] = []
        still: dict[Subject, tuple[int, int]] = {}
        if beside:
            together = await self._each(TOGETHER, values)
            asked_of = {**values, "beside": sorted(beside)}
            found = await self._ledger.ask(STILL_NAMED, asked_of)
            still = {row[0]: (row[1], row[2]) for row in found}
        return replace(
            asked,
            places=tuple(sorted(places)),
            beside=frozenset(beside),
            orphans=frozenset(beside - still.keys()),
            numbered=frozenset(
                s for s, first in still.items() if s in beside and _by_number(*first)
            ),
            together=tuple(tuple(row[0]) for row in together),
        )

    async def _each(self, sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        """By each way in which an event is theirs, so that the ledger can use its order."""
        ways = [OWN, BORROWED] if values["borrowed"] else [OWN]
        found = [await self._ledger.ask(sql + way, values) for way in ways]
        return list(chain.from_iterable(found))


def _by_number(numbered: int, spelled: int) -> bool:
    return numbered > 0 and (not spelled or numbered < spelled)


def until_erasure(batch: Batch) -> Batch:
    """As much of it as stands before the first erasure, or that one alone: everything before it
    settles first."""
    place = next((n for n, each in enumerate(batch.logged) if _is_asked(each)), None)
    if place is None:
        return batch
    asked = batch.logged[place]
    unreadable = [each for each in batch.unreadable if each[0] < asked.seq]
    if place or unreadable:
        before = Seq(asked.seq - 1)
        return Batch(before, place + len(unreadable), batch.logged[:place], unreadable)
    return Batch(asked.seq, 1, [asked], [])


def _is_asked(logged: Logged) -> bool:
    return isinstance(logged.record, ErasureAsked)
