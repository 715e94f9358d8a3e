"""An fsync fails, and the answer says no more than is known then."""

import asyncio
import shutil
from pathlib import Path

import pytest

from endu.torture.gate import client_of
from endu.torture.mortal_words import Order
from endu.torture.server import Server, kill_process, server_ready

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not here")


async def test_an_event_whose_commit_could_not_be_synced_is_not_said_to_be_refused(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    first = await server_ready(tmp_path / "first", set())
    try:
        address, key, event = await _started(first, data)
        async with client_of(address, key) as client:
            assert (await client.post("/events/record", json=event)).status_code == 200
            strace = await _failing_fsyncs(first.door())
            answer = await client.post("/events/record", json=event)
        kill_process(first.door())
    finally:
        await first.close()
    await strace.wait()
    second = await server_ready(tmp_path / "second", set())
    try:
        address, _, _ = await _started(second, data)
        async with client_of(address, key) as client:
            found = await client.get("/events", params={"fresh": "true"})
    finally:
        await second.close()

    assert len(found.json()["data"]["items"]) == 2  # it was in the WAL before the fsync failed
    assert (answer.status_code, answer.json()["error"]) == (503, "MAYBE_KEPT")


async def _started(server: Server, data: Path) -> tuple[str, str, dict[str, object]]:
    await server.begin(Order(data=str(data)))
    started = await server.started()
    assert started is not None
    event: dict[str, object] = {
        "organization_id": started.organization_id,
        "property_id": "P#1",
        "timestamp": 1_700_000_000,
        "event_type": "BEGIN_EVENT",
        "fingerprint": "somebody",
    }
    return started.address, started.secret_key or "", event


async def _failing_fsyncs(pid: int | None) -> asyncio.subprocess.Process:
    strace = await asyncio.create_subprocess_exec(
        "strace", "-f", "-o", "/dev/null", "-p", str(pid),
        "-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:error=EIO",
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert strace.stderr is not None
    await strace.stderr.readline()  # it says that it is attached
    return strace
