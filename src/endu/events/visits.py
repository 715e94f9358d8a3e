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

VISIT_SECONDS = VISIT_MS // 1000
LATEST_MS = 253_402_300_799_000  # the end of the year 9999: DateTime64 goes no further

ON_DEVICE = """
SELECT seq, toUnixTimestamp64Milli(ts), subject, others, fingerprint
  FROM endu.events
 WHERE org = {org:String}
   AND subject IN {subjects:Array(UInt64)}
   AND ({device:UInt64} = 0 OR fingerprint = {device:UInt64})
   AND ts BETWEEN fromUnixTimestamp64Milli({from:Int64}) AND fromUnixTimestamp64Milli({to:Int64})
"""


class VisitBook(Protocol):
    """What the directory knows of devices, and where visits are kept."""

    async def nodes(self, subjects: Set[Subject]) -> list[Node]: ...

    async def seen_on(self, fingerprint: Subject) -> set[Subject]:
        """Every strong identifier that came with this device, however weakly."""

    async def visits(self, seqs: Sequence[int]) -> dict[int, Subject]:
        """Of those places that have one: the subject that the event is given to."""

    async def put_visits(self, visits: Sequence[tuple[int, Subject, Subject]]) -> None:
        """(seq, recorded subject, whose it is or 0), durably, each with the next version."""

    async def reviewed(self) -> None:
        """No window waits any longer."""

    async def visits_after(self, version: int) -> list[VisitChange]:
        """What the ledger has not been told yet, oldest first."""


class Occurrence(Struct, frozen=True):
    """An event as the ledger holds it."""

    seq: int
    at_ms: int
    subject: Subject
    others: tuple[Subject, ...]
    fingerprint: Subject


class Visits:
    """The settler's stage after the ledger has a batch: gives out anew what is under review."""

    def __init__(self, book: VisitBook, ledger: Ledger) -> None:
        self._book = book
        self._ledger = ledger

    async def settle(self, reviews: Sequence[Review]) -> None:
        """Doing it again changes nothing: visits follow from what the ledger holds."""
        if not reviews:
            return
        nodes = {n.subject: n for n in await self._book.nodes({r.subject for r in reviews})}
        devices = [r for r in reviews if nodes[r.subject].kind is Kind.FINGERPRINT]
        for review in reviews:
            if nodes[review.subject].kind is not Kind.FINGERPRINT:
                devices += await self._blocked(review, nodes[review.subject])
        for review in devices:
            await self._device(review)
        await self._book.reviewed()

    async def changes_after(self, version: int) -> list[VisitChange]:
        """What the ledger has not been told yet, oldest first."""
        return await self._book.visits_after(version)

    async def _blocked(self, review: Review, node: Node) -> list[Review]:
        """An identifier's own events; returns the devices on which they count as visits now."""
        events = await self._events(node, {node.subject}, NOBODY, review)
        known = await self._nodes_of(events)
        deciding = {event: deciding_of(event, known) for event in events}
        await self._give(deciding)
        shared = {s for s in deciding.values() if s and known[s].standing == "shared"}
        return [Review(device, review.from_ms, review.to_ms) for device in shared]

    async def _device(self, review: Review) -> None:
        (device,) = await self._book.nodes({review.subject})
        people = await self._book.seen_on(device.subject)
        wider = Review(device.subject, review.from_ms - VISIT_MS, review.to_ms + VISIT_MS)
        events = await self._events(device, people | {device.subject}, device.subject, wider)
        known = await self._nodes_of(events)
        deciding = {event: deciding_of(event, known) for event in events}
        visitors = Visitors(
            (event.at_ms // 1000, subject, known[subject].identity)
            for event, subject in deciding.items()
            if subject not in (NOBODY, device.subject)
        )
        await self._give(
            {
                event: (device.standing == "shared" and visitors.at(event.at_ms // 1000))
                or device.subject
                for event, subject in deciding.items()
                if subject == device.subject and review.from_ms <= event.at_ms <= review.to_ms
            }
        )

    async def _events(
        self, node: Node, subjects: Set[Subject], device: Subject, review: Review
    ) -> list[Occurrence]:
        values = {
            "org": node.organization_id,
            "subjects": sorted(subjects),
            "device": device,
            "from": max(review.from_ms, 0),
            "to": min(review.to_ms, LATEST_MS),
        }
        rows = await self._ledger.ask(ON_DEVICE, values)
        return [Occurrence(row[0], row[1], row[2], tuple(row[3]), row[4]) for row in rows]

    async def _nodes_of(self, events: Sequence[Occurrence]) -> dict[Subject, Node]:
        subjects = {s for e in events for s in (e.subject, *e.others, e.fingerprint)}
        return {node.subject: node for node in await self._book.nodes(subjects)}

    async def _give(self, whose: Mapping[Occurrence, Subject]) -> None:
        """Keeps the subjects that are not the recorded ones, and lets go of those that are."""
        given = await self._book.visits([event.seq for event in whose])
        changes = []
        for event, subject in whose.items():
            kept = NOBODY if subject == event.subject else subject
            if kept != given.get(event.seq, NOBODY):
                changes.append((event.seq, event.subject, kept))
        if changes:
            await self._book.put_visits(changes)


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
    for subject in (event.subject, *event.others, event.fingerprint):
        if subject and nodes[subject].standing != "blocked":
            return subject
    return NOBODY
