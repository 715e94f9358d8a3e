"""From the identifiers on events to the people behind them: read once, decide, write once.

What an event says is usually known already, and then costs one look-up. Only what is new is
gathered into a case, heard together with the clusters it touches, and written back.
"""

from collections.abc import Sequence

from msgspec import Struct

from endu.identities.bench import Bench
from endu.identities.casebook import Casebook
from endu.identities.decrees import obey
from endu.identities.devices import Devices
from endu.identities.evidence import Evidence, Forgetting, Resolution, Sighting, Whose
from endu.identities.forgotten import Forgotten, Salt, with_dead
from endu.identities.identifier import NOBODY, Subject
from endu.ids import Scramble
from endu.organizations.organization import OrganizationId
from endu.turns import in_turns

NOBODYS = Whose(NOBODY, (), NOBODY)
REMEMBERED = 250_000  # sightings in each of two generations, some 0.3 KB each

TURN = 500  # known sightings between two turns of everybody else: about half a millisecond
NEW_TURN = 100  # new ones, likewise
CASE = 500  # new sightings heard at once: deciding them is 1.5 milliseconds in one piece


class _News(Struct, frozen=True, gc=False):
    place: int  # in the batch
    seq: int
    sighting: Sighting


class Resolver:
    """One for the whole instance, used by one settler; `source` numbers its log."""

    def __init__(self, casebook: Casebook, scramble: Scramble, source: int) -> None:
        self._casebook = casebook
        self._scramble = scramble
        self._source = source
        self._memory = _Memory()
        self._watched: set[Subject] | None = None
        self._forgotten: Forgotten | None = None

    async def resolve(self, batch: Sequence[tuple[int, Evidence]]) -> Resolution:
        """Takes in a batch in the order of the log, whole or not at all.

        Resolving a batch again, in other portions too, gives the same subjects and changes
        nothing: whoever was interrupted simply repeats it.
        """
        try:
            async with self._casebook.transaction():
                bench = await self._bench(batch)
                whose = await self._resolve_without_forgotten(batch, bench)
                await self._casebook.put_owners(bench.moved)
                reviews = await self._casebook.put_reviews(bench.devices.reviews())
        except BaseException:
            self._remember_nothing()  # some of it may have been rolled back
            raise
        if Forgetting in {type(item) for _, item in batch}:
            self._remember_nothing()
        return Resolution(whose, reviews)

    def _remember_nothing(self) -> None:
        self._memory = _Memory()
        self._watched = None
        self._forgotten = None

    async def _bench(self, batch: Sequence[tuple[int, Evidence]]) -> Bench:
        if self._watched is None:
            self._watched = await self._casebook.watched()
        if self._forgotten is None:
            left = await self._casebook.left_behind(batch[0][0]) if batch else []
            self._forgotten = Forgotten(Salt(self._scramble.secret), left)
        devices = Devices(self._casebook, self._watched)
        return Bench(self._casebook, devices, self._scramble, self._source, self._forgotten)

    async def _resolve_without_forgotten(
        self, batch: Sequence[tuple[int, Evidence]], bench: Bench
    ) -> list[Whose | None]:
        """Only where the log is settled again is there anything to leave out."""
        forgotten = self._forgotten
        if not batch or forgotten is None or not forgotten.concerns(batch[0][0]):
            return await self._resolve(batch, bench)
        left, dead = [], []
        async for piece in in_turns(batch, TURN):
            for seq, item in piece:
                item, subjects = forgotten.without(seq, item)
                left.append((seq, item))
                dead.append(subjects)
        whose = await self._resolve(left, bench)
        return [with_dead(*each) for each in zip(whose, dead, strict=True)]

    async def _resolve(
        self, batch: Sequence[tuple[int, Evidence]], bench: Bench
    ) -> list[Whose | None]:
        whose: list[Whose | None] = []
        news: dict[OrganizationId, list[_News]] = {}
        async for piece in in_turns(batch, TURN):
            for place, (seq, item) in enumerate(piece, len(whose)):
                if isinstance(item, Sighting):
                    known = self._memory.recall(item)
                    if known is None:
                        news.setdefault(item.organization_id, []).append(_News(place, seq, item))
                    whose.append(known)
                else:
                    await self._take_in(news.pop(item.organization_id, []), whose, bench)
                    await obey(bench, seq, item)
                    whose.append(None)
        for theirs in news.values():
            await self._take_in(theirs, whose, bench)
        await bench.devices.saw(batch, whose)
        return whose

    async def _take_in(self, news: list[_News], whose: list[Whose | None], bench: Bench) -> None:
        """Sightings of one organization that say something new, or that were forgotten."""
        async for some in in_turns(news, CASE):
            texts = {text for item in some for text in item.sighting.identifiers}
            case = await bench.open(some[0].sighting.organization_id, texts)
            async for few in in_turns(some, NEW_TURN):
                for item in few:
                    # Many say what the one before them said.
                    found = self._memory.recall(item.sighting)
                    if found is None:
                        found = case.sight(item.seq, item.sighting)
                        self._memory.keep(item.sighting, found)
                    whose[item.place] = found
            at_ms = max(item.sighting.claimed_at_ms for item in some)
            await bench.hear(case, (some[-1].seq, at_ms))


class _Known(Struct, frozen=True, gc=False):
    since_ms: int
    whose: Whose


class _Memory:
    """What sightings said before: who they are of, and since when they have been saying it.

    Two generations bound it: when the young one is full it becomes the old one, and what was
    not asked for since is forgotten.
    """

    def __init__(self) -> None:
        self._young: dict[str, _Known] = {}
        self._old: dict[str, _Known] = {}

    def recall(self, sighting: Sighting) -> Whose | None:
        """None where the sighting may say something new: nobody said it yet, or not so early."""
        if not sighting.identifiers:
            return NOBODYS
        key = _text_of(sighting)
        known = self._young.get(key) or self._look_back(key)
        return known.whose if known and known.since_ms <= sighting.claimed_at_ms else None

    def keep(self, sighting: Sighting, whose: Whose) -> None:
        key = _text_of(sighting)
        known = self._young.get(key)
        if known is None or sighting.claimed_at_ms < known.since_ms:
            self._put(key, _Known(sighting.claimed_at_ms, whose))

    def _look_back(self, key: str) -> _Known | None:
        known = self._old.get(key)
        if known:
            self._put(key, known)
        return known

    def _put(self, key: str, known: _Known) -> None:
        if len(self._young) >= REMEMBERED:
            self._old, self._young = self._young, {}
        self._young[key] = known


def _text_of(sighting: Sighting) -> str:
    """What it says, in one text: in a large memory a key of parts costs a cache miss for each.
    Identifiers are printable, so where one ends is never in doubt."""
    identifiers = "\n".join(sighting.identifiers)
    return f"{sighting.organization_id} {sighting.proof} {identifiers}"
