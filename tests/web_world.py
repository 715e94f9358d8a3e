"""A whole Endu on real stores, and a client that speaks HTTP to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct
from msgspec.structs import replace

from endu.assembly import open_endu
from endu.settings import Settings
from endu.web.api import http_face
from endu.web.running import Running

NOW = "1672536219"


class World(Struct):
    """`client` sends the first organization's secret key unless told otherwise."""

    running: Running
    client: httpx.AsyncClient
    organization_id: str
    secret: str
    publishable: str
    operator: str

    def event(self, **more: Any) -> dict[str, Any]:
        """The base event with somebody named."""
        return {
            "property_id": "D#1007491775344160808",
            "organization_id": self.organization_id,
            "timestamp": NOW,
            "event_type": "BEGIN_EVENT",
            "event_data": {},
            "p_user_id": "702877938567086080",
            "platform_type": "Discord",
            **more,
        }

    async def record(self, **more: Any) -> httpx.Response:
        return await self.client.post("/events/record", json=self.event(**more))

    async def ask(self, method: str, path: str, **more: Any) -> Any:
        """The `data` of an answer that has to be a success."""
        answer = await self.client.request(method, path, **more)
        assert answer.status_code == 200, answer.text
        said = answer.json()
        assert (said["success"], said["error"], said["error_text"]) == (True, "", "")
        return said["data"]

    async def who(self, **identifier: str) -> Any:
        return await self.ask("GET", "/identities", params={**identifier, "fresh": "true"})

    async def timeline(self, number: str, **more: Any) -> Any:
        path = f"/identities/{number}/timeline"
        return await self.ask("GET", path, params={"fresh": "true", **more})

    async def key(self, **body: Any) -> Any:
        """A new key of the first organization, or of the one that the headers name."""
        headers = body.pop("headers", bearer(self.operator))
        return await self.ask("POST", "/keys", json=body, headers=headers)

    async def other_organization(self, name: str) -> tuple[str, str]:
        """The id and a secret key of another one."""
        operator = bearer(self.operator)
        made = await self.ask("POST", "/organizations", json={"name": name}, headers=operator)
        organization_id: str = made["organization_id"]
        key = await self.key(headers={**operator, "Endu-Organization": organization_id})
        return organization_id, key["key"]

    async def limits(self, **changes: Any) -> Any:
        path = f"/organizations/{self.organization_id}/limits"
        return await self.ask("PUT", path, json=changes, headers=bearer(self.operator))


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@asynccontextmanager
async def world_on(data: Path, **set_to: Any) -> AsyncIterator[World]:
    settings = Settings(data=data, **set_to)
    async with open_endu(settings) as running, world_of(running, settings) as world:
        yield world


@asynccontextmanager
async def world_again(before: World, settings: Settings) -> AsyncIterator[World]:
    """The same directory opened anew, by those who have the keys of its first start."""
    async with open_endu(settings) as running:
        transport = httpx.ASGITransport(app=http_face(running.parts))
        async with httpx.AsyncClient(
            transport=transport,
            base_url="http://endu",
            headers=bearer(before.secret),
            timeout=30,
        ) as client:
            yield replace(before, running=running, client=client)


@asynccontextmanager
async def world_of(running: Running, settings: Settings) -> AsyncIterator[World]:
    assert running.began is not None
    transport = httpx.ASGITransport(app=http_face(running.parts))
    async with httpx.AsyncClient(
        transport=transport,
        base_url="http://endu",
        headers=bearer(running.began.secret_key),
        timeout=30,
    ) as client:
        yield World(
            running=running,
            client=client,
            organization_id=running.began.organization_id,
            secret=running.began.secret_key,
            publishable=running.began.publishable_key,
            operator=settings.operator_key_file.read_text().strip(),
        )
