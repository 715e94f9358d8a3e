"""Where the senders wait while there is no server."""

import asyncio
import ssl

import httpx
from msgspec import Struct

ANSWER_WITHIN_SECONDS = 30.0
# Plain HTTP to this machine. One that trusts nobody costs nothing; httpx's own would be read from
# the disk for each client, a twentieth of a second in which nobody else is served.
TRUSTS_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Target(Struct, frozen=True):
    """A server that answers. Each start is a generation of its own."""

    generation: int
    address: str
    organization_id: str
    secret_key: str


def client_of(address: str, key: str) -> httpx.AsyncClient:
    """A client of this machine's server, with that key."""
    return httpx.AsyncClient(
        base_url=address,
        headers={"Authorization": f"Bearer {key}"},
        timeout=ANSWER_WITHIN_SECONDS,
        trust_env=False,
        verify=TRUSTS_NOBODY,
    )


class Gate:
    """For one event loop."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._target: Target | None = None
        self._generation = 0
        self.ended = False
        self._acknowledged = asyncio.Event()
        self._dark = 0  # the generation whose power has gone

    async def open(self, address: str, organization_id: str, secret_key: str) -> None:
        async with self._changed:
            self._generation += 1
            self._target = Target(self._generation, address, organization_id, secret_key)
            self._acknowledged.clear()
            self._changed.notify_all()

    async def shut(self) -> None:
        async with self._changed:
            self._target = None

    def cut(self) -> None:
        """The power of the server that is there goes now. Nobody would hear what it still says:
        Linux lets an fsync that was under way then return as if all were well."""
        self._dark = self._generation

    def hears(self, generation: int) -> bool:
        return generation != self._dark

    def acknowledge(self, generation: int) -> None:
        """A sender has been told by this server that something is kept."""
        if generation == self._generation:
            self._acknowledged.set()

    async def acknowledged(self) -> None:
        """Returns once the server that is there now has kept something."""
        await self._acknowledged.wait()

    async def end(self) -> None:
        """Nobody sends any more."""
        async with self._changed:
            self.ended = True
            self._changed.notify_all()

    async def next(self, after: int) -> Target | None:
        """The next server behind that generation; None when it is all over."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.ended or self._is_behind(after))
            return None if self.ended else self._target

    def _is_behind(self, after: int) -> bool:
        return self._target is not None and self._target.generation > after
