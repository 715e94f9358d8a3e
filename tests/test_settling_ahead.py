"""The next batch is resolved while the ledger takes one in; and whatever happens then, every
event is settled exactly once and as if its batch had come alone."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from endu.events.ledger import LedgerDamaged, SettledEvent
from endu.events.mark import Mark
from endu.events.visits import ON_DEVICE, Visits
from endu.identities.evidence import Evidence, Resolution
from endu.identities.resolver import Resolver
from endu.stores.memory_inbox import MemoryInbox
from endu.stores.memory_ledger import MemoryLedger
from endu.stores.sqlite import Reader, connect
from endu.stores.sqlite_casebook import SqliteCasebook
from endu.stores.sqlite_position import SqlitePosition
from endu.stores.sqlite_visits import SqliteOwners, SqliteVisitBook
from tests.directory_file import make_directory
from tests.log_world import NOON, SCRAMBLE, PlainResolver, an_entry, an_event
from tests.settling import TornLedger, a_settler, parts_in_memory, seqs_in

STEPS = ["taken", "resolved", "booked", "appended", "owned", "visited", "moved"]
MINUTE = 60_000


class Killed(BaseException):
    """Stands for the end of the process."""


class SlowLedger(MemoryLedger):
    """Takes nothing in before it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.let = asyncio.Event()

    async def append(self, source: int, rows: Sequence[SettledEvent]) -> None:
        await self.let.wait()
        await super().append(source, rows)


class PatientLedger(MemoryLedger):
    """Takes a batch in once the next one is resolved, where a whole one waits, and answers the
    one question that visits ask."""

    def __init__(self, inbox: MemoryInbox, limit: int) -> None:
        super().__init__()
        self._inbox = inbox
        self.limit = limit
        self.resolved = Mark()

    async def append(self, source: int, rows: Sequence[SettledEvent]) -> None:
        last = max((row.seq for row in rows), default=self._inbox.end)
        if self._inbox.end - last >= self.limit:
            await self.resolved.reaches(last + 1)
        await super().append(source, rows)

    async def ask(self, sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        assert sql == ON_DEVICE
        return [
            (row.seq, row.event.happened_at_ms, row.subject, row.others, row.fingerprint)
            for _, row in self.rows
            if row.subject in values["subjects"]
            and row.fingerprint in values["devices"]
            and values["from"] <= row.event.happened_at_ms <= values["to"]
        ]


class Witness:
    """Tells the ledger how far the resolver has come."""

    def __init__(self, resolver: Resolver, ledger: PatientLedger) -> None:
        self._resolver = resolver
        self._ledger = ledger

    async def resolve(self, batch: Sequence[tuple[int, Evidence]]) -> Resolution:
        resolution = await self._resolver.resolve(batch)
        self._ledger.resolved.move(batch[-1][0])
        return resolution


class FailingResolver(PlainResolver):
    """Its storage fails as many times as it is told, from the second batch on."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.resolved: list[int] = []
        self._failures = failures

    async def resolve(self, batch: Sequence[tuple[int, Evidence]]) -> Resolution:
        if self.resolved and self._failures:
            self._failures -= 1
            raise OSError("no room")
        self.resolved.append(batch[0][0])
        return await super().resolve(batch)


async def test_the_next_batch_is_resolved_while_the_ledger_takes_one_in() -> None:
    ledger, resolver = SlowLedger(), FailingResolver(0)
    parts = parts_in_memory(ledger=ledger, resolver=resolver)
    await parts.inbox.append([an_entry() for _ in range(9)])
    ahead = asyncio.Event()

    def notice(step: str) -> None:
        if step == "booked" and len(resolver.resolved) == 2:
            ahead.set()

    settler = await a_settler(parts, notice)
    settling = asyncio.create_task(settler.settle_once(3))
    await asyncio.wait_for(ahead.wait(), 5)
    assert (resolver.resolved, settler.watermark, ledger.rows) == ([1, 4], 0, [])
    ledger.let.set()
    assert await settling == 3
    assert settler.watermark == await parts.position.watermark() == 3
    assert await seqs_in(parts) == [1, 2, 3]
    assert [await settler.settle_once(3), await settler.settle_once(3)] == [3, 3]
    assert resolver.resolved == [1, 4, 7]
    assert await seqs_in(parts) == list(range(1, 10))


async def test_what_is_not_a_whole_batch_is_left_to_gather() -> None:
    resolver = FailingResolver(0)
    parts = parts_in_memory(resolver=resolver)
    await parts.inbox.append([an_entry() for _ in range(5)])
    settler = await a_settler(parts)
    assert await settler.settle_once(3) == 3
    assert resolver.resolved == [1]


async def test_an_append_that_fails_drops_what_was_resolved_ahead() -> None:
    resolver = FailingResolver(0)
    parts = parts_in_memory(resolver=resolver, ledger=TornLedger([LedgerDamaged("torn")]))
    await parts.inbox.append([an_entry() for _ in range(9)])
    settler = await a_settler(parts)
    with pytest.raises(LedgerDamaged):
        await settler.settle_once(3)
    assert settler.watermark == await parts.position.watermark() == 0
    while await settler.settle_once(3):
        pass
    assert resolver.resolved == [1, 4, 1, 4, 7]
    assert await seqs_in(parts) == list(range(1, 10))


async def test_storage_that_fails_ahead_does_not_fail_the_batch_before() -> None:
    resolver = FailingResolver(2)
    parts = parts_in_memory(resolver=resolver)
    await parts.inbox.append([an_entry() for _ in range(6)])
    settler = await a_settler(parts)
    assert await settler.settle_once(3) == 3
    assert settler.watermark == await parts.position.watermark() == 3
    with pytest.raises(OSError, match="no room"):
        await settler.settle_once(3)
    assert await settler.settle_once(3) == 3
    assert await seqs_in(parts) == list(range(1, 7))


async def test_a_record_that_cannot_be_resolved_ahead_goes_aside_in_its_turn() -> None:
    resolver = PlainResolver({"discord:5": ZeroDivisionError("by nobody")})
    parts = parts_in_memory(resolver=resolver)
    await parts.inbox.append(
        [an_entry(an_event(identifiers=(f"discord:{n}",))) for n in range(1, 10)]
    )
    settler = await a_settler(parts)
    assert await settler.settle_once(3) == 3
    assert await parts.position.count_aside() == 0
    assert [await settler.settle_once(3), await settler.settle_once(3)] == [3, 3]
    assert [each.seq for each in await parts.position.aside(0, 9)] == [5]
    assert await seqs_in(parts) == [n for n in range(1, 10) if n != 5]


@pytest.mark.parametrize("story", ["on_shared_devices", "joined_in_two_batches"])
@pytest.mark.parametrize("times", [1, 2, 3, 4])
@pytest.mark.parametrize("step", STEPS)
async def test_killed_at_any_step_with_two_batches_in_hand(
    tmp_path: Path, step: str, times: int, story: str
) -> None:
    inbox = MemoryInbox()
    await inbox.append([an_entry(event) for event in globals()[story]()])
    ledger, alone = PatientLedger(inbox, 6), PatientLedger(inbox, 1_000)
    left = times

    def kill(reached: str) -> None:
        nonlocal left
        left -= reached == step
        if left <= 0:  # and whoever is still at work with the other batch dies a step later
            ledger.resolved.move(inbox.end)
            raise Killed

    killed, undisturbed = tmp_path / "killed.db", tmp_path / "undisturbed.db"
    with pytest.raises(Killed):
        await settle_over(killed, inbox, ledger, kill)
    ledger.resolved = Mark()
    await settle_over(killed, inbox, ledger)
    await settle_over(undisturbed, inbox, alone)
    assert sorted(ledger.rows, key=lambda row: row[1].seq) == alone.rows
    assert what_it_says(killed) == what_it_says(undisturbed)
    assert owners_in(ledger) == owners_in(alone) != {}
    assert visits_in(ledger) == visits_in(alone) != {}


def on_shared_devices() -> list[Any]:
    """Two browsers that are shared from the first batch on. In the third, which is resolved while
    the ledger takes in the second, those who share one turn out to be one person: everything on
    it is given out anew, though nothing happens on it any more. The other one goes on."""
    named = [
        ("discord:1", "fingerprint:f"),
        ("fingerprint:f",),
        ("wallet:x", "fingerprint:f"),
        ("discord:2", "fingerprint:g"),
        ("discord:3", "fingerprint:g"),
        ("fingerprint:g",),
        *[("fingerprint:g",)] * 6,
        ("discord:1", "wallet:x"),
        *[("discord:3", "fingerprint:g"), ("fingerprint:g",)] * 6,
        ("discord:2", "wallet:x"),
        *[("fingerprint:g",), ("discord:2", "fingerprint:g")] * 2,
    ]
    return [
        an_event(identifiers=identifiers, happened_at_ms=NOON + n * 10 * MINUTE)
        for n, identifiers in enumerate(named)
    ]


def joined_in_two_batches() -> list[Any]:
    """A browser of several people, two of whom stand at one second, so that a visit near it is
    nobody's. In the second batch two others turn out to be one, and in the third, which is resolved
    meanwhile, these two: everything on it is given out anew both times."""
    told = [
        (0, "discord:1", "fingerprint:f"),
        (99, "discord:2", "fingerprint:f"),
        (99, "telegram:3", "fingerprint:f"),
        (98, "fingerprint:f"),
        (1, "fingerprint:f"),
        (200, "telegram:4", "fingerprint:f"),
        (300, "discord:1", "telegram:4"),
        *[(300, "discord:9")] * 5,
        (300, "discord:2", "telegram:3"),
        *[(300, "discord:9")] * 11,
    ]
    return [
        an_event(identifiers=tuple(identifiers), happened_at_ms=NOON + minute * MINUTE)
        for minute, *identifiers in told
    ]


async def settle_over(
    place: Path, inbox: MemoryInbox, ledger: PatientLedger, at_each_step: Any = str
) -> None:
    """A life: begun over the directory as the last one left it, ended when all is settled."""
    if not place.exists():
        make_directory(place).close()
    with ExitStack() as stack:
        connection, reading = (stack.enter_context(closing(connect(place))) for _ in range(2))
        reader = stack.enter_context(closing(Reader(place)))
        parts = parts_in_memory(
            inbox=inbox,
            ledger=ledger,
            position=SqlitePosition(connection, reader, inbox.source),
            owners=SqliteOwners(reading),
            visits=Visits(SqliteVisitBook(connection, reading), ledger),
        )
        resolver = Resolver(SqliteCasebook(connection), SCRAMBLE, inbox.source)
        parts = replace(parts, resolver=Witness(resolver, ledger))
        settler = await a_settler(parts, at_each_step)
        while await settler.settle_once(ledger.limit):
            pass


def what_it_says(place: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Whose everything is, by the directory; versions and the journal tell of how it came."""
    with closing(connect(place)) as connection:
        return {
            said: connection.execute(said).fetchall()
            for said in (
                "SELECT * FROM identifiers ORDER BY subject",
                "SELECT * FROM links ORDER BY a, b",
                "SELECT * FROM sightings ORDER BY fingerprint, subject, before",
                "SELECT seq, subject FROM visits WHERE subject <> 0 ORDER BY seq",
                "SELECT * FROM reviews",
            )
        }


def owners_in(ledger: MemoryLedger) -> dict[int, int]:
    """To be one's own is to have no owner."""
    changes = ledger.owners.values()
    return {c.subject: c.identity for c in changes if c.subject != c.identity}


def visits_in(ledger: MemoryLedger) -> dict[int, int]:
    return {c.seq: c.subject for c in ledger.visits.values() if c.subject}
