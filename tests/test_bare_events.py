"""What is left of an event is what identity follows from: in the log, and in the ledger's rows."""

import os
from collections.abc import Iterable
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from endu.events.bare import bare_of, check_of
from endu.events.event import (
    BareEvent,
    Erased,
    Event,
    FailedEvent,
    FailedEventsDropped,
    Logged,
    Record,
    Seq,
    decode_record,
    encode_record,
)
from endu.events.frame import read_frame
from endu.events.keeping import Leaves
from endu.events.ledger import Ledger, LedgerDamaged, SettledEvent
from endu.events.portion import Books, evidence_of, note_in
from endu.events.visits import ON_DEVICE
from endu.identities.identifier import Subject
from endu.ids import record_id
from endu.stores.chdb_ledger import ChdbLedger
from endu.stores.ledger_bare import BARE_EVENTS
from tests.log_world import ACME, NOON, SCRAMBLE, an_entry, an_event
from tests.sealing_world import files_of, frames_of, open_log, places
from tests.test_healing import parts_of

EXAMPLES = 15 * int(os.environ.get("ENDU_LONG", "1"))
SECRET_DATA = b'{"text":"nobody is to know"}'

texts = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=8)
times = st.integers(0, 4_102_444_800_000)  # until 2100
subjects = st.integers(0, 5)


@st.composite
def events(draw: st.DrawFn) -> Event:
    failed = record_id(SCRAMBLE, 0, draw(st.integers(1, 99)), NOON)
    details = draw(st.sampled_from([b"", b'{"replay_of":"%s"}' % failed.encode()]))
    return an_event(
        identifiers=tuple(f"discord:{text}" for text in draw(st.lists(texts, max_size=3))),
        happened_at_ms=draw(times),
        claimed_at_ms=draw(times),
        received_at_ms=draw(times),
        proof=draw(st.integers(0, 2)),
        data=SECRET_DATA,
        details=details,
    )


@st.composite
def rows(draw: st.DrawFn) -> list[SettledEvent]:
    found = draw(st.lists(events(), min_size=1, max_size=12))
    return [_row(seq, event, draw) for seq, event in enumerate(found, 1)]


def _row(seq: int, event: Event, draw: st.DrawFn) -> SettledEvent:
    others = tuple(map(Subject, draw(st.lists(subjects, max_size=2))))
    subject, device = Subject(draw(subjects)), Subject(draw(subjects))
    check = crc32(encode_record(event))
    return SettledEvent(Seq(seq), event, check, False, subject, others, device)


@given(events())
def test_identity_and_the_books_are_told_the_same(event: Event) -> None:
    bare = bare_of(event)
    assert decode_record(encode_record(bare)) == bare
    assert SECRET_DATA not in encode_record(bare) and b"type-1" not in encode_record(bare)
    assert told(bare) == told(event)


def told(record: Record) -> tuple[object, Books]:
    logged = [Logged(Seq(3), record, 0)]
    books = Books([], [], [], {})
    note_in(books, logged, 0, SCRAMBLE)
    return evidence_of(logged), books


@given(rows(), st.data())
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_whichever_rows_go_who_was_seen_when_is_found_as_before(
    chdb_ledger: ChdbLedger, written: list[SettledEvent], data: st.DataObject
) -> None:
    for table in ("endu.events", BARE_EVENTS):
        chdb_ledger._writer.command(f"TRUNCATE TABLE {table}")
    await chdb_ledger.last(0)
    await chdb_ledger.append(0, written)
    before = await seen(chdb_ledger)
    going = data.draw(st.lists(st.sampled_from([row.seq for row in written]), unique=True))
    for _ in range(2):
        await chdb_ledger.eraser(0).let_go(going)
        assert await seen(chdb_ledger) == before
        assert [seq for seq, _ in await chdb_ledger.checks(0, 1, 99)] == [
            row.seq for row in written if row.seq not in going
        ]
        due = [(row.seq, check_of(bare_of(event_of(row)))) for row in written if row.seq in going]
        assert await chdb_ledger.bare_checks(0, 1, 99) == due
        assert await chdb_ledger.present(0, Seq(1), Seq(99)) == {row.seq for row in written}


async def seen(ledger: Ledger) -> list[object]:
    asked = {"org": ACME, "subjects": list(range(6)), "from": 0, "to": 1 << 42}
    every = await ledger.ask(ON_DEVICE, {**asked, "devices": []})
    return sorted(every) + sorted(await ledger.ask(ON_DEVICE, {**asked, "devices": [1, 2]}))


def event_of(row: SettledEvent) -> Event:
    assert isinstance(row.event, Event)
    return row.event


async def test_a_row_stays_where_what_is_left_of_it_was_not_written(
    chdb_ledger: ChdbLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = SettledEvent(Seq(1), an_event(), 7, False, Subject(1), (), Subject(0))
    await chdb_ledger.append(0, [row])
    lay = "endu.stores.ledger_erasing.LAY_MISSING"
    with monkeypatch.context() as failing:
        failing.setattr(lay, f"OPTIMIZE TABLE {BARE_EVENTS}")  # as if nothing had been written
        with pytest.raises(LedgerDamaged):
            await chdb_ledger.eraser(0).let_go([Seq(1)])
    assert await chdb_ledger.checks(0, 1, 9) == [(1, 7)]
    await chdb_ledger.eraser(0).let_go([Seq(1)])
    assert await chdb_ledger.checks(0, 1, 9) == []


async def test_what_is_left_is_settled_into_the_ledger_and_watched_like_events(
    chdb_ledger: ChdbLedger,
) -> None:
    bare = bare_of(an_event())
    row = SettledEvent(Seq(4), bare, check_of(bare), False, Subject(1), (), Subject(0))
    await chdb_ledger.append(0, [row])
    assert await chdb_ledger.bare_checks(0, 1, 9) == [(4, check_of(bare))]
    assert await chdb_ledger.last(0) == 4
    (path,) = parts_of(chdb_ledger, BARE_EVENTS).values()
    os.truncate(path / "data.bin", 1)
    await chdb_ledger.parts.mend()
    assert [part.table for part in await chdb_ledger.parts.lost()] == [BARE_EVENTS]


async def test_records_leave_what_is_evidence_wherever_the_log_has_them(tmp_path: Path) -> None:
    failed = FailedEvent(organization_id=ACME, received_at_ms=NOON, reason="INVALID_EVENT", text="",
                         problems=(), body=SECRET_DATA, key_kind="secret")  # fmt: skip
    dropped = FailedEventsDropped(organization_id=ACME, received_at_ms=NOON, seqs=(2,))
    event = an_event(data=SECRET_DATA)
    async with open_log(tmp_path) as log:
        for _ in range(60):
            await log.inbox.append([an_entry(each) for each in (event, failed, dropped)])
        await log.seal_all()
        await log.sealer.erase(places([1, 2, 3, 178, 179, 180]), Leaves.EVIDENCE)
        found = records_of(tmp_path, (1, 2, 3, 4, 177, 178, 179, 180))
        erased = Erased(organization_id=ACME, received_at_ms=NOON)
        gone = [bare_of(event), erased, dropped]
        assert found == [*gone, event, dropped, *gone]
        files, frames = files_of(tmp_path), frames_of(tmp_path)
        await log.sealer.erase(places([1, 2, 3, 178, 179, 180]), Leaves.EVIDENCE)
        assert (files_of(tmp_path), frames_of(tmp_path)) == (files, frames)
        await log.sealer.erase(places([1, 178]))
        assert records_of(tmp_path, (1, 178)) == [erased, erased]


async def test_a_damaged_record_stays_damaged(tmp_path: Path) -> None:
    async with open_log(tmp_path) as log:
        await log.inbox.append([an_entry(), an_entry(an_event(data=SECRET_DATA))])
        (frame,) = frames_of(tmp_path)
        log.inbox._writer._connection.execute(
            "UPDATE frames SET body = ?", (frame.body.replace(b"nobody", b"anyone"),)
        )
        await log.sealer.erase(places([1, 2]), Leaves.EVIDENCE)
        left, damaged = await log.inbox.take(Seq(0), 5)
    assert isinstance(decode_record(left.record), BareEvent)
    assert not damaged.intact and b"anyone" in damaged.record


def records_of(root: Path, seqs: Iterable[int]) -> list[Record]:
    found = {each.seq: each for frame in frames_of(root) for each in read_frame(frame)}
    assert all(each.intact for each in found.values())
    return [decode_record(found[Seq(seq)].record) for seq in seqs]
