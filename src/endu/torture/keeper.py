"""Keeps a server there: starts it, knows its keys, has the next one load itself meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from endu.announcements import Started
from endu.torture.answers import Answers
from endu.torture.gate import Gate, client_of
from endu.torture.mortal_words import Order
from endu.torture.server import DidNotStart, Server, server_ready


class Keeper:
    """For one event loop. `data` is the directory of every server that it starts; `steps` are the
    names of all that they did."""

    def __init__(self, data: Path, work: Path, gate: Gate) -> None:
        self.data = data
        self.steps: set[str] = set()
        self.organization_id = ""
        self.secret_key = ""
        self.address = ""
        self.beginning = ""  # the cursor of an empty log
        self.starts = 0
        self.slowest_start_seconds = 0.0
        self._work = work
        self._gate = gate
        self._next: asyncio.Task[Server] | None = None

    @asynccontextmanager
    async def serving(self, order: Order | None = None) -> AsyncIterator[Server | None]:
        """A server that answers, with the senders let in; None where it died of its order before.
        It is gone afterwards. Raises DidNotStart."""
        server = await self.loaded()
        try:
            await server.begin(order or Order(data=str(self.data)))
            started = await server.started()
            if started is None:
                yield None
            else:
                await self._learn(started, server.seconds_to_start)
                await self._gate.open(self.address, self.organization_id, self.secret_key)
                yield server
        finally:
            await self._gate.shut()
            await server.close()

    def cut_power(self) -> None:
        """From now on nobody hears the server that is there."""
        self._gate.cut()

    async def loaded(self) -> Server:
        """A process that waits for its order. Whoever asks closes it."""
        ready, self._next = self._next or self._load(), self._load()
        return await ready

    def client(self, address: str) -> httpx.AsyncClient:
        """With the organization's secret key."""
        return client_of(address, self.secret_key)

    async def close(self) -> None:
        if self._next is not None:
            await (await self._next).close()

    def _load(self) -> "asyncio.Task[Server]":
        log = self._work / f"server-{self.starts % 2}.log"
        return asyncio.create_task(server_ready(log, self.steps))

    async def _learn(self, started: Started, seconds: float) -> None:
        self.starts += 1
        self.slowest_start_seconds = max(self.slowest_start_seconds, seconds)
        self.organization_id, self.address = started.organization_id, started.address
        if started.secret_key:
            self.secret_key = started.secret_key
        elif not self.secret_key:
            self.secret_key = await self._key_by_operator(started.address)
        if not self.beginning:
            async with self.client(started.address) as client:
                self.beginning = await Answers(client).beginning()

    async def _key_by_operator(self, address: str) -> str:
        """Where the first start was killed after it had made its keys and before it told them."""
        operator_key = (self.data / "operator.key").read_text().strip()
        async with client_of(address, operator_key) as client:
            answer = await client.post(
                "/keys",
                json={"kind": "secret", "name": "torture"},
                headers={"Endu-Organization": self.organization_id},
            )
        if answer.status_code != 200:
            raise DidNotStart(f"the operator's key makes no key: {answer.text}")
        return str(answer.json()["data"]["key"])
