"""A small world around the real resolver over the real directory, that plays steps and tells
what it made of them, in the words of the oracle.

The world may end anywhere and begin again: everything it knows lies in the files of its place.
It settles as the settler does: resolve, write the events down, give out those of shared devices.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, Literal

from msgspec import Struct

from endu.events.visits import Visits
from endu.identities.evidence import Evidence, Forgetting, RuleMade, Sighting, Whose
from endu.identities.linking import NEVER_SEEN
from endu.identities.resolver import Resolver
from endu.ids import Scramble
from endu.stores.database import migrate
from endu.stores.sqlite import connect
from endu.stores.sqlite_casebook import SqliteCasebook
from endu.stores.sqlite_visits import SqliteVisitBook
from tests.identity_logs import Scribe, named_by_number
from tests.identity_oracle import NOBODY, Answer, work_out
from tests.identity_oracle_links import Numbers, Pair, Person, kind_of, pair_of
from tests.identity_shelf import Shelf

SCRAMBLE = Scramble(0x9E3779B97F4A7C15F39CC0605CEDC834)
SOURCE = 0


End = Literal["in order", "resolved", "written"]  # the last two are crashes, after that step


class Told(Struct, frozen=True, kw_only=True):
    """What the directory says, as far as the oracle has an opinion on it."""

    people: frozenset[Person]
    refused: dict[Pair, str]
    suspended: frozenset[Pair]
    hubs: frozenset[str]
    burned: frozenset[str]
    owners: dict[int, Person]
    names: dict[Person, str]
    creations: dict[int, tuple[str, bool] | None]


class World:
    def __init__(self, place: Path) -> None:
        self._place = place / "directory.db"
        migrate(self._place, "directory")
        self._scribe = Scribe()
        self.shelf = Shelf()  # answers the one question that visits ask
        self.whose: dict[int, Whose] = {}
        self.restart()

    @property
    def log(self) -> list[tuple[int, Evidence]]:
        return self._scribe.log

    def restart(self) -> None:
        """Only what is in the files is left of what was known."""
        self.connection = connect(self._place)
        self.connection.execute("PRAGMA synchronous = OFF")  # worlds crash, machines do not
        self._resolver = Resolver(SqliteCasebook(self.connection), SCRAMBLE, SOURCE)
        book = SqliteVisitBook(self.connection, self.connection)
        self._visits = Visits(book, self.shelf)  # type: ignore[arg-type]
        self._in_doubt = True

    def close(self) -> None:
        self.connection.close()

    async def play(
        self, steps: Sequence[Evidence], ends: Mapping[int, End] = MappingProxyType({})
    ) -> None:
        """In one batch, but for `ends`: the places in `steps` where a batch ends and the world
        does, too, and how. Whoever names a number that was issued saw it: a batch ends before."""
        batch: list[tuple[int, Evidence]] = []
        for place, step in enumerate(steps):
            if place in ends or named_by_number(step):
                await self._settle(batch, ends.get(place, "in order"))
                batch = []
            if place in ends:
                self.close()
                self.restart()
            number = self._number_of(named_by_number(step))
            if number is not None:
                batch.append(self._scribe.write(step, number))
        await self._settle(batch, "in order")

    def expected(self) -> Answer:
        """The oracle's opinion on what was told so far."""
        return work_out(self.log, Numbers(self._issued(), self._of_creations()))

    def told(self) -> Told:
        rows = self.rows(
            "SELECT subject, kind || ':' || value, identity, standing FROM identifiers"
        )
        names = {subject: name for subject, name, _, _ in rows}
        people = self._people(rows)
        return Told(
            people=frozenset(people.values()),
            refused=dict(self._links("refused")),
            suspended=frozenset(dict(self._links("hub", "shared"))),
            hubs=frozenset(x for _, x, _, s in rows if s in ("hub", "shared") and _is_strong(x)),
            burned=frozenset(name for _, name, _, s in rows if s == "burned"),
            owners={seq: self._owner(seq, people, names) for seq in self.whose},
            names={theirs: names[identity] for identity, theirs in people.items()},
            creations=self._creations(),
        )

    def disagreements(self) -> dict[str, tuple[Any, Any]]:
        """Where the directory and the oracle differ: (told, expected) by what about."""
        told, expected = self.told(), self.expected()
        pairs: dict[str, tuple[Any, Any]] = {
            "people": (self._seen_of(told.people), self._seen_of(expected.people)),
            "refused": (set(told.refused), set(expected.refused)),
            "suspended": (told.suspended, expected.suspended),
            "hubs": (self._seen_of([told.hubs]), self._seen_of([expected.hubs])),
            "burned": (told.burned, expected.burned),
            "owners": _of_the_same(told.owners, expected.owners),
            "names": _of_the_same(told.names, expected.names),
            "creations": (told.creations, expected.creations),
            "reasons": ({p: r for p, r in told.refused.items() if not _is_one(r, expected, p)}, {}),
        }
        return {about: (ours, theirs) for about, (ours, theirs) in pairs.items() if ours != theirs}

    def by_content(self) -> tuple[object, ...]:
        """What is told, without the places in the log, which another order has otherwise."""
        told = self.told()
        owners = {(self._scribe.steps[seq], person) for seq, person in told.owners.items()}
        return told.people, told.refused, told.suspended, told.hubs, told.burned, owners

    def names_by_number(self) -> dict[str, str]:
        """Every number, and the one that answers say instead."""
        return dict(
            self.rows(
                """
                SELECT i.number, n.number
                FROM identifiers AS i JOIN identifiers AS n ON n.subject = i.identity
                """
            )
        )

    def journal(self, seq: int) -> list[str]:
        """What one record changed."""
        return [change for (change,) in self.rows(
            f"SELECT change FROM journal WHERE seq = {seq} ORDER BY change_id")]  # fmt: skip

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """Whatever the directory says of who is who, for comparing two moments exactly. To be
        one's own is to have no owner; what only a rule ever named is nobody yet."""
        return {
            "identifiers": self.rows(
                f"SELECT * FROM identifiers WHERE first_at_ms < {NEVER_SEEN} ORDER BY subject"
            ),
            "links": self.rows("SELECT * FROM links ORDER BY a, b"),
            "devices": self.rows("SELECT * FROM sightings ORDER BY fingerprint, subject"),
            "owners": self.rows(
                "SELECT subject, identity FROM owners WHERE subject <> identity ORDER BY subject"
            ),
            "visits": self.rows("SELECT seq, subject FROM visits WHERE subject <> 0 ORDER BY seq"),
        }

    async def forget(self, seq: int, forgetting: Forgetting) -> None:
        """As the settler does it: the ledger forgets before devices are looked at again."""
        resolution = await self._resolver.resolve([(seq, forgetting)])
        self.shelf.take_out(forgetting.places)
        for place in forgetting.places:
            self.whose.pop(place, None)
        await self._visits.keep(await self._visits.found(resolution.reviews), resolution.reviews)

    async def settle_log(self, log: Sequence[tuple[int, Evidence]]) -> None:
        """What another world was told, in one batch."""
        self._scribe.log += log
        await self._settle(log, "in order")

    async def _settle(self, batch: Sequence[tuple[int, Evidence]], end: End) -> None:
        """Where it ends in a crash, whoever comes after repeats the whole of it."""
        if end != "in order":
            await self._settle_until(end, batch)
            self.close()
            self.restart()
        await self._settle_until("in order", batch)

    async def _settle_until(self, end: End, batch: Sequence[tuple[int, Evidence]]) -> None:
        resolution = await self._resolver.resolve(batch)
        for (seq, item), whose in zip(batch, resolution.whose, strict=True):
            assert isinstance(item, Sighting) == (whose is not None)
            if whose is not None:
                assert self.whose.setdefault(seq, whose) == whose
        if end == "resolved":
            return
        self.shelf.keep(batch, resolution.whose)
        if end == "written":
            return
        reviews = await self._visits.waiting() if self._in_doubt else resolution.reviews
        self._in_doubt = False
        await self._visits.keep(await self._visits.found(reviews), reviews)

    def _number_of(self, name: str) -> str | None:
        """What was issued to what a step names; None where nothing was."""
        if not name:
            return ""
        kind, _, value = name.partition(":")
        if kind == "creation":
            seq = self._scribe.creations[int(value)]
            answered = dict(self.rows("SELECT seq, number FROM creations WHERE conflict = 'null'"))
            return answered.get(seq)
        return self._issued().get(name)

    def _issued(self) -> dict[str, str]:
        return dict(self.rows("SELECT kind || ':' || value, number FROM identifiers"))

    def _of_creations(self) -> dict[int, str]:
        """The numbers that creations made, whether or not they became anybody's name. They and
        the rows of creations lie in the order in which they were made."""
        made = self.rows("SELECT number FROM identifiers WHERE kind = 'c_user_id'"
                          " AND number = '' || subject ORDER BY rowid")  # fmt: skip
        creations = self.rows("SELECT seq FROM creations WHERE created ORDER BY seq")
        return {seq: number for (seq,), (number,) in zip(creations, made, strict=True)}

    def _people(self, rows: Sequence[tuple[Any, ...]]) -> dict[int, Person]:
        """By the subject that names them: who was ever seen, and is not blocked."""
        people: dict[int, Person] = {}
        for _, name, identity, standing in rows:
            if standing != "blocked" and _is_strong(name):
                people[identity] = people.get(identity, frozenset()) | {name}
        return people

    def _links(self, *verdicts: str) -> Iterator[tuple[Pair, str]]:
        links = self.rows(
            """
            SELECT a.kind || ':' || a.value, b.kind || ':' || b.value, verdict, reason, proof
            FROM links JOIN identifiers AS a ON a.subject = links.a
                       JOIN identifiers AS b ON b.subject = links.b
            """
        )
        for a, b, verdict, reason, proof in links:
            if verdict in verdicts and proof > 1:
                yield pair_of(a, b), reason

    def _owner(self, seq: int, people: dict[int, Person], names: dict[int, str]) -> Person:
        """As questions find it: by the owners that the ledger is given."""
        owners = dict(self.rows("SELECT subject, identity FROM owners"))
        visits = dict(self.rows("SELECT seq, subject FROM visits WHERE subject <> 0"))
        subject = visits.get(seq, self.whose[seq].subject)
        identity = owners.get(subject, subject)
        if not identity:
            return NOBODY
        return people.get(identity, frozenset({names[identity]}))

    def _creations(self) -> dict[int, tuple[str, bool] | None]:
        rows = self.rows(
            """
            SELECT seq, kind || ':' || value, created, conflict
            FROM creations JOIN identifiers USING (organization_id, number)
            """
        )
        return {seq: None if c != "null" else (name, bool(made)) for seq, name, made, c in rows}

    def _seen_of(self, people: Iterable[Person]) -> set[Person]:
        """What only a rule ever named is nobody yet, and not compared."""
        seen = {x for _, item in self.log for x in getattr(item, "identifiers", ())
                if not isinstance(item, RuleMade)}  # fmt: skip
        seen |= set(self._made())
        return {person & seen for person in people} - {frozenset()}

    def _made(self) -> list[str]:
        return [f"c_user_id:{number}" for number in self._of_creations().values()]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return list(self.connection.execute(sql))


@contextmanager
def new_world() -> Iterator[World]:
    with TemporaryDirectory(prefix="world-") as place:
        world = World(Path(place))
        try:
            yield world
        finally:
            world.close()


def _of_the_same(ours: dict[Any, Any], theirs: dict[Any, Any]) -> tuple[Any, Any]:
    both = ours.keys() & theirs.keys()
    return {key: ours[key] for key in both}, {key: theirs[key] for key in both}


def _is_strong(name: str) -> bool:
    return kind_of(name) != "fingerprint"


def _is_one(reason: str, expected: Answer, pair: Pair) -> bool:
    """Whether a reason, "at most 1 discord", is among those that the oracle found."""
    return reason.split()[-1] in expected.refused.get(pair, ())
