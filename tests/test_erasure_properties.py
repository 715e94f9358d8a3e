"""Whoever is erased, everybody else is who the policy says without them, and settling again what is
left of the log comes to the same."""

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from endu.identities.evidence import Evidence
from endu.identities.forgotten import Plan
from tests.identity_erasing import Erased, erase, settle_again
from tests.identity_logs import (
    AFTERWARDS,
    creation,
    limits,
    logs,
    rule,
    sighting,
)
from tests.identity_world import World, new_world

EXAMPLES = 20 * int(os.environ.get("ENDU_LONG", "1"))
worlds = settings(max_examples=EXAMPLES, deadline=None)


async def somebody(world: World, data: st.DataObject) -> str | None:
    """Anybody with a strong identifier that an event showed."""
    names = sorted(name for person in world.told().people for name in person)
    return data.draw(st.sampled_from(names)) if names else None


@given(logs(rules=2), st.data())
@worlds
async def test_without_them_everybody_is_who_the_oracle_says(
    steps: list[Evidence], data: st.DataObject
) -> None:
    with new_world() as world:
        await world.play(steps)
        name = await somebody(world, data)
        if name is None:
            return
        erased = await erase(world, name)
        world.log[:] = erased.seen  # as if this were all that it had been told
        assert not world.disagreements()


@given(logs(rules=2), st.data())
@worlds
async def test_settling_what_is_left_comes_to_the_same(
    steps: list[Evidence], data: st.DataObject
) -> None:
    with new_world() as world, new_world() as again:
        await world.play(steps)
        name = await somebody(world, data)
        if name is None:
            return
        await settle_again(world, again, await erase(world, name))
        assert again.everything() == world.everything()


@given(logs(rules=2), st.data())
@worlds
async def test_settling_what_two_erasures_left_comes_to_the_same(
    steps: list[Evidence], data: st.DataObject
) -> None:
    with new_world() as world, new_world() as again:
        await world.play(steps)
        erasures: list[Erased] = []
        for _ in range(2):
            name = await somebody(world, data)
            if name is None:
                return
            erasures.append(await erase(world, name, *erasures))
        await settle_again(world, again, *erasures)
        assert again.everything() == world.everything()


async def settled_again(steps: list[Evidence], name: str) -> Plan:
    """What was planned, where settling again comes to the same."""
    with new_world() as world, new_world() as again:
        await world.play(steps)
        erased = await erase(world, name)
        await settle_again(world, again, erased)
        assert again.everything() == world.everything()
        return erased.plan


async def test_an_identifier_that_others_name_by_its_number_stays() -> None:
    steps: list[Evidence] = [
        sighting("telegram:1", at_s=1),
        sighting("@telegram:1", "discord:1", at_s=2),
        sighting("@discord:1", "wallet:eip155:0x2", at_s=3),
    ]
    plan = await settled_again(steps, "telegram:1")
    assert [each.text for each in plan.spelled] == ["discord:1"]


async def test_an_identifier_that_somebody_else_spells_out_is_kept_by_its_hash_alone() -> None:
    steps: list[Evidence] = [
        sighting("telegram:1", at_s=1),
        sighting("@telegram:1", "discord:1", at_s=2),
        sighting("discord:1", "wallet:eip155:0x3", at_s=4),
        sighting("@discord:1", "wallet:eip155:0x2", at_s=3),
    ]
    plan = await settled_again(steps, "telegram:1")
    assert (len(plan.births), plan.spelled) == (1, ())


async def test_an_identifier_that_only_they_showed_stays_where_it_is_linked_with_another() -> None:
    steps: list[Evidence] = [
        limits(wallet=1),
        sighting("c_user_id:8", "discord:1"),
        sighting("c_user_id:7", "wallet:eip155:0x2"),
        sighting("c_user_id:7", "discord:1", "wallet:eip155:0x1", at_s=1),
    ]
    plan = await settled_again(steps, "c_user_id:7")
    assert [each.text for each in plan.spelled] == ["wallet:eip155:0x1"]


async def test_what_their_event_said_of_two_others_stays() -> None:
    steps: list[Evidence] = [
        sighting("c_user_id:8", "discord:1"),
        sighting("c_user_id:8", "wallet:eip155:0x1"),
        sighting("c_user_id:7", "discord:1", "wallet:eip155:0x1", at_s=1),
        sighting("c_user_id:7", at_s=2),
    ]
    assert len((await settled_again(steps, "c_user_id:7")).kept) == 1


async def test_a_link_that_they_were_the_first_to_show_is_still_from_its_place() -> None:
    steps: list[Evidence] = [
        sighting("c_user_id:7", "discord:1", "wallet:eip155:0x2", at_s=2),
        sighting("@discord:1", "wallet:eip155:0x2", at_s=1),
    ]
    plan = await settled_again(steps, "c_user_id:7")
    assert [link.first_seq for link in plan.kept] == [1]


async def test_a_number_that_only_they_asserted_stays_asserted() -> None:
    steps: list[Evidence] = [
        sighting("discord:1"),
        sighting("@discord:1", "telegram:1", at_s=1),
        rule("block", "discord:1"),
        sighting("telegram:1", at_s=2),
    ]
    plan = await settled_again(steps, "telegram:1")
    assert [birth.asserted for birth in plan.births] == [True]


async def test_a_device_that_showed_somebody_who_is_blocked_did_so_still() -> None:
    steps: list[Evidence] = [
        rule("block", "telegram:1"),
        sighting("telegram:1", "fingerprint:f"),
        sighting("telegram:3", "fingerprint:f", at_s=7200),
        sighting("telegram:2", "fingerprint:f", at_s=60),
    ]
    assert len((await settled_again(steps, "telegram:2")).seen) == 1


async def test_of_two_sightings_in_one_moment_the_first_is_the_first_without_them_too() -> None:
    steps: list[Evidence] = [
        sighting("c_user_id:7", "telegram:1"),
        sighting("c_user_id:8", "telegram:1", "wallet:eip155:0x1", "fingerprint:f", at_s=5),
        sighting("c_user_id:8", "wallet:eip155:0x1", "fingerprint:f", at_s=5),
    ]
    await settled_again(steps, "c_user_id:7")


async def test_an_identity_made_for_somebody_whom_only_they_had_shown_is_theirs_still() -> None:
    steps: list[Evidence] = [
        sighting("telegram:1", "wallet:eip155:0x1"),
        creation("telegram:2", "wallet:eip155:0x1", at_s=AFTERWARDS),
    ]
    await settled_again(steps, "telegram:1")


async def test_who_was_named_by_number_when_an_identity_was_made_stays() -> None:
    with new_world() as world, new_world() as again:
        await world.play(
            [sighting("telegram:1", at_s=1), sighting("@telegram:1", "discord:1", at_s=2)]
        )
        ((number,),) = world.rows("SELECT number FROM identifiers WHERE kind = 'discord'")
        made = creation(f"c_user_id:{number}", "wallet:eip155:0x2", at_s=AFTERWARDS)
        await world.play([made, sighting("discord:1"), sighting("@discord:1", at_s=3)])
        erased = await erase(world, "telegram:1")
        assert [each.text for each in erased.plan.spelled] == ["discord:1"]
        await settle_again(world, again, erased)
        assert again.everything() == world.everything()


async def test_an_identity_made_for_them_and_for_somebody_new_makes_no_number_again() -> None:
    steps: list[Evidence] = [
        creation("discord:2", "wallet:eip155:0x1", at_s=AFTERWARDS),
        creation("discord:1", "wallet:eip155:0x1", at_s=AFTERWARDS),
        sighting("discord:2", "wallet:eip155:0x1"),
    ]
    await settled_again(steps, "discord:2")


async def test_an_identity_that_could_not_be_made_for_them_and_another_ties_nobody_later() -> None:
    steps: list[Evidence] = [
        sighting("telegram:1"),
        sighting("discord:1"),
        creation("telegram:1", "discord:1", "wallet:eip155:0x1", at_s=AFTERWARDS),
    ]
    plan = await settled_again(steps, "telegram:1")
    assert plan.conflicts == (3,)
