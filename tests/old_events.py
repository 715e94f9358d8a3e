"""Somebody with events old and young, for tests of letting go of the old ones."""

import time
from itertools import count
from typing import Any

from msgspec.structs import replace

from endu.events.expiry import DAY_MS
from endu.events.letting_go import LettingGo
from tests.web_world import World

accounts = (f"6{number:017}" for number in count(1))
NOT_ON_A_PLATFORM: dict[str, Any] = {"p_user_id": None, "platform_type": None}
LONG_AGO, LATELY = 40, 2  # days
DAYS = 10  # that are kept
VISIT_MS = 60_000


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def ago(days: float) -> str:
    return str((now_ms() - int(days * DAY_MS)) / 1000)


class Past:
    """People of whom some of what they did is older than it is kept. `values` are what only their
    old events said."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.one, self.two = next(accounts), next(accounts)
        self.device = f"device-{self.one[-6:]}"
        self.address = f"0x{int(self.one):040x}"
        self.values = [f"said-{self.one[::-1]}", f"failed-{self.one[::-1]}", f"strange-{self.one}"]
        self.first: dict[str, Any] = {}  # what was sent first of all
        self.young = f"lately-{self.one[::-1]}"
        self.now_ms = now_ms()  # a killed server has a clock of its own, which is a little further

    def ago(self, days: float, more_ms: int = 0) -> str:
        """To the millisecond."""
        return str((self.now_ms - int(days * DAY_MS) + more_ms) / 1000)

    async def happen(self) -> None:
        """The two share a device. At the limit one is seen on it just before what somebody did on
        it who is not named: that is young, and is that one's still."""
        record, old, text = self.world.record, self.ago(LONG_AGO), self.values[0]
        said = {"event_data": {"text": text, "n": 1}}
        self.first = {"p_user_id": self.one, "timestamp": old, "message_id": self.one, **said}
        await record(**self.first)
        wallet = {"blockchain": {"chain_type": "ethereum", "chain_account": self.address}}
        await record(p_user_id=self.one, timestamp=old, **wallet, **said)
        await record(p_user_id=self.one, timestamp=old, fingerprint=self.device, **said)
        await record(p_user_id=self.two, timestamp=old, fingerprint=self.device, **said)
        just_too_old = self.ago(DAYS, -VISIT_MS)
        await record(p_user_id=self.two, timestamp=just_too_old, strange=self.values[2],
                     fingerprint=self.device, **said)  # fmt: skip
        lately = {"event_data": {"text": self.young}}
        await record(**NOT_ON_A_PLATFORM, timestamp=self.ago(DAYS, 10 * VISIT_MS),
                     fingerprint=self.device, **lately)  # fmt: skip
        await record(p_user_id=self.one, timestamp=self.ago(LATELY), **lately)
        await record(p_user_id=self.two, timestamp=self.ago(LATELY), **lately)
        await self.world.ask("GET", "/events", params={"fresh": "true"})

    async def people(self) -> list[Any]:
        """Who they are, and why."""
        both = {"a": f"discord:{self.one}", "b": f"wallet:eip155:{self.address}"}
        why = await self.world.ask("POST", "/identities/explain", json=both)
        return [*[await self.world.who(discord=each) for each in (self.one, self.two)], why]

    async def journals(self) -> list[Any]:
        """Which a rebuild writes in other portions, as it settles in larger ones."""
        numbers = [person["c_user_id"] for person in (await self.people())[:2]]
        return [await self.world.ask("GET", f"/identities/{each}/journal") for each in numbers]

    async def young_events(self) -> list[Any]:
        """What they did lately, as their timelines have it."""
        pages = []
        for account in (self.one, self.two):
            person = await self.world.who(discord=account)
            page = await self.world.timeline(person["c_user_id"])
            pages.append([item for item in page["items"] if self.young in str(item)])
        return pages

    async def keep(self, days: int | None, **more: Any) -> Any:
        return await self.world.limits(retention_days=days, **more)

    async def let_go(self, days_later: float = 0) -> LettingGo:
        """As at a time that is still to come."""
        parts = self.world.running.parts.letting_go._parts
        at_ms = self.now_ms + int(days_later * DAY_MS)
        work = LettingGo(replace(parts, now_ms=lambda: at_ms))
        await work.look()
        return work
