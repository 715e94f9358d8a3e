"""Every acknowledged event exactly once in the ledger, whatever happens in between."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from endu.events.event import (
    EventDetails,
    FailedEvent,
    FailedEventsDropped,
    RecordId,
    Seq,
)
from endu.events.inbox import Found
from endu.events.ledger import LedgerDamaged, SettledEvent
from endu.ids import record_id
from endu.organizations.organization import Property, PropertyId
from endu.stores.chdb_ledger import ChdbLedger
from endu.stores.memory_inbox import MemoryInbox
from endu.stores.memory_ledger import MemoryLedger
from endu.stores.sqlite import Reader
from endu.stores.sqlite_failed import SqliteFailedEvents
from endu.stores.sqlite_inbox import open_sqlite_inbox
from endu.stores.sqlite_position import SqlitePosition, SqliteProperties
from tests.directory_file import make_directory
from tests.log_world import (
    ACME,
    NOON,
    SCRAMBLE,
    PlainResolver,
    an_entry,
    an_event,
    subject_of,
)
from tests.settling import TornLedger, a_settler, parts_in_memory, seqs_in, settle_all

STEPS = ["taken", "resolved", "booked", "appended", "owned", "visited", "moved"]


class Killed(BaseException):
    """Stands for the end of the process."""


async def test_events_are_settled_in_order_with_whose_they_are() -> None:
    parts = parts_in_memory()
    await parts.inbox.append([an_entry(an_event(identifiers=("discord:1", "wallet:x")))])
    await parts.inbox.append([an_entry(an_event(identifiers=("discord:2",)))])
    settler = await settle_all(parts)
    assert isinstance(parts.ledger, MemoryLedger)
    first, second = (row for _, row in parts.ledger.rows)
    assert first.event == an_event(identifiers=("discord:1", "wallet:x"))
    assert (first.subject, first.others) == (subject_of("discord:1"), (subject_of("wallet:x"),))
    assert second.subject == subject_of("discord:2")
    assert parts.ledger.owners[subject_of("wallet:x")].identity == subject_of("discord:1")
    assert settler.watermark == await parts.position.watermark() == 2
    assert await settler.settle_once() == 0


@pytest.mark.parametrize("step", STEPS)
async def test_killed_after_any_step_nothing_is_lost_or_doubled(step: str) -> None:
    parts = parts_in_memory()
    await parts.inbox.append([an_entry() for _ in range(10)])

    def kill(reached: str) -> None:
        if reached == step:
            raise Killed

    with pytest.raises(Killed):
        await (await a_settler(parts, kill)).settle_once()
    await parts.inbox.append([an_entry() for _ in range(5)])
    await settle_all(parts)
    assert await seqs_in(parts) == list(range(1, 16))
    assert await parts.position.watermark() == 15


@settings(max_examples=100, deadline=None)
@example(lives=[(2, "appended"), (1, "none")], count=2)
@given(
    st.lists(st.tuples(st.integers(1, 7), st.sampled_from([*STEPS, "none"])), max_size=12),
    st.integers(1, 40),
)
async def test_killed_again_and_again_in_portions_of_any_size(
    lives: list[tuple[int, str]], count: int
) -> None:
    parts = parts_in_memory()
    await parts.inbox.append([an_entry() for _ in range(count)])
    for limit, last_step in lives:

        def kill(reached: str, last_step: str = last_step) -> None:
            if reached == last_step:
                raise Killed

        settler = await a_settler(parts, kill)
        try:
            while await settler.settle_once(limit):
                pass
        except Killed:
            continue
    await settle_all(parts)
    assert await seqs_in(parts) == list(range(1, count + 1))


async def test_a_torn_insert_is_completed_not_repeated() -> None:
    parts = parts_in_memory(ledger=TornLedger([LedgerDamaged("torn"), OSError("full")]))
    await parts.inbox.append([an_entry() for _ in range(9)])
    settler = await a_settler(parts)
    for _ in range(2):
        with pytest.raises((LedgerDamaged, OSError)):
            await settler.settle_once()
        assert settler.watermark == await parts.position.watermark() == 0
    assert await settler.settle_once() == 9
    assert await seqs_in(parts) == list(range(1, 10))


async def test_one_event_that_cannot_be_settled_goes_aside_with_its_reason() -> None:
    resolver = PlainResolver({"discord:13": ZeroDivisionError("by nobody")})
    parts = parts_in_memory(resolver=resolver)
    await parts.inbox.append(
        [an_entry(an_event(identifiers=(f"discord:{n}",))) for n in range(1, 101)]
    )
    settler = await settle_all(parts)
    (aside,) = await parts.position.aside(0, 9)
    assert (aside.seq, aside.reason, aside.at_ms) == (13, "ZeroDivisionError: by nobody", NOON)
    assert await seqs_in(parts) == [n for n in range(1, 101) if n != 13]
    assert settler.watermark == 100
    assert settler.counters.set_aside == 1


async def test_an_error_of_the_ledger_that_one_row_causes_sets_only_that_aside() -> None:
    class Picky(MemoryLedger):
        async def append(self, source: int, rows: Sequence[SettledEvent]) -> None:
            if any(row.event.proof > 255 for row in rows):
                raise OverflowError("does not fit")
            await super().append(source, rows)

    parts = parts_in_memory(ledger=Picky())
    await parts.inbox.append([an_entry(an_event(proof=p)) for p in (1, 2, 300, 1)])
    await settle_all(parts)
    assert await seqs_in(parts) == [1, 2, 4]
    assert [record.seq for record in await parts.position.aside(0, 9)] == [3]


async def test_damaged_and_undecodable_records_go_aside() -> None:
    class Damaged(MemoryInbox):
        async def take(self, after: Seq, limit: int) -> list[Found]:
            found = await super().take(after, limit)
            return [replace(each, intact=each.seq != 2) for each in found]

    parts = parts_in_memory(inbox=Damaged())
    deep = b"\x91" * 5_000 + b"\xc0"
    bad = [an_entry(b""), an_entry(b"\xa4\xff\xff\xff\xff"), an_entry(deep), an_entry(b"\x91\xa1x")]
    await parts.inbox.append([an_entry(), an_entry(), *bad, an_entry()])
    await settle_all(parts)
    assert await seqs_in(parts) == [1, 7]
    assert [record.seq for record in await parts.position.aside(0, 9)] == [2, 3, 4, 5, 6]


def failed_event(**changes: Any) -> FailedEvent:
    facts: dict[str, Any] = {
        "organization_id": ACME,
        "received_at_ms": NOON,
        "reason": "NOBODY_NAMED",
        "text": "",
        "problems": (),
        "body": b"{}",
        "key_kind": "secret",
    }
    return FailedEvent(**{**facts, **changes})


async def test_failed_events_are_kept_passed_and_dropped() -> None:
    parts = parts_in_memory()
    await parts.inbox.append([an_entry(failed_event()) for _ in range(3)])
    replay = EventDetails(replay_of=record_id(SCRAMBLE, 0, 2, NOON))
    other = EventDetails(replay_of=RecordId("never an id of ours"))
    dropped = FailedEventsDropped(organization_id=ACME, received_at_ms=NOON, seqs=(3,))
    await parts.inbox.append(
        [
            an_entry(an_event(details=msgspec.json.encode(replay))),
            an_entry(an_event(details=msgspec.json.encode(other))),
            an_entry(dropped),
        ]
    )
    await settle_all(parts)
    assert [f.seq for f in await parts.failed.all(ACME, None, 0, 9)] == [1]
    assert [(f.seq, f.passed) for f in await parts.failed.find(ACME, [1, 2, 3])] == [
        (1, None),
        (2, 4),
    ]
    assert await seqs_in(parts) == [4, 5]
    assert await parts.position.count_aside() == 0


async def test_properties_are_known_from_the_events_that_name_them() -> None:
    parts = parts_in_memory()
    site = PropertyId("site")
    await parts.inbox.append(
        [
            an_entry(an_event(property_id=site, received_at_ms=NOON + 2)),
            an_entry(an_event(property_id=site, received_at_ms=NOON + 1)),
        ]
    )
    await settle_all(parts)
    assert await parts.properties.of(ACME) == [Property(site, NOON + 1)]


async def test_only_what_is_new_is_told_to_the_ledger_again() -> None:
    parts = parts_in_memory()
    await parts.inbox.append([an_entry()])
    settler = await settle_all(parts)
    await settler.show()
    await parts.inbox.append([an_entry()])
    await settler.settle_once()
    assert not settler.unseen
    await parts.inbox.append([an_entry(an_event(identifiers=("discord:2",)))])
    await settler.settle_once()
    assert settler.unseen


@pytest.mark.parametrize("step", STEPS)
async def test_killed_after_any_step_over_the_real_stores(
    tmp_path: Path, chdb_ledger: ChdbLedger, step: str
) -> None:
    connection = make_directory(tmp_path / "directory.db")
    reader = Reader(tmp_path / "directory.db")
    async with open_sqlite_inbox(tmp_path / "inbox.db", bytes(16)) as inbox:
        parts = parts_in_memory(
            inbox=inbox,
            ledger=chdb_ledger,
            failed=SqliteFailedEvents(connection, reader),
            properties=SqliteProperties(connection, reader),
            position=SqlitePosition(connection, reader, 0),
        )
        await inbox.append([an_entry(an_event(identifiers=(f"discord:{n}",))) for n in range(50)])

        def kill(reached: str) -> None:
            if reached == step:
                raise Killed

        with pytest.raises(Killed):
            await (await a_settler(parts, kill)).settle_once()
        settler = await settle_all(parts)
        await settler.show()
        assert await seqs_in(parts) == list(range(1, 51))
        assert await parts.position.watermark() == 50
    reader.close()
    connection.close()
