"""Fingerprints: whose device it is, or whose visits when several people share it (R6)."""

from collections.abc import Iterable, Mapping, Sequence, Set

from msgspec.structs import replace

from endu.identities.aftermath import owner_of
from endu.identities.casebook import Casebook, JournalLine
from endu.identities.evidence import Evidence, Review, Sighting, Whose
from endu.identities.identifier import Subject
from endu.identities.linking import Node
from endu.turns import in_turns

SHARED_AT_MOST = 10  # identities; a device that more people use says nothing of any
VISIT_MS = 30 * 60 * 1000  # how far from a strong event a visit reaches
ALWAYS_MS = 1 << 62
TURN = 2_000  # sightings between two turns of everybody else: about a third of a millisecond


class Devices:
    """What one batch means for devices. `watched` are the subjects whose events may be somebody
    else's, shared devices and blocked identifiers; it is kept up to date here."""

    def __init__(self, casebook: Casebook, watched: set[Subject]) -> None:
        self._casebook = casebook
        self._watched = watched
        self._windows: dict[Subject, tuple[int, int]] = {}

    async def settle(
        self,
        newly_seen: Set[Subject],
        moved: Set[Subject],
        blocked: Set[Subject],
        cause: tuple[int, int],  # seq, at_ms
    ) -> dict[Subject, Subject]:
        """After people were decided: the devices they use. Returns the devices that are
        somebody else's now.

        `newly_seen` are devices seen with somebody; `moved` are subjects whose identity or
        standing may have changed.
        """
        disturbed = await self._casebook.fingerprints_seen_with(moved)
        disturbed |= moved  # a device itself, where a rule is about it
        before = [
            node
            for node in await self._casebook.nodes(newly_seen | disturbed)
            if node.kind == "fingerprint"
        ]
        people = await self._casebook.identities_on(
            {node.subject for node in before}, blocked, SHARED_AT_MOST + 1
        )
        after = [_as_it_is_now(node, people[node.subject], blocked) for node in before]
        changed = [now for now, was in zip(after, before, strict=True) if now != was]
        for now, was in zip(after, before, strict=True):
            self._watch(now, "shared" in (now.standing, was.standing), now.subject in disturbed)
        await self._casebook.put_nodes(changed)
        await self._casebook.put_journal(_lines(changed, before, cause))
        owners = {node.subject: owner_of(node) for node in before}
        return {n.subject: owner_of(n) for n in changed if owner_of(n) != owners[n.subject]}

    def block(self, subjects: Iterable[Subject], blocked: Set[Subject]) -> None:
        """Gives out anew the events of identifiers that a rule blocked, or blocks no longer."""
        for subject in subjects:
            if subject in blocked:
                self._watched.add(subject)
            else:
                self._watched.discard(subject)
            self._windows[subject] = (0, ALWAYS_MS)

    async def saw(
        self, batch: Sequence[tuple[int, Evidence]], whose: Sequence[Whose | None]
    ) -> None:
        """The batch's own events on watched devices, and what lies within a visit of them."""
        watched = self._watched
        if not watched:
            return
        async for places in in_turns(range(len(whose)), TURN):
            for place in places:
                found = whose[place]
                if found and (found.subject in watched or found.fingerprint in watched):
                    self._saw(found, batch[place][1])

    def _saw(self, found: Whose, item: Evidence) -> None:
        for subject in (found.subject, found.fingerprint):
            if subject in self._watched and isinstance(item, Sighting):
                second_ms = item.happened_at_ms // 1000 * 1000  # visits are told by whole seconds
                self._widen(subject, second_ms - VISIT_MS, second_ms + VISIT_MS + 999)

    def reviews(self) -> list[Review]:
        return [Review(subject, *window) for subject, window in self._windows.items()]

    def _watch(self, node: Node, concerned: bool, disturbed: bool) -> None:
        if node.standing == "shared":
            newly = node.subject not in self._watched
            self._watched.add(node.subject)
        else:
            newly = node.subject in self._watched
            self._watched.discard(node.subject)
        if concerned and (newly or disturbed):
            self._windows[node.subject] = (0, ALWAYS_MS)

    def _widen(self, subject: Subject, from_ms: int, to_ms: int) -> None:
        low, high = self._windows.get(subject, (from_ms, to_ms))
        self._windows[subject] = (min(low, from_ms), max(high, to_ms))


def _as_it_is_now(node: Node, people: Set[Subject], blocked: Set[Subject]) -> Node:
    if node.subject in blocked:
        return replace(node, standing="blocked", identity=node.subject)
    if len(people) == 1:
        return replace(node, standing="", identity=next(iter(people)))
    standing = "burned" if len(people) > SHARED_AT_MOST else "shared" if people else ""
    return replace(node, standing=standing, identity=node.subject)


def _lines(
    changed: Sequence[Node], before: Sequence[Node], cause: tuple[int, int]
) -> list[JournalLine]:
    was: Mapping[Subject, Node] = {node.subject: node for node in before}
    return [
        JournalLine(
            organization_id=node.organization_id,
            seq=cause[0],
            at_ms=cause[1],
            change=_what_happened(was[node.subject], node),
            subject=node.identity,
            detail={"identifiers": [node.text]},
        )
        for node in changed
    ]


def _what_happened(was: Node, now: Node) -> str:
    if now.standing != was.standing:
        return now.standing or f"no longer {was.standing}"
    return "linked" if now.identity != now.subject else "parted"
