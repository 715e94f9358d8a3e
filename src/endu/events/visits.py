"""Events whose owner is not their recorded subject's: visits to shared devices (R6), and what a
rule took from a blocked identifier (R9).

An event row never changes. Where its subject is a device that several people use, or is blocked,
the few events concerned get a subject of their own here, by their place in the log.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Protocol

from msgspec import Struct

from endu.events.ledger import Ledger, VisitChange
from endu.identities.devices import VISIT_MS
from endu.identities.evidence import Review
from endu.identities.identifier import NOBODY, Kind, Subject
from endu.identities.linking import Node
from endu.turns import in_turns

VISIT_SECONDS = VISIT_MS // 1000
DEVICES_AT_ONCE = 500  # in one question to the ledger
LATEST_MS = 253_402_300_799_000  # the end of the year 9999: DateTime64 goes no further

ON_DEVICE = """
SELECT seq, toUnixTimestamp64Milli(ts), subject, others, fingerprint
  FROM endu.seen
 WHERE org = {org:String}
   AND subject IN {subjects:Array(UInt64)}
   AND (empty({devices:Array(UInt64)}) OR fingerprint IN {devices:Array(UInt64)})
   AND ts BETWEEN fromUnixTimestamp64Milli({from:Int64}) AND fromUnixTimestamp64Milli({to:Int64})
"""


class Given(Struct, frozen=True, array_like=True, gc=False):
    """An event that is `subject`'s from now on, or its own recorded subject's again (0)."""

    seq: int
    recorded: Subject
    subject: Subject


class VisitBook(Protocol):
    """What the directory knows of devices, and where visits are kept. What is read is what was
    kept for good, whatever is being written meanwhile."""

    async def nodes(self, subjects: Set[Subject]) -> list[Node]: ...

    async def seen_on(self, fingerprints: Set[Subject]) -> set[Subject]:
        """Every strong identifier that came with one of these devices, however weakly."""

    async def visits(self, seqs: Sequence[int]) -> dict[int, Subject]:
        """Of those places that have one: the subject that the event is given to."""

    async def keep(self, given: Sequence[Given], reviewed: Sequence[Review]) -> None:
        """Durably: each visit with the next version, and that these windows wait no longer. One
        that has grown since goes on waiting, whole."""

    async def waiting(self) -> list[Review]:
        """Every window whose events were not given out yet."""

    async def visits_after(self, version: int) -> list[VisitChange]:
        """What the ledger has not been told yet, oldest first."""


class Occurrence(Struct, frozen=True, gc=False):
    """An event as the ledger holds it."""

    seq: int
    at_ms: int
    subject: Subject
    others: tuple[Subject, ...]
    fingerprint: Subject

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """Strongest first (R5)."""
        return (self.subject, *self.others, self.fingerprint)


class Visits:
    """The settler's stage after the ledger has a batch: gives out anew what is under review."""

    def __init__(self, book: VisitBook, ledger: Ledger) -> None:
        self._book = book
        self._ledger = ledger

    async def waiting(self) -> list[Review]:
        """What is under review since before a crash."""
        return await self._book.waiting()

    async def found(self, reviews: Sequence[Review]) -> list[Given]:
        """What is to be given to somebody else than it is now. Writes nothing; asked again, it
        answers the same: visits follow from what the ledger holds."""
        if not reviews:
            return []
        nodes = await self._nodes(review.subject for review in reviews)
        devices = [r for r in reviews if nodes[r.subject].kind is Kind.FINGERPRINT]
        given: dict[int, Given] = {}
        for review in reviews:
            if nodes[review.subject].kind is not Kind.FINGERPRINT:
                devices += await self._blocked(review, nodes[review.subject], given)
        for together in _asked_together(devices, await self._nodes(r.subject for r in devices)):
            async for some in in_turns(together, DEVICES_AT_ONCE):
                await self._devices(some, given)
        return list(given.values())

    async def keep(self, given: Sequence[Given], reviews: Sequence[Review]) -> None:
        """What was found, and that it was. Doing it again changes nothing."""
        if given or reviews:
            await self._book.keep(given, reviews)

    async def changes_after(self, version: int) -> list[VisitChange]:
        """What the ledger has not been told yet, oldest first."""
        return await self._book.visits_after(version)

    async def _blocked(self, review: Review, node: Node, given: dict[int, Given]) -> list[Review]:
        """An identifier's own events; returns the devices on which they count as visits now."""
        window = review.from_ms, review.to_ms
        events = await self._events(node.organization_id, {node.subject}, set(), window)
        known = await self._nodes(subject for event in events for subject in event.subjects)
        deciding = {event: deciding_of(event, known) for event in events}
        await self._give(given, {e: subject or e.subject for e, subject in deciding.items()})
        shared = {s for s in deciding.values() if s and known[s].standing == "shared"}
        return [Review(device, review.from_ms, review.to_ms) for device in shared]

    async def _devices(self, reviews: Sequence[Review], given: dict[int, Given]) -> None:
        """One question for all of them, which are of one organization."""
        devices = {review.subject for review in reviews}
        known = await self._nodes(devices)
        people = await self._book.seen_on(devices)
        window = (
            min(review.from_ms for review in reviews) - VISIT_MS,
            max(review.to_ms for review in reviews) + VISIT_MS,
        )
        organization_id = known[reviews[0].subject].organization_id
        events = await self._events(organization_id, people | devices, devices, window)
        known |= await self._nodes(subject for event in events for subject in event.subjects)
        on_device: dict[Subject, list[Occurrence]] = {}
        for event in events:
            on_device.setdefault(event.fingerprint, []).append(event)
        whose: dict[Occurrence, Subject] = {}
        for review in reviews:
            whose |= visitors_of(review, on_device.get(review.subject, []), known)
        await self._give(given, whose)

    async def _events(
        self,
        organization_id: str,
        subjects: Set[Subject],
        devices: Set[Subject],
        window: tuple[int, int],
    ) -> list[Occurrence]:
        values = {
            "org": organization_id,
            "subjects": sorted(subjects),
            "devices": sorted(devices),
            "from": max(window[0], 0),
            "to": min(window[1], LATEST_MS),
        }
        rows = await self._ledger.ask(ON_DEVICE, values)
        return [Occurrence(row[0], row[1], row[2], tuple(row[3]), row[4]) for row in rows]

    async def _nodes(self, subjects: Iterable[Subject]) -> dict[Subject, Node]:
        return {node.subject: node for node in await self._book.nodes(set(subjects))}

    async def _give(self, given: dict[int, Given], whose: Mapping[Occurrence, Subject]) -> None:
        """Adds what is not kept, or not given, that way yet: subjects that are not the recorded
        ones are kept, the others let go of."""
        held = await self._book.visits([event.seq for event in whose])
        for event, subject in whose.items():
            kept = NOBODY if subject == event.subject else subject
            if event.seq in given or kept != held.get(event.seq, NOBODY):
                given[event.seq] = Given(event.seq, event.subject, kept)


def visitors_of(
    review: Review, events: Sequence[Occurrence], nodes: Mapping[Subject, Node]
) -> dict[Occurrence, Subject]:
    """Whose the events under review are, of one device; `events` reach a visit further."""
    device = nodes[review.subject]
    deciding = {event: deciding_of(event, nodes) for event in events}
    visitors = Visitors(
        (event.at_ms // 1000, subject, nodes[subject].identity)
        for event, subject in deciding.items()
        if subject not in (NOBODY, device.subject)
    )
    given = {}
    for event, subject in deciding.items():
        if subject in (NOBODY, device.subject) and review.from_ms <= event.at_ms <= review.to_ms:
            shared = subject and device.standing == "shared"
            visitor = visitors.at(event.at_ms // 1000) if shared else NOBODY
            given[event] = visitor or subject or event.subject
    return given


class Visitors:
    """Who was at a device when: strong events by second, subject and identity."""

    def __init__(self, strong: Iterable[tuple[int, Subject, Subject]]) -> None:
        self._at: dict[int, dict[Subject, Subject]] = {}
        for second, subject, identity in strong:
            somebody = self._at.setdefault(second, {})
            somebody[identity] = min(subject, somebody.get(identity, subject))
        self._seconds = sorted(self._at)

    def at(self, second: int) -> Subject:
        """Whoever came next within a visit, else who was there last; nobody where the nearest
        second is several people's."""
        place = bisect_left(self._seconds, second)
        after = self._seconds[place : place + 1]
        before = self._seconds[max(place - 1, 0) : place]
        for nearest in (*after, *before):
            if abs(nearest - second) <= VISIT_SECONDS:
                people = self._at[nearest]
                return next(iter(people.values())) if len(people) == 1 else NOBODY
        return NOBODY


def deciding_of(event: Occurrence, nodes: Mapping[Subject, Node]) -> Subject:
    """The strongest identifier of an event that is not blocked (R5): 0 without any."""
    for subject in event.subjects:
        if subject and nodes[subject].standing != "blocked":
            return subject
    return NOBODY


def _asked_together(reviews: Sequence[Review], nodes: Mapping[Subject, Node]) -> list[list[Review]]:
    """Those of one organization that are about a time, and those that are about all times."""
    groups: dict[tuple[str, bool], list[Review]] = {}
    for review in reviews:
        key = nodes[review.subject].organization_id, review.to_ms >= LATEST_MS
        groups.setdefault(key, []).append(review)
    return list(groups.values())
