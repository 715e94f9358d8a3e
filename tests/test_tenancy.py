"""An organization's key reaches that organization only: every endpoint of the OpenAPI file is
asked with another organization's ids, and with every kind of key that should not open it."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from msgspec import Struct

from endu.ids import new_id
from tests.web_world import World, bearer, world_on

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRETIVE = "theirs-alone"  # stands in everything that the other organization has
FORMER = "799999999999999998"
ACCOUNT, DEVICE = "799999999999999999", f"{SECRETIVE}-device"
UNKNOWN_ID = new_id(1_700_000_000_000, bytes(range(10)))

# What each id of a path or a query is for somebody who never had anything.
UNKNOWN = {
    "c_user_id": "123456789012345678",
    "event_id": UNKNOWN_ID,
    "rule_id": UNKNOWN_ID,
    "key_id": UNKNOWN_ID,
    "failed_event_id": UNKNOWN_ID,
    "erasure_id": UNKNOWN_ID,
    "organization_id": UNKNOWN_ID,
    "discord": "788888888888888888",
    "fingerprint": "nobodys-device",
}


class Operation(Struct, frozen=True):
    method: str
    path: str
    said: dict[str, Any]

    @property
    def needs(self) -> str:
        return str(self.said.get("x-needs", ""))

    @property
    def ids(self) -> list[str]:
        """Names of parameters that name one thing of an organization."""
        return [each["name"] for each in self.said["parameters"] if each["name"] in UNKNOWN]

    def body(self) -> Any:
        content = self.said.get("requestBody", {}).get("content", {}).get("application/json", {})
        examples = list(content.get("examples", {}).values())
        return examples[0]["value"] if examples else None

    async def ask(self, client: httpx.AsyncClient, ids: dict[str, str], **more: Any) -> Any:
        """With each id where it belongs, in the path or behind it."""
        named = {name: ids[name] for name in self.ids}
        in_query = {name: ids[name] for name in self.ids if f"{{{name}}}" not in self.path}
        body = {"json": self.body()} if self.body() is not None else {}
        return await client.request(
            self.method, self.path.format(**named), **{"params": in_query, **body, **more}
        )


class Tenants(Struct):
    world: World
    theirs: dict[str, str]  # by the names of UNKNOWN, as the other organization has them
    their_key: str
    operations: list[Operation]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tenants(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tenants]:
    async with world_on(tmp_path_factory.mktemp("tenancy")) as world:
        organization_id, key = await world.other_organization(SECRETIVE)
        headers = bearer(key)
        theirs = await furnish(world, organization_id, headers)
        document = (await world.client.get("/openapi.json")).json()
        operations = [
            Operation(method.upper(), path, said)
            for path, methods in document["paths"].items()
            for method, said in methods.items()
        ]
        yield Tenants(world, theirs, key, operations)


async def furnish(world: World, organization_id: str, headers: dict[str, str]) -> dict[str, str]:
    """Gives the other organization one of everything."""

    async def theirs(method: str, path: str, body: Any = None) -> Any:
        return await world.ask(method, path, json=body, headers=headers)

    event = world.event(
        organization_id=organization_id,
        p_user_id=ACCOUNT,
        fingerprint=DEVICE,
        property_id=f"W#{SECRETIVE}",
        event_data={"secret": SECRETIVE},
    )
    kept = await world.client.post("/events/record", json=event, headers=headers)
    assert kept.status_code == 200
    failed = await world.client.post(
        "/events/record", json={**event, "event_type": "NEVER"}, headers=headers
    )
    named = {"event_type": "THEIRS_ALONE", "event_display_name": SECRETIVE}
    event_type = await theirs("POST", "/events/create/eventid", named)
    block = {"rule": "block", "a": f"fingerprint:{DEVICE}-2", "reason": SECRETIVE}
    rule = await theirs("POST", "/rules", block)
    made = await theirs("POST", "/keys", {"name": SECRETIVE})
    await world.client.post(
        "/events/record", json={**event, "p_user_id": FORMER, "fingerprint": ""}, headers=headers
    )
    former = await theirs("GET", f"/identities?discord={FORMER}&fresh=true")
    erasure = await theirs("DELETE", f"/identities/{former['c_user_id']}")
    person = await theirs("GET", f"/identities?discord={ACCOUNT}&fresh=true")
    return {
        "c_user_id": person["c_user_id"],
        "event_id": event_type["event_id"],
        "rule_id": rule["rule_id"],
        "key_id": made["key_id"],
        "failed_event_id": failed.json()["data"]["failed_event_id"],
        "erasure_id": erasure["erasure_id"],
        "organization_id": organization_id,
        "discord": ACCOUNT,
        "fingerprint": DEVICE,
    }


async def test_another_organizations_ids_are_as_unknown_as_any(tenants: Tenants) -> None:
    asked = 0
    for operation in tenants.operations:
        if not operation.ids or operation.needs == "operator key":
            continue
        choices = [[name] for name in ("discord", "fingerprint") if name in operation.ids]
        for names in choices or [operation.ids]:
            alone = Operation(
                operation.method,
                operation.path,
                {**operation.said, "parameters": [{"name": name} for name in names]},
            )
            theirs = await alone.ask(tenants.world.client, tenants.theirs)
            unknown = await alone.ask(tenants.world.client, UNKNOWN)
            assert theirs.status_code == 404, (operation.path, theirs.text)
            assert without_ids(theirs, tenants.theirs) == without_ids(unknown, UNKNOWN)
            asked += 1
    assert asked >= 10


async def test_their_ids_in_bodies_are_as_unknown_as_any(tenants: Tenants) -> None:
    ask, theirs = tenants.world.client.post, tenants.theirs
    for path, body, other in (
        (
            "/failed-events/replay",
            {"ids": [theirs["failed_event_id"]]},
            {"ids": [UNKNOWN["failed_event_id"]]},
        ),
        (
            "/identities/explain",
            {"a": theirs["c_user_id"], "b": f"discord:{ACCOUNT}"},
            {"a": UNKNOWN["c_user_id"], "b": "discord:788888888888888888"},
        ),
    ):
        answer, unknown = await ask(path, json=body), await ask(path, json=other)
        assert answer.status_code == unknown.status_code == 404
        assert without_ids(answer, theirs) == without_ids(unknown, UNKNOWN)


async def test_their_number_and_their_account_mean_nothing_here(tenants: Tenants) -> None:
    world, theirs = tenants.world, tenants.theirs
    prefill = {"p_user_id": ACCOUNT, "platform_type": "discord"}
    made = await world.ask("POST", "/events/create/identity", json={"prefill": prefill})
    assert made["created"] is True
    assert made["c_user_id"] != theirs["c_user_id"]
    kept = await world.record(p_user_id=None, c_user_id=theirs["c_user_id"])
    assert kept.headers["endu-warning"] == "NEW_C_USER_ID"
    mine = await world.timeline(theirs["c_user_id"])
    assert SECRETIVE not in str(mine)
    path = f"/identities/{theirs['c_user_id']}/timeline?fresh=true"
    still = await world.ask("GET", path, headers=bearer(tenants.their_key))
    assert len(still["items"]) == 1


async def test_no_list_shows_anything_of_theirs(tenants: Tenants) -> None:
    lists = [
        operation
        for operation in tenants.operations
        if operation.method == "GET"
        and operation.needs in ("read", "manage")
        and not operation.ids
        and operation.path != "/limits"
    ]
    assert len(lists) >= 8
    shown = 0
    for operation in lists:
        headers = bearer(tenants.their_key)
        theirs = await tenants.world.client.get(operation.path, headers=headers)
        ours = await tenants.world.client.get(operation.path)
        assert ours.status_code == theirs.status_code == 200
        shown += SECRETIVE in theirs.text or any(
            value in theirs.text for value in tenants.theirs.values()
        )
        assert SECRETIVE not in ours.text
        assert not [
            value for name, value in tenants.theirs.items() if f'"{name}":"{value}"' in ours.text
        ]
    assert shown >= 6


async def test_only_keys_that_may_open_an_endpoint(tenants: Tenants) -> None:
    world = tenants.world
    revoked = await world.key(kind="secret")
    await world.ask("DELETE", f"/keys/{revoked['key_id']}")
    scoped = {
        scope: bearer((await world.key(scopes=[scope]))["key"])
        for scope in ("record", "read", "manage")
    }
    imports = bearer((await world.key(kind="import"))["key"])
    for operation in tenants.operations:
        if not operation.needs:
            continue
        for headers in (
            {"Authorization": ""},
            bearer(revoked["key"]),
            bearer(world.secret[:-1]),
            bearer(new_id(1, bytes(10))),
        ):
            answer = await operation.ask(world.client, UNKNOWN, headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (401, "UNKNOWN_KEY")
        weak = [key for scope, key in scoped.items() if scope != operation.needs]
        if operation.needs != "record":
            weak += [bearer(world.publishable), imports]
        if operation.needs == "operator key":
            weak.append(bearer(world.secret))
        for headers in weak:
            answer = await operation.ask(world.client, UNKNOWN, headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (403, "KEY_NOT_ALLOWED")


async def test_a_key_in_the_query_opens_nothing(tenants: Tenants) -> None:
    secret = tenants.world.secret
    for name in ("api_key", "key", "access_token", "Authorization"):
        answer = await tenants.world.client.get(
            "/event-types", params={name: secret}, headers={"Authorization": ""}
        )
        assert answer.status_code == 401


async def test_the_header_of_the_operator_moves_no_other_key(tenants: Tenants) -> None:
    headers = {"Endu-Organization": tenants.theirs["organization_id"]}
    answer = await tenants.world.ask("GET", "/limits", headers=headers)
    assert answer["organization_id"] == tenants.world.organization_id


def without_ids(answer: httpx.Response, ids: dict[str, str]) -> tuple[int, str]:
    """Whether what was asked for is said back does not matter."""
    text = answer.text
    for value in ids.values():
        text = text.replace(value, "<id>")
    return answer.status_code, text
