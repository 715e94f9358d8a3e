"""SIGTERM under load: what was accepted is answered, nothing else is kept, and it ends in time."""

import asyncio
import json
import os
import signal
import subprocess
import time
from contextlib import AsyncExitStack
from pathlib import Path

from tests.door_world import ORDINARY, head, line
from tests.running import CLEAN, ENDU, WITHIN_SECONDS, endu

ENDS_WITHIN_SECONDS = 10
LOAD_SECONDS = 0.5
BATCH = 20


async def test_what_is_kept_when_it_is_told_to_end_is_what_was_answered(tmp_path: Path) -> None:
    command = [ENDU, "up", "--data", str(tmp_path), "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=CLEAN) as server:
        assert server.stdout is not None
        started = json.loads(server.stdout.readline())
        port = int(started["address"].rpartition(":")[2])
        senders = [asyncio.create_task(send(port, each)) for each in requests(started)]
        async with AsyncExitStack() as stack:
            deaf = await stack.enter_async_context(line(port))
            half = await stack.enter_async_context(line(port))
            await deaf.send(requests(started)[0][0])
            await half.send(b"GET /health/live HTTP/1.1\r\n")
            await asyncio.sleep(LOAD_SECONDS)
            os.kill(server.pid, signal.SIGTERM)
            began = time.monotonic()
            answered = sum(await asyncio.wait_for(asyncio.gather(*senders), WITHIN_SECONDS))
            await asyncio.to_thread(server.wait, WITHIN_SECONDS)
            assert time.monotonic() - began < ENDS_WITHIN_SECONDS
    assert server.returncode == 0
    verified = json.loads(endu("verify", "--data", str(tmp_path), "--json").stdout)
    assert answered > 100
    assert verified["records"] == answered + 1  # and that of who does not listen


def requests(started: dict[str, str]) -> list[tuple[bytes, int]]:
    """The usual event, a packed one, one that is refused and kept, a batch: with how many records
    each makes. Several of each."""
    event = {
        "organization_id": started["organization_id"],
        "property_id": "p",
        "timestamp": "1",
        "event_type": "BEGIN_EVENT",
        "fingerprint": "a1b2",
    }
    whole, refused = json.dumps(event).encode(), json.dumps({**event, "timestamp": "x"}).encode()
    batch = b"\n".join([whole] * BATCH)
    key = started["secret_key"]

    def request(body: bytes, more: bytes = b"") -> bytes:
        return head(key, more + b"Content-Length: %d\r\n" % len(body)) + body

    to_batch = request(batch).replace(b"/events/record", b"/events/record/batch", 1)
    each = [
        (request(whole), 1),
        (request(whole, ORDINARY), 1),
        (request(refused), 1),
        (to_batch, BATCH),
    ]
    return each * 4


async def send(port: int, what: tuple[bytes, int]) -> int:
    """One after the other, until nobody answers: how many records were."""
    request, records = what
    answered = 0
    async with line(port) as own:
        while True:
            try:
                answer = await own.ask(request)
            except (asyncio.IncompleteReadError, ConnectionError):
                return answered
            assert answer.status in (200, 422), answer
            answered += records
