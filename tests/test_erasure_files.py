"""What was erased is in no file, however often the server is killed meanwhile, and settling the
log again brings nothing of it back."""

import asyncio
import os
from pathlib import Path

import pytest

from endu.announcements import CannotRun
from endu.assembly import rebuild, verify
from endu.settings import Settings
from tests.erasure_files import in_silence, until_it_dies, values_in
from tests.erasure_story import Story, accounts
from tests.web_world import World, world_again, world_on

# What the settler does, then each step of carrying it out.
STEPS = ("owned", "log erased")
MORE = ("erasure found", "erasure written", "erasure planned", "ledger washed",
        "directory washed", "erasure told")  # fmt: skip
KILLED_AT = STEPS if os.environ.get("ENDU_LONG", "1") == "1" else STEPS + MORE

# Of before the last erasure: what was merged since is of rows that were left.
OLD_PARTS = """
SELECT path FROM system.parts
 WHERE database = 'endu' AND table = 'events' AND NOT active AND data_version < (
   SELECT max(arrayMax(block_numbers.number)) FROM system.mutations WHERE table = 'events'
 )
"""
SAID = "SELECT identifiers, event_data, details FROM endu.events"


async def test_no_file_has_anything_of_theirs_and_settling_again_comes_to_the_same(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    async with world_on(data, segment_records=100) as world:
        story = Story(world)
        await story.tell()
        await seal(world, data)
        assert values_in(data, story.values) == story.values
        await asyncio.gather(story.erase(), story.erase(), return_exceptions=True)
        others = await story.others()
        assert values_in(data, story.values) == []
        assert await in_ledger(world, story.values) == []
    assert values_in(data, story.values) == []
    settings = Settings(data=data)
    assert (await asyncio.to_thread(verify, settings, in_silence)).damage == ()
    await asyncio.to_thread(rebuild, settings, in_silence)
    assert (await asyncio.to_thread(verify, settings, in_silence)).damage == ()
    async with world_again(world, settings) as again:
        story.world = again
        await story.must_be_gone()
        assert await story.others() == others
        assert await in_ledger(again, story.values) == []
        receipts = (await again.ask("GET", "/erasures"))["items"]
        assert {receipt["state"] for receipt in receipts} == {"done"}


async def test_an_erasure_goes_on_wherever_the_server_was_killed(tmp_path: Path) -> None:
    data, settings = tmp_path / "data", Settings(data=tmp_path / "data")
    async with world_on(data) as world:
        stories = [Story(world) for _ in KILLED_AT]
        for story in stories:
            await story.tell()
        others = [await story.others() for story in stories]
    for place, step in enumerate(KILLED_AT):
        story = stories[place]
        await until_it_dies(data, world, story.number, step)
        with pytest.raises(CannotRun, match="An erasure is under way"):
            await asyncio.to_thread(verify, settings, in_silence)
        async with world_again(world, settings) as again:
            story.world = again
            await story.must_be_gone()
            assert await story.others() == others[place]
            await all_done(again, place + 1)
            assert await in_ledger(again, story.values) == []
        assert values_in(data, story.values) == []
    assert (await asyncio.to_thread(verify, settings, in_silence)).damage == ()
    await asyncio.to_thread(rebuild, settings, in_silence)
    async with world_again(world, settings) as again:
        for story, before in zip(stories, others, strict=True):
            story.world = again
            await story.must_be_gone()
            assert await story.others() == before


async def all_done(world: World, count: int) -> None:
    async with asyncio.timeout(30):
        while True:
            receipts = (await world.ask("GET", "/erasures"))["items"]
            if [receipt["state"] for receipt in receipts] == ["done"] * count:
                return
            await asyncio.sleep(0.05)


async def seal(world: World, data: Path) -> None:
    """Until the log's old end is in a segment."""
    async with asyncio.timeout(30):
        while not list(data.glob("segments/*.zst")):
            events = [world.event(p_user_id=next(accounts)) for _ in range(200)]
            await world.ask("POST", "/events/record/batch", json=events)


async def in_ledger(world: World, values: list[str]) -> list[str]:
    """Its files are packed, too: the rows that are there, and no others beside them."""
    ledger = world.running.parts.ledger
    assert not [path for (path,) in await ledger.ask(OLD_PARTS, {}) if Path(path).exists()]
    said = str(await ledger.ask(SAID, {}))
    return [value for value in values if value in said]
