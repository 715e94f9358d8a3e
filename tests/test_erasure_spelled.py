"""Somebody is left with an identifier that only erased events spelled out: the log keeps its text
as long as they are there, and not a moment longer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import msgspec

from endu.assembly import rebuild, verify
from endu.events.event import ErasurePlanned, IdentifierSpelled, Seq, decode_record
from endu.events.frame import read_frame
from endu.settings import Settings
from endu.stores.log_reader import LogReader
from endu.stores.sqlite import connect_to_read
from endu.stores.sqlite_forgetting import unpack
from tests.erasure_files import in_silence, until_it_dies, values_in
from tests.erasure_story import NOT_ON_A_PLATFORM, accounts, wallet
from tests.web_world import World, world_again, world_on


class Two:
    """One whose event was the only one to spell out the other's account; who then went by its
    number. `theirs` are the values that name the second."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.one, self.other = next(accounts), next(accounts)
        self.address = f"0x{int(self.other):040x}"
        self.theirs = [self.other, self.address]
        self.numbers = ["", ""]

    async def tell(self, data: Path) -> None:
        record = self.world.record
        await record(p_user_id=self.one, platform_type="Telegram")
        one = (await self.world.who(telegram=self.one))["c_user_id"]
        await record(c_user_id=one, p_user_id=self.other)
        await self.world.who(discord=self.other)  # once it is settled
        with closing(connect_to_read(data / "directory.db")) as directory:
            named = "SELECT number FROM identifiers WHERE value = ?"
            (other,) = directory.execute(named, (self.other,)).fetchone()
        await record(**NOT_ON_A_PLATFORM, c_user_id=other, **wallet(self.address))
        self.numbers = [one, other]
        assert (await self.world.who(discord=self.other))["c_user_id"] == other

    async def erase(self, which: int) -> Any:
        return await self.world.ask("DELETE", f"/identities/{self.numbers[which]}")

    async def who_is_left(self) -> tuple[str, list[tuple[str, str]]]:
        person = await self.world.who(discord=self.other)
        named = [(each["kind"], each["value"]) for each in person["identifiers"]]
        return person["c_user_id"], sorted(named)


@asynccontextmanager
async def told(data: Path) -> AsyncIterator[Two]:
    async with world_on(data) as world:
        two = Two(world)
        await two.tell(data)
        yield two


async def test_who_is_left_stays_after_a_rebuild_and_nothing_does_once_they_are_erased_too(
    tmp_path: Path,
) -> None:
    data, settings = tmp_path / "data", Settings(data=tmp_path / "data")
    async with told(data) as two:
        await two.erase(0)
        left = await two.who_is_left()
        assert left[0] == two.numbers[1]
    assert values_in(data, [two.one]) == []
    assert [each.text for each in spelled_in(data)] == [f"discord:{two.other}"]
    await asyncio.to_thread(rebuild, settings, in_silence)
    assert (await asyncio.to_thread(verify, settings, in_silence, True)).damage == ()
    async with world_again(two.world, settings) as two.world:
        assert await two.who_is_left() == left
        receipt = await two.erase(1)
        assert receipt["erased"]["records"] == 2  # their event, and the text that was kept
    assert values_in(data, two.theirs) == []
    assert spelled_in(data) == []
    await asyncio.to_thread(rebuild, settings, in_silence)
    assert values_in(data, two.theirs) == []
    assert (await asyncio.to_thread(verify, settings, in_silence, True)).damage == ()


async def test_two_who_are_erased_at_once_leave_nothing_of_either(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with told(data) as two:
        await asyncio.gather(two.erase(0), two.erase(1))
    assert values_in(data, [two.one, *two.theirs]) == []
    assert spelled_in(data) == []


async def test_a_text_is_not_brought_back_by_a_rebuild_while_its_erasure_is_under_way(
    tmp_path: Path,
) -> None:
    data, settings = tmp_path / "data", Settings(data=tmp_path / "data")
    async with told(data) as two:
        await two.erase(0)
    await until_it_dies(data, two.world, two.numbers[1], "erasure written")
    assert [each.text for each in spelled_in(data)] == [f"discord:{two.other}"]
    await asyncio.to_thread(rebuild, settings, in_silence)
    async with world_again(two.world, settings) as again, asyncio.timeout(30):
        while {each["state"] for each in (await again.ask("GET", "/erasures"))["items"]} != {
            "done"
        }:
            await asyncio.sleep(0.05)
    assert values_in(data, two.theirs) == []


def spelled_in(data: Path) -> list[IdentifierSpelled]:
    found = []
    with closing(LogReader(data / "inbox.db")) as log:
        for frame in log.frames(Seq(0)):
            for each in read_frame(frame):
                record = decode_record(each.record)
                if isinstance(record, IdentifierSpelled):
                    found.append(record)
    return found


def test_what_a_version_without_texts_planned_is_read_as_it_was_meant() -> None:
    tombstone, birth, link = (b"hash", 7), (b"other", 8, 9), (7, 8, 3, 9, 1)
    record = ("erasure-planned", "acme", 1, 5, (3, 4), (tombstone,), (birth,), (link,))
    planned = decode_record(msgspec.msgpack.encode(record))
    assert isinstance(planned, ErasurePlanned)
    kept = {"tombstones": (tombstone,), "births": (birth,), "kept": (link,)}
    plan = unpack(msgspec.msgpack.encode(kept))
    assert (plan.births, plan.spelled, plan.seen) == (planned.births, (), planned.seen)
    assert not plan.births[0].asserted
