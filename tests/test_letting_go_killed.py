"""Letting go of old events goes on wherever the server was killed, and is verified meanwhile."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from endu.announcements import CannotRun
from endu.assembly import rebuild, verify
from endu.settings import Settings
from tests.erasure_files import in_silence, values_in
from tests.old_events import DAYS, Past
from tests.web_world import world_again, world_on

STEPS = ("segments erased", "old events out of the ledger")
MORE = ("old events planned", "inbox erased", "old events out of the log",
        "old events washed away")  # fmt: skip
KILLED_AT = STEPS if os.environ.get("ENDU_LONG", "1") == "1" else STEPS + MORE

LEFT = "SELECT count() FROM endu.events WHERE position(event_data, {text:String}) > 0"

SEEN = "SELECT seq, subject, others, fingerprint FROM endu.seen ORDER BY seq"
BARE_PART = "SELECT path FROM system.parts WHERE table = 'bare_events' AND active"


async def test_it_goes_on_wherever_the_server_was_killed(tmp_path: Path) -> None:
    data, settings = tmp_path / "data", Settings(data=tmp_path / "data")
    async with world_on(data) as world:
        pasts = [Past(world)]
    for step in KILLED_AT:
        async with world_again(world, settings) as again:
            pasts.append(Past(again))
            await pasts[-1].happen()
            before = [await pasts[-1].people(), await pasts[-1].young_events()]
            await pasts[-1].keep(DAYS)
        await until_it_dies(data, step)
        assert data.joinpath("letting-go").exists()
        assert (await asyncio.to_thread(verify, settings, in_silence)).damage == ()
        with pytest.raises(CannotRun, match="Old events are being let go of"):
            await asyncio.to_thread(verify, settings, in_silence, True)
        async with world_again(world, settings) as again:
            pasts[-1].world = again
            await pasts[-1].keep(None)  # what was begun is done all the same
            await again.running.parts.letting_go.look()
            assert [await pasts[-1].people(), await pasts[-1].young_events()] == before
            text = {"text": pasts[-1].values[0]}
            assert await again.running.parts.ledger.ask(LEFT, text) == [(0,)]
        assert not data.joinpath("letting-go").exists()
        assert values_in(data, pasts[-1].values) == []
    assert (await asyncio.to_thread(verify, settings, in_silence, True)).damage == ()


async def test_what_was_begun_is_rebuilt_and_then_gone_on_with(tmp_path: Path) -> None:
    data, settings = tmp_path / "data", Settings(data=tmp_path / "data")
    async with world_on(data) as world:
        past = Past(world)
        await past.happen()
        before = [await past.people(), await past.young_events()]
        await past.keep(DAYS)
    await until_it_dies(data, "old events out of the log")
    await asyncio.to_thread(rebuild, settings, in_silence)
    assert (await asyncio.to_thread(verify, settings, in_silence)).damage == ()
    async with world_again(world, settings) as again:
        past.world = again
        await again.running.parts.letting_go.look()
        assert [await past.people(), await past.young_events()] == before
        assert await again.running.parts.ledger.ask(LEFT, {"text": past.values[0]}) == [(0,)]
    assert (await asyncio.to_thread(verify, settings, in_silence, True)).damage == ()


async def test_what_is_left_of_old_events_comes_again_from_the_log(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    async with world_on(tmp_path) as world:
        past = Past(world)
        await past.happen()
        before = [await past.people(), await past.young_events()]
        await past.keep(DAYS)
        await past.let_go()
        seen = await world.running.parts.ledger.ask(SEEN, {})
        ((part,),) = await world.running.parts.ledger.ask(BARE_PART, {})
    os.truncate(Path(part) / "data.bin", 1)
    async with world_again(world, settings) as again:
        past.world = again
        async with asyncio.timeout(20):
            while await again.running.parts.ledger.ask(SEEN, {}) != seen:
                await asyncio.sleep(0.05)
        assert [await past.people(), await past.young_events()] == before
    assert (await asyncio.to_thread(verify, settings, in_silence, True)).damage == ()


async def until_it_dies(data: Path, step: str) -> None:
    """Of its own hand: it looks for old events as soon as it has started."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.mortal_server", str(data), step, "1",
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert await asyncio.wait_for(process.wait(), 30) == -signal.SIGKILL
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
