"""A person is erased: out of every answer at once, out of every file, and nobody else with them."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.erasure_story import (
    EVENING,
    NIGHT,
    NOON,
    NOT_ON_A_PLATFORM,
    Story,
    accounts,
)
from tests.web_world import World, bearer, world_on

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world_on(tmp_path_factory.mktemp("erasure")) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def story(world: World) -> Story:
    told = Story(world)
    await told.tell()
    return told


async def test_who_is_erased_is_gone_from_every_answer_and_the_receipt_says_what_that_was(
    story: Story,
) -> None:
    receipt = await story.erase()
    await story.must_be_gone()
    assert receipt["state"] == "done"
    assert receipt["erased"] == {
        "events": 6, "identifiers": 3, "links": receipt["erased"]["links"],
        "journal_lines": receipt["erased"]["journal_lines"],
        "rules": 1, "failed_events": 1, "identities_made": 1, "records": 9,
    }  # fmt: skip
    assert receipt["erased"]["links"] >= 3
    shown = await story.world.ask("GET", f"/erasures/{receipt['erasure_id']}")
    assert shown == receipt
    assert receipt in (await story.world.ask("GET", "/erasures"))["items"]


async def test_nobody_else_is_another_after_it(story: Story) -> None:
    before = await story.others()
    await story.erase()
    assert await story.others() == before


async def test_a_device_that_two_shared_is_the_others_alone_afterwards(world: World) -> None:
    one, other, device = next(accounts), next(accounts), "a-device-of-two"
    await world.record(p_user_id=one, fingerprint=device, timestamp=NOON)
    await world.record(**NOT_ON_A_PLATFORM, fingerprint=device, timestamp=NOON)
    await world.record(p_user_id=other, fingerprint=device, timestamp=EVENING)
    await world.record(**NOT_ON_A_PLATFORM, fingerprint=device, timestamp=NIGHT)
    person = await world.who(discord=one)
    assert (await world.ask("DELETE", f"/identities/{person['c_user_id']}"))["erased"][
        "events"
    ] == 2
    left = await world.who(fingerprint=device)
    assert left["c_user_id"] == (await world.who(discord=other))["c_user_id"]
    assert len((await world.timeline(left["c_user_id"]))["items"]) == 2


async def test_what_is_sent_again_brings_nothing_back(story: Story) -> None:
    await story.erase()
    again = await story.world.record(
        p_user_id=story.account, message_id=story.text[:40], **story.said(1)
    )
    assert again.status_code == 200
    await story.world.ask("POST", "/failed-events/replay", json={"reason": "UNKNOWN_EVENT_TYPE"})
    await story.must_be_gone()


async def test_who_is_erased_twice_at_once_is_erased_once_and_takes_nothing_else_along(
    story: Story,
) -> None:
    other = story.other
    await story.world.record(p_user_id=other, event_type="NEVER_REGISTERED")
    receipts = await asyncio.gather(story.erase(), story.erase(), return_exceptions=True)
    await story.must_be_gone()
    done = [receipt for receipt in receipts if isinstance(receipt, dict)]
    assert sorted(receipt["erased"]["records"] for receipt in done)[-1] == 9
    assert all(receipt["erased"]["records"] in (0, 9) for receipt in done)
    failed = await story.world.client.get("/failed-events")
    assert other in failed.text


async def test_what_they_do_afterwards_is_somebody_newly_known(story: Story) -> None:
    await story.erase()
    await story.world.record(p_user_id=story.account, event_data={"n": 100})
    person = await story.world.who(discord=story.account)
    assert person["c_user_id"] != story.number
    assert [each["kind"] for each in person["identifiers"]] == ["discord"]
    items = (await story.world.timeline(person["c_user_id"]))["items"]
    assert [item["event_data"] for item in items] == [{"n": 100}]


async def test_a_number_that_was_brought_can_be_brought_again(story: Story) -> None:
    await story.erase()
    kept = await story.world.record(**NOT_ON_A_PLATFORM, c_user_id=story.brought)
    assert kept.headers["endu-warning"] == "NEW_C_USER_ID"
    assert (await story.world.timeline(story.brought))["items"][0][
        "because"
    ] == f"c_user_id:{story.brought}"


async def test_erasing_needs_a_key_that_may_manage_and_reaches_no_other_organization(
    story: Story,
) -> None:
    _, key = await story.world.other_organization("elsewhere")
    path = f"/identities/{story.number}"
    denied = await story.world.client.delete(path, headers=bearer(story.world.publishable))
    unknown = await story.world.client.delete(path, headers=bearer(key))
    assert (denied.status_code, unknown.status_code) == (403, 404)
    assert (await story.world.who(discord=story.account))["c_user_id"] == story.number
