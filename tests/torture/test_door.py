"""The door is killed under load, and nobody is left without one of the documented answers."""

import asyncio
from pathlib import Path

import httpx

from endu.torture.mortal_words import Order
from endu.torture.server import kill_process, server_ready

SENDERS = 8


async def test_whoever_asks_while_the_door_dies_is_told_or_cut_off(tmp_path: Path) -> None:
    server = await server_ready(tmp_path / "log", set())
    try:
        await server.begin(Order(data=str(tmp_path / "data")))
        started = await server.started()
        assert started is not None
        event = {
            "organization_id": started.organization_id,
            "property_id": "P#1",
            "timestamp": 1_700_000_000,
            "event_type": "BEGIN_EVENT",
            "fingerprint": "somebody",
        }
        headers = {"Authorization": f"Bearer {started.secret_key}"}
        kept = asyncio.Event()
        async with httpx.AsyncClient(base_url=started.address, headers=headers) as client:
            sending = [_send_until_cut_off(client, [event] * 20, kept) for _ in range(SENDERS)]
            tasks = [asyncio.create_task(each) for each in sending]
            await kept.wait()
            kill_process(server.door())
            answers = {answer for task in tasks for answer in await task}
        assert answers <= {(200, ""), (503, "NOT_DURABLE"), (503, "MAYBE_KEPT")}
        assert await server.ended(30)
        assert server.exit_code == 1
    finally:
        await server.close()


async def _send_until_cut_off(
    client: httpx.AsyncClient, events: list[dict[str, object]], kept: asyncio.Event
) -> set[tuple[int, str]]:
    answers = set()
    while True:
        try:
            answer = await client.post("/events/record/batch", json=events)
        except httpx.TransportError:
            return answers
        envelope = answer.headers["content-type"] == "application/json"
        answers.add((answer.status_code, answer.json()["error"] if envelope else answer.text))
        kept.set()
