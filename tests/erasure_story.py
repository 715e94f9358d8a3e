"""Somebody who is going to be erased, and others whom they met."""

from itertools import count
from typing import Any

from tests.web_world import World

accounts = (f"7{number:017}" for number in count(1))
NOON, EVENING, NIGHT = "1672536000", "1672560000", "1672580000"


def wallet(address: str) -> dict[str, Any]:
    return {"blockchain": {"chain_type": "ethereum", "chain_account": address}}


NOT_ON_A_PLATFORM: dict[str, Any] = {"p_user_id": None, "platform_type": None}


class Story:
    """Somebody with one of everything, and others whom they met. `values` name only them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.account, self.other, self.third = next(accounts), next(accounts), next(accounts)
        self.address = f"0x{int(self.account):040x}"
        self.wallet_of_two = f"0x{int(self.third):040x}"
        self.device = f"device-{self.account[-6:]}"
        self.brought = f"42{self.account[-12:]}"
        self.text = f"said-{self.account[::-1]}"
        self.values = [self.account, self.address, self.brought, self.text, f"why-{self.text}"]
        self.number = ""

    async def tell(self) -> None:
        record = self.world.record
        await record(p_user_id=self.account, message_id=self.text[:40], **self.said(1))
        await record(
            p_user_id=self.account, fingerprint=self.device, timestamp=NOON, **self.said(2)
        )
        await record(**NOT_ON_A_PLATFORM, fingerprint=self.device, timestamp=NOON, **self.said(3))
        await record(p_user_id=self.account, **wallet(self.address), **self.said(4))
        await record(p_user_id=self.account, c_user_id=self.brought, **self.said(5))
        await record(p_user_id=self.account, event_type="NEVER_REGISTERED", **self.said(6))
        await record(p_user_id=self.other, fingerprint=self.device, timestamp=EVENING)
        await record(**NOT_ON_A_PLATFORM, fingerprint=self.device, timestamp=EVENING)
        await record(p_user_id=self.third, fingerprint=self.device, timestamp=NIGHT)
        await record(p_user_id=self.third, **wallet(self.wallet_of_two))
        # Later beyond doubt: old times are all claimed a week before they came, and where two came
        # in one millisecond the order of their identifiers says whose the wallet is.
        now = str(self.world.running.parts.now_ms() // 1000)
        claim = {**wallet(self.wallet_of_two), "timestamp": now}
        await record(p_user_id=self.account, **claim, **self.said(7))
        rule = {"rule": "never-link", "a": f"discord:{self.account}", "b": f"discord:{self.third}"}
        await self.world.ask("POST", "/rules", json={**rule, "reason": f"why-{self.text}"})
        prefill = {"p_user_id": self.account, "platform_type": "discord"}
        await self.world.ask("POST", "/events/create/identity", json={"prefill": prefill})
        self.number = (await self.world.who(discord=self.account))["c_user_id"]

    def said(self, n: int) -> dict[str, Any]:
        return {"event_data": {"n": n, "text": self.text}}

    async def others(self) -> list[Any]:
        """Who they are and what they did. How often an identifier was seen is of whoever showed
        it, and so are other people's events that carry it."""
        people = [await self.world.who(discord=each) for each in (self.other, self.third)]
        for person in people:
            for identifier in person["identifiers"]:
                for seen in ("first_seen", "last_seen", "events"):
                    del identifier[seen]
        pages = [await self.world.timeline(person["c_user_id"]) for person in people]
        own = [[item for item in page["items"] if item["relation"] == "own"] for page in pages]
        names = [(person["c_user_id"], person["identifiers"]) for person in people]
        return [names, own]

    async def must_be_gone(self) -> None:
        for query in (f"discord={self.account}", f"wallet={self.address}&chain_type=ethereum"):
            answer = await self.world.client.get(f"/identities?{query}&fresh=true")
            assert answer.status_code == 404, answer.text
        answer = await self.world.client.get(f"/identities/{self.number}?fresh=true")
        assert answer.status_code == 404
        said = "SELECT count() FROM endu.events WHERE position(event_data, {text:String}) > 0"
        assert await self.world.running.parts.ledger.ask(said, {"text": self.text}) == [(0,)]
        for path in ("/failed-events", "/rules", "/conflicts"):
            answer = await self.world.client.get(path)
            assert answer.status_code == 200
            assert not [value for value in self.values if value in answer.text]

    async def erase(self) -> Any:
        return await self.world.ask("DELETE", f"/identities/{self.number}")
