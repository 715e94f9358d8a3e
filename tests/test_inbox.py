"""Promises of every inbox, then of the one that lies on a disk."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endu.events.event import Seq
from endu.events.inbox import Entry, Inbox, Kept, NotDurable
from endu.stores.memory_inbox import MemoryInbox
from endu.stores.sqlite import connect
from endu.stores.sqlite_inbox import open_sqlite_inbox
from endu.stores.sqlite_log import RESERVED
from tests.log_world import NOON, an_entry, records

START = Seq(0)


async def test_records_come_back_in_the_order_they_were_accepted(inbox: Inbox) -> None:
    kept = [(await inbox.append([an_entry(b"%d" % n)]))[0] for n in range(5)]
    assert [each.seq for each in kept] == [1, 2, 3, 4, 5]
    found = await inbox.take(START, 100)
    assert [each.record for each in found] == [b"0", b"1", b"2", b"3", b"4"]
    assert [each.seq for each in found] == [1, 2, 3, 4, 5]
    assert all(each.intact for each in found)
    assert inbox.end == 5


async def test_taking_is_not_forgetting(inbox: Inbox) -> None:
    await inbox.append([an_entry(b"one")])
    assert await inbox.take(START, 1) == await inbox.take(START, 1)
    assert await records(inbox, inbox.end) == []


async def test_taking_goes_on_anywhere(inbox: Inbox) -> None:
    await inbox.append([an_entry(b"%d" % n) for n in range(5)])
    await inbox.append([an_entry(b"5")])
    for after in range(7):
        assert await records(inbox, Seq(after)) == [b"%d" % n for n in range(after, 6)]


async def test_an_append_is_kept_whole_and_in_its_order(inbox: Inbox) -> None:
    kept = await inbox.append([an_entry(b"a"), an_entry(b"b")])
    assert kept == [Kept(Seq(1), NOON), Kept(Seq(2), NOON)]
    assert await inbox.append([]) == []


async def test_a_crowd_of_callers_is_accepted_whole(inbox: Inbox) -> None:
    crowd = await asyncio.gather(*(inbox.append([an_entry(b"%d" % n)]) for n in range(500)))
    assert [kept.seq for (kept,) in crowd] == list(range(1, 501))
    assert await records(inbox) == [b"%d" % n for n in range(500)]


async def test_the_same_message_is_stored_once(inbox: Inbox) -> None:
    (first,) = await inbox.append([an_entry(b"x", "m1", "buy")])
    again = Entry(b"x", NOON + 5, an_entry(b"x", "m1", "buy").message)
    (second,) = await inbox.append([again])
    assert second == Kept(first.seq, NOON, duplicate=True)
    assert await records(inbox) == [b"x"]


async def test_the_same_message_a_thousand_times_at_once(inbox: Inbox) -> None:
    crowd = await asyncio.gather(*(inbox.append([an_entry(b"x", "m")]) for _ in range(1_000)))
    assert {kept.seq for (kept,) in crowd} == {1}
    assert sum(not kept.duplicate for (kept,) in crowd) == 1
    assert await records(inbox) == [b"x"]


async def test_a_message_id_with_another_body_is_kept_and_marked(inbox: Inbox) -> None:
    await inbox.append([an_entry(b"x", "m", "one")])
    (second,) = await inbox.append([an_entry(b"y", "m", "two")])
    assert (second.seq, second.duplicate, second.reused) == (2, False, True)
    assert [found.reused for found in await inbox.take(START, 10)] == [False, True]


async def test_messages_are_told_apart_inside_one_append(inbox: Inbox) -> None:
    kept = await inbox.append(
        [
            an_entry(b"a", "m1", "one"),
            an_entry(b"a", "m1", "one"),
            an_entry(b"b", "m1", "two"),
            an_entry(b"c", "m2", "one"),
            an_entry(b"d"),
        ]
    )
    assert [each.seq for each in kept] == [1, 1, 2, 3, 4]
    assert [each.duplicate for each in kept] == [False, True, False, False, False]
    assert [each.reused for each in kept] == [False, False, True, False, False]
    assert await records(inbox) == [b"a", b"b", b"c", b"d"]


async def test_an_arrival_wakes_whoever_waits(inbox: Inbox) -> None:
    waiting = asyncio.create_task(inbox.arrival(START))
    await inbox.append([an_entry()])
    await waiting
    await inbox.arrival(START)
    assert inbox.end > START


async def test_nothing_arrives_behind_the_end(inbox: Inbox) -> None:
    await inbox.append([an_entry()])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(inbox.arrival(inbox.end), 0.01)


sent = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("12")), max_size=12)


@settings(max_examples=25, deadline=None)
@given(sent, st.integers(1, 5))
async def test_both_inboxes_answer_alike(
    tmp_path_factory: pytest.TempPathFactory, messages: list[tuple[str, str]], at_once: int
) -> None:
    entries = [an_entry(f"{m}{b}".encode(), m, b) for m, b in messages]
    groups = [entries[start : start + at_once] for start in range(0, len(entries), at_once)]
    memory = MemoryInbox()
    path = tmp_path_factory.mktemp("log") / "inbox.db"
    async with open_sqlite_inbox(path, bytes(16)) as inbox:
        for group in groups:
            assert await inbox.append(group) == await memory.append(group)
        assert await inbox.take(START, 100) == await memory.take(START, 100)


async def test_closing_answers_everyone_who_was_already_waiting(tmp_path: Path) -> None:
    async with open_sqlite_inbox(tmp_path / "inbox.db", bytes(16)) as inbox:
        crowd = [asyncio.create_task(inbox.append([an_entry()])) for _ in range(50)]
        await asyncio.sleep(0)
    assert {kept.seq for (kept,) in await asyncio.gather(*crowd)} == set(range(1, 51))
    with pytest.raises(NotDurable):
        await inbox.append([an_entry()])
    async with open_sqlite_inbox(tmp_path / "inbox.db", bytes(16)) as again:
        assert len(await records(again)) == 50


async def test_the_secret_and_the_source_stay(tmp_path: Path) -> None:
    async with open_sqlite_inbox(tmp_path / "inbox.db", b"0123456789abcdef", 7) as inbox:
        first = inbox.scramble
    async with open_sqlite_inbox(tmp_path / "inbox.db", bytes(16), 9) as inbox:
        assert inbox.scramble == first
        assert inbox.source == 7


async def test_a_message_is_known_after_a_restart(tmp_path: Path) -> None:
    async with open_sqlite_inbox(tmp_path / "inbox.db", bytes(16)) as inbox:
        await inbox.append([an_entry(b"x", "m")])
    async with open_sqlite_inbox(tmp_path / "inbox.db", bytes(16)) as inbox:
        (kept,) = await inbox.append([an_entry(b"x", "m")])
        assert kept == Kept(Seq(1), NOON, duplicate=True)


async def test_places_go_on_without_a_gap_after_an_orderly_end(tmp_path: Path) -> None:
    for expected in (1, 2, 3):
        async with open_sqlite_inbox(tmp_path / "inbox.db", bytes(16)) as inbox:
            (kept,) = await inbox.append([an_entry()])
            assert kept.seq == expected


async def test_a_lost_tail_never_makes_a_place_be_used_twice(tmp_path: Path) -> None:
    """A process that is killed leaves its WAL; one flipped byte in it loses all behind that."""
    path = tmp_path / "inbox.db"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert killed.returncode == -9
    Path(f"{path}-wal").unlink()
    async with open_sqlite_inbox(path, bytes(16)) as inbox:
        (kept,) = await inbox.append([an_entry()])
        assert 100 < kept.seq <= RESERVED + 200


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from endu.events.inbox import Entry
from endu.stores.sqlite_inbox import open_sqlite_inbox

async def main():
    async with open_sqlite_inbox(Path(sys.argv[1]), bytes(16)) as inbox:
        for n in range(100):
            await inbox.append([Entry(b"record", 1)])
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_a_settled_place_above_the_end_is_an_alarm(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_sqlite_inbox(tmp_path / "inbox.db", bytes(16), floor=41) as inbox:
        assert "records are missing" in caplog.text
        (kept,) = await inbox.append([an_entry()])
        assert kept.seq == 42


async def test_a_caller_that_hung_up_harms_nobody(tmp_path: Path) -> None:
    async with open_sqlite_inbox(tmp_path / "inbox.db", bytes(16)) as inbox:
        gone = asyncio.create_task(inbox.append([an_entry(b"gone")]))
        await asyncio.sleep(0)
        gone.cancel()
        await inbox.append([an_entry(b"stays")])
        assert await records(inbox) == [b"gone", b"stays"]


async def test_damaged_records_are_found_and_do_not_stop_the_others(tmp_path: Path) -> None:
    path = tmp_path / "inbox.db"
    async with open_sqlite_inbox(path, bytes(16)) as inbox:
        for texts in ((b"aaaa", b"bbbb"), (b"cccc", b"dddd"), (b"eeee",)):
            await inbox.append([an_entry(text) for text in texts])
        other = connect(path)
        body = other.execute("SELECT body FROM frames WHERE first = 1").fetchone()[0]
        other.execute("UPDATE frames SET body = ? WHERE first = 1", (body.replace(b"bb", b"b!"),))
        other.execute("UPDATE frames SET body = x'00' WHERE first = 3")
        other.close()
        found = await inbox.take(START, 100)
        assert [each.seq for each in found] == [1, 2, 3, 4, 5]
        assert [each.intact for each in found] == [True, False, False, False, True]
