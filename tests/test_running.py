"""A running Endu: what it announces on a socket, and what it remembers when it starts again."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from endu.announcements import Announce, FirstEvent, Started
from endu.assembly import open_endu, serve
from endu.settings import Settings
from endu.web.api import http_face
from endu.web.server import listen
from tests.running import CLEAN, ENDU, door_of, endu, running
from tests.web_world import bearer, world_on

WITHIN_SECONDS = 20
CREATE = "/events/create/identity"


async def test_the_first_event_is_announced_though_refused_ones_came_before(
    tmp_path: Path,
) -> None:
    announced: asyncio.Queue[Started | FirstEvent] = asyncio.Queue()
    async with serving(tmp_path, announced.put_nowait):
        started = await asyncio.wait_for(announced.get(), WITHIN_SECONDS)
        assert isinstance(started, Started)
        headers = bearer(started.secret_key or "")
        async with httpx.AsyncClient(base_url=started.address, headers=headers) as client:
            event = {
                "property_id": started.property_id,
                "organization_id": started.organization_id,
                "timestamp": "1672536219",
                "event_type": "BEGIN_EVENT",
            }
            refused = await client.post("/events/record", json=event)
            kept = await client.post("/events/record", json={**event, "c_user_id": "42"})
        assert (refused.status_code, kept.status_code) == (422, 200)
        first = await asyncio.wait_for(announced.get(), WITHIN_SECONDS)
    assert isinstance(first, FirstEvent)
    assert (first.identifiers, first.c_user_id) == (("c_user_id:42",), "42")


def test_keys_that_cannot_be_shown_are_not_made(tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = endu("up", "--port", port, "--data", str(tmp_path))
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert f"127.0.0.1:{port} cannot be listened on" in refused.stderr
    with running(tmp_path) as server:
        assert server.secret_key


async def test_a_server_whose_door_is_gone_ends_and_says_so(tmp_path: Path) -> None:
    server = subprocess.Popen(
        [ENDU, "up", "--data", str(tmp_path), "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=CLEAN,
    )
    with server:
        assert server.stdout is not None and server.stdout.readline()
        os.kill(door_of(server.pid), signal.SIGKILL)
        said = server.communicate(timeout=WITHIN_SECONDS)[1]
    assert server.returncode == 1
    assert said.splitlines()[-1] == (
        "endu: Endu stopped. The log cannot be written; see what Endu printed, then start it again."
    )


async def test_a_door_is_not_left_behind(tmp_path: Path) -> None:
    """The next server can have the directory, though its door still held it for a moment."""
    for _ in range(2):
        server = subprocess.Popen(
            [ENDU, "up", "--data", str(tmp_path), "--port", "0", "--json"],
            stdout=subprocess.PIPE,
            text=True,
            env=CLEAN,
        )
        with server:
            assert server.stdout is not None and server.stdout.readline()
            server.kill()


async def test_an_announcement_that_fails_is_told_and_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tried = asyncio.Event()

    def announce(what: Started | FirstEvent) -> None:
        tried.set()
        raise OSError(28, "No space left on device")

    async with serving(tmp_path, announce) as task:
        await asyncio.wait_for(tried.wait(), WITHIN_SECONDS)
        await asyncio.sleep(0)  # the turn in which the failure is told
        assert not task.done()
    assert "No space left on device" in caplog.text


async def test_a_restart_forgets_no_identity_that_was_made_this_hour(tmp_path: Path) -> None:
    async with world_on(tmp_path) as world:
        await world.limits(identities_created_per_hour=3)
        for _ in range(2):
            assert (await world.client.post(CREATE, json={})).status_code == 200
    async with open_endu(Settings(data=tmp_path)) as again:
        door = httpx.ASGITransport(app=http_face(again.parts))
        async with httpx.AsyncClient(transport=door, headers=bearer(world.secret)) as client:
            asked = [client.post(f"http://endu{CREATE}", json={}) for _ in range(3)]
            answers = await asyncio.gather(*asked)
    assert sorted(answer.status_code for answer in answers) == [200, 429, 429]


@asynccontextmanager
async def serving(data: Path, announce: Announce) -> AsyncIterator["asyncio.Task[None]"]:
    """Ends as an operator ends it."""
    task = asyncio.create_task(serve(Settings(data=data, port=0), announce))
    try:
        yield task
    finally:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.wait_for(task, WITHIN_SECONDS)
