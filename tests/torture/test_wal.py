"""A byte of the log's newest commits is flipped: the smallest story that `endu torture` found."""

from pathlib import Path

import httpx

from endu.torture.flips import DAMAGED, verify
from endu.torture.mortal_words import Order
from endu.torture.server import Server, kill_process, server_ready

EVENTS = 10
HEADER, FRAME_HEADER, PAGE = 32, 24, 4096  # bytes, of a WAL, of each of its frames, of its page


async def test_a_damaged_commit_in_the_middle_of_the_wal_is_named(tmp_path: Path) -> None:
    data = tmp_path / "data"
    server = await server_ready(tmp_path / "log", set())
    try:
        await _record_one_after_the_other(server, data)
        kill_process(server.door())  # both at once: nobody settles them, nobody closes the log
    finally:
        await server.close()
    _flip_in_the_middle(data / "inbox.db-wal")

    assert (await verify(data)).exit_code == DAMAGED


async def _record_one_after_the_other(server: Server, data: Path) -> None:
    """Each is a commit of its own, and acknowledged."""
    await server.begin(Order(data=str(data)))
    started = await server.started()
    assert started is not None
    headers = {"Authorization": f"Bearer {started.secret_key}"}
    event = {
        "organization_id": started.organization_id,
        "property_id": "P#1",
        "timestamp": 1_700_000_000,
        "event_type": "BEGIN_EVENT",
        "fingerprint": "somebody",
    }
    async with httpx.AsyncClient(base_url=started.address, headers=headers) as client:
        for _ in range(EVENTS):
            assert (await client.post("/events/record", json=event)).status_code == 200


def _flip_in_the_middle(wal: Path) -> None:
    """In the page of the fifth commit from the end: each of these wrote one page."""
    content = bytearray(wal.read_bytes())
    frames = (len(content) - HEADER) // (FRAME_HEADER + PAGE)
    assert frames > EVENTS
    content[HEADER + (frames - 4) * (FRAME_HEADER + PAGE) - 10] ^= 1
    wal.write_bytes(content)
