"""The first two promises: what was acknowledged is there exactly once, however Endu dies.

A real server is killed with SIGKILL under load, at random moments and right after each step of
settling and of sealing, and so is its door; several senders write down what they were told.
Afterwards the ledger, the identities and a rebuild from the log are compared with what they wrote.
"""

import asyncio
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from endu.announcements import Started
from endu.assembly import open_endu, rebuild, verify
from endu.settings import Settings
from endu.stores.segments import Segments
from endu.web.running import Running
from tests.running import door_of

RANDOM_KILLS = 24
DOOR_KILLS = 10
SETTLING = ("taken", "resolved", "booked", "appended", "owned", "visited", "moved")
SEALING = ("segment written", "segment named", "segment dropped")
STEPS = (*SETTLING, *SEALING)
NEVER = "never"
SENDERS = 6
PEOPLE = 40


class History:
    """What senders were told: kept for sure, kept or not, refused for sure."""

    def __init__(self) -> None:
        self.ok: dict[int, str] = {}  # by the event's own number, its record id
        self.unknown: set[int] = set()
        self.refused: set[int] = set()
        self.next = 0
        self.key: str = ""
        self.organization_id: str = ""

    def number(self) -> int:
        self.next += 1
        return self.next


async def test_every_acknowledged_event_is_there_exactly_once_however_often_it_is_killed(
    tmp_path: Path,
) -> None:
    data, history, chance = tmp_path / "data", History(), random.Random(20)
    for times, step in enumerate([*STEPS, NEVER] * 2, 1):
        if step != NEVER:
            await _until_it_dies(data, history, chance, step, 1 + times % 3)
    for _ in range(RANDOM_KILLS):
        await _until_it_dies(data, history, chance, NEVER, 1, chance.uniform(0.02, 0.5))
    for _ in range(DOOR_KILLS):
        await _until_its_door_dies(data, history, chance)

    assert len(history.ok) > 1_000
    settings = Settings(data=data)
    async with open_endu(settings) as running:
        await running.parts.fresh()
        counted = await _counted(running)
        people = await _people(running, history)
    twice = {n for n, count in counted.items() if count > 1}
    lost = history.ok.keys() - counted.keys()
    never_sent = counted.keys() - history.ok.keys() - history.unknown
    assert (twice, lost, never_sent) == (set(), set(), set())

    assert Segments(data).end() > history.next / 2  # so this was mostly about a sealed log
    found = await asyncio.to_thread(verify, settings, _in_silence)
    assert found.damage == ()
    assert found.events == sum(counted.values())
    await asyncio.to_thread(rebuild, settings, _in_silence)
    async with open_endu(settings) as running:
        assert await _counted(running) == counted
        assert await _people(running, history) == people


async def _until_it_dies(
    data: Path,
    history: History,
    chance: random.Random,
    step: str,
    times: int,
    seconds: float = 20,
) -> None:
    """Senders send until the server is gone: by its own hand at a step, or by ours in time."""
    async with _server(data, step, times) as (process, started):
        if started is None:  # what the last one left behind was enough to reach the step
            assert await process.wait() == -signal.SIGKILL
            return
        async with _senders(started, history, chance):
            try:
                await asyncio.wait_for(process.wait(), seconds)
            except TimeoutError:
                process.send_signal(signal.SIGKILL)
            assert await process.wait() == -signal.SIGKILL


async def _until_its_door_dies(data: Path, history: History, chance: random.Random) -> None:
    """Whoever started the door ends then, and says so."""
    async with _server(data, NEVER, 1) as (process, started):
        assert started is not None
        async with _senders(started, history, chance):
            await asyncio.sleep(chance.uniform(0.02, 0.5))
            os.kill(door_of(process.pid), signal.SIGKILL)
            assert await asyncio.wait_for(process.wait(), 30) == 1


@asynccontextmanager
async def _senders(
    started: Started, history: History, chance: random.Random
) -> AsyncIterator[None]:
    """They have stopped, for want of an answer, when this is left."""
    history.key = started.secret_key or history.key
    history.organization_id = started.organization_id
    senders = [
        asyncio.create_task(_send(started.address, history, random.Random(chance.random())))
        for _ in range(SENDERS)
    ]
    yield
    await asyncio.gather(*senders)


@asynccontextmanager
async def _server(
    data: Path, step: str, times: int
) -> AsyncIterator[tuple[asyncio.subprocess.Process, Started | None]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.mortal_server", str(data), step, str(times),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        yield process, msgspec.json.decode(line, type=Started) if line else None
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _send(address: str, history: History, chance: random.Random) -> None:
    """Singles, batches and retries, until nobody answers any more."""
    headers = {"Authorization": f"Bearer {history.key}"}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=30) as client:
        while True:
            try:
                if chance.random() < 0.1:
                    await _send_batch(client, history, chance)
                else:
                    await _send_one(client, history, chance)
            except httpx.TransportError:
                return


async def _send_one(client: httpx.AsyncClient, history: History, chance: random.Random) -> None:
    number = history.number()
    event = _event(history, number, chance)
    for _ in range(1 + (chance.random() < 0.2)):  # now and then sent again, though it was kept
        history.unknown.add(number)
        answer = await client.post("/events/record", json=event)
        assert answer.status_code in (200, 503), answer.text
        if _tells_nothing(answer):
            return
        history.unknown.discard(number)
        if answer.status_code == 200:
            record_id = answer.headers["Endu-Record-Id"]
            assert history.ok.setdefault(number, record_id) == record_id


async def _send_batch(client: httpx.AsyncClient, history: History, chance: random.Random) -> None:
    numbers = [history.number() for _ in range(chance.randint(2, 30))]
    history.unknown.update(numbers)
    events = [_event(history, number, chance) for number in numbers]
    answer = await client.post("/events/record/batch", json=events)
    assert answer.status_code in (200, 503), answer.text
    if _tells_nothing(answer):
        return
    history.unknown.difference_update(numbers)
    if answer.status_code == 200:
        results = answer.json()["data"]["results"]
        assert [result["result"] for result in results] == ["ok"] * len(numbers)
        for number, result in zip(numbers, results, strict=True):
            history.ok[number] = result["record_id"]


def _tells_nothing(answer: httpx.Response) -> bool:
    return bool(answer.status_code == 503 and answer.json()["error"] == "MAYBE_KEPT")


def _event(history: History, number: int, chance: random.Random) -> dict[str, Any]:
    """Somebody of a small crowd, by some of their names: people join, contest and share."""
    person = chance.randrange(PEOPLE)
    names: dict[str, Any] = {}
    kinds = chance.sample(["discord", "wallet", "fingerprint"], chance.randint(1, 3))
    if "discord" in kinds:
        names |= {"p_user_id": str(1000 + person), "platform_type": "Discord"}
    if "wallet" in kinds:
        account = f"{person + (chance.random() < 0.05):x}".rjust(40, "a")
        names["blockchain"] = {"chain_type": "ethereum", "chain_account": f"0x{account}"}
    if "fingerprint" in kinds:
        names["fingerprint"] = f"device-{person // 2}"
    return names | {
        "property_id": "D#1",
        "organization_id": history.organization_id,
        "timestamp": 1_700_000_000 + number // 4,
        "event_type": "BEGIN_EVENT",
        "message_id": f"event {number}",
        "event_data": {"n": number},
    }


async def _counted(running: Running) -> Counter[int]:
    sql = "SELECT JSONExtractUInt(event_data, 'n'), count() FROM endu.events GROUP BY 1"
    return Counter(dict(await running.parts.ledger.ask(sql, {})))


async def _people(running: Running, history: History) -> dict[str, Any]:
    """Everybody's identity with the places of their events, as a timeline would have them."""
    parts = running.parts
    organization = parts.organizations.all()[0].organization_id
    people = {}
    for person in range(PEOPLE):
        identity = await parts.directory.by_identifier(organization, f"discord:{1000 + person}")
        if identity is not None:
            values = {"subjects": identity.subjects}
            sql = """SELECT seq FROM endu.events
                     WHERE subject IN {subjects:Array(UInt64)} ORDER BY seq"""
            seqs = [row[0] for row in await parts.ledger.ask(sql, values)]
            visits = await parts.directory.visits_of(organization, identity)
            texts = sorted(f"{i.kind}:{i.value}" for i in identity.identifiers)
            people[identity.c_user_id] = (texts, seqs, [sorted(part) for part in visits])
    return people


def _in_silence(what: str, done: int, total: int) -> None:
    pass
