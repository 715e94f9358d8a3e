"""On a real server: a question ends when nobody waits for its answer any more."""

import asyncio
from contextlib import suppress
from pathlib import Path

import httpx

from tests.journeys.test_bounds import ENDLESS, EVENTS, SQL
from tests.running import running
from tests.web_world import bearer


def test_a_question_ends_when_nobody_waits_for_its_answer(tmp_path: Path) -> None:
    """All handles are busy with questions whose callers then leave."""
    with running(tmp_path) as server, server.client() as client:
        for number in range(EVENTS):
            event = {
                "property_id": server.property_id,
                "organization_id": server.organization_id,
                "timestamp": "1672536219",
                "event_type": "BEGIN_EVENT",
                "event_data": {"n": number},
                "c_user_id": "42",
            }
            assert client.post("/events/record", json=event).status_code == 200
        count = {"sql": "SELECT count() FROM events", "fresh": True}
        assert client.post(SQL, json=count).json()["data"]["rows"] == [[EVENTS]]
        asyncio.run(leave_early(server.address, server.secret_key))
        answer = client.post(SQL, json=count, timeout=20)  # a question may take 30 seconds
        assert answer.json()["data"]["rows"] == [[EVENTS]]


async def leave_early(address: str, key: str) -> None:
    async with httpx.AsyncClient(base_url=address, headers=bearer(key)) as client:

        async def ask_and_leave() -> None:
            with suppress(httpx.ReadTimeout):
                await client.post(SQL, json={"sql": ENDLESS}, timeout=1)

        await asyncio.gather(*(ask_and_leave() for _ in range(4)))
