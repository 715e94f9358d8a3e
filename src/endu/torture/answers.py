"""Reading everything back over HTTP, as any client could."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import httpx
from msgspec import Struct

PAGE = 1_000


class NoAnswer(Exception):
    """A question that should have been answered was not; the text says which and how."""


class Stored(Struct, frozen=True):
    """An event as Endu answers with it. `place` is its place among all answered events."""

    place: int
    record_id: str
    event_type: str
    property_id: str
    happened_at_ms: int
    received_at_ms: int
    identifiers: tuple[str, ...]
    data: dict[str, Any]

    @property
    def number(self) -> int:
        """What the sender called it; -1 where it was none of ours."""
        number = self.data.get("n")
        return number if isinstance(number, int) else -1


class RuleMade(Struct, frozen=True):
    """An operator's rule, by the reason that it was made with."""

    reason: str
    rule: str
    identifiers: tuple[str, str]
    made_at_ms: int
    taken_back: bool


class Answers:
    """Asks one organization's server."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def events(self, beginning: str) -> list[Stored]:
        """All of them, in the order of the log. `beginning` is the cursor of an empty log."""
        cursor = beginning
        found: list[dict[str, Any]] = []
        while True:
            asked = {"limit": PAGE, "cursor": cursor, "fresh": "true"}
            page = await self._get("/events", asked)
            if not page["items"]:
                return [_stored(place, item) for place, item in enumerate(found)]
            found += page["items"]
            cursor = page["next"]

    async def beginning(self) -> str:
        """The cursor before the first event, while there is none."""
        return str((await self._get("/events", {"limit": 1, "fresh": "true"}))["next"])

    async def timeline(self, identifier: str) -> list[int]:
        """The numbers of the events that are this person's own, newest first."""
        identity = await self._identity(identifier)
        path = f"/identities/{identity}/timeline"
        return [
            item["event_data"].get("n", -1)
            async for item in self._pages(path, {})
            if item["relation"] == "own"
        ]

    async def rules(self) -> list[RuleMade]:
        return [
            RuleMade(
                each["reason"],
                each["rule"],
                tuple(each["identifiers"]),
                _ms(each["made_at"]),
                each["taken_back_at"] is not None,
            )
            async for each in self._pages("/rules", {})
        ]

    async def event_types(self) -> set[str]:
        return {each["event_type"] async for each in self._pages("/event-types", {})}

    async def failed_events(self) -> set[str]:
        """The ids of those that have not passed since."""
        return {each["failed_event_id"] async for each in self._pages("/failed-events", {})}

    async def ask(self, question: str, asked: dict[str, Any]) -> dict[str, Any]:
        """One of the questions under /journeys."""
        answer = await self._client.post(f"/journeys/{question}", json=asked | {"fresh": True})
        return _data(answer)

    async def _identity(self, identifier: str) -> str:
        kind, _, value = identifier.partition(":")
        if kind == "c_user_id":
            return str((await self._get(f"/identities/{value}", {}))["c_user_id"])
        asked = {kind: value}
        if kind == "wallet":
            asked = {"wallet": value.partition(":")[2], "chain_type": "ethereum"}
        return str((await self._get("/identities", asked))["c_user_id"])

    async def _pages(self, path: str, asked: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        asked = asked | {"limit": PAGE}
        while True:
            page = await self._get(path, asked)
            for item in page["items"]:
                yield item
            if page["next"] is None:
                return
            asked["cursor"] = page["next"]

    async def _get(self, path: str, asked: dict[str, Any]) -> dict[str, Any]:
        return _data(await self._client.get(path, params=asked))


def _data(answer: httpx.Response) -> dict[str, Any]:
    if answer.status_code != 200:
        path = answer.request.url.path
        raise NoAnswer(f"{path} was answered with {answer.status_code}: {answer.text[:300]}")
    data: dict[str, Any] = answer.json()["data"]
    return data


def _stored(place: int, item: dict[str, Any]) -> Stored:
    return Stored(
        place,
        item["record_id"],
        item["event_type"],
        item["property_id"],
        _ms(item["timestamp"]),
        _ms(item["received_at"]),
        tuple(item["identifiers"]),
        item["event_data"],
    )


def _ms(time: str) -> int:
    moment = datetime.fromisoformat(time)
    return int(moment.timestamp()) * 1_000 + moment.microsecond // 1_000
