"""Whoever is erased, everybody else is who the policy says without them, and settling again what is
left of the log comes to the same."""

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from endu.identities.evidence import Evidence
from tests.identity_erasing import bare, erase, restore
from tests.identity_logs import logs, sighting
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
        erased = await erase(world, name)
        restore(again, erased)
        await again.settle_log(erased.left)
        await again.forget(*bare(erased))
        assert again.everything() == world.everything()


async def test_an_identifier_that_others_name_by_its_number_stays_when_it_is_settled_again() -> (
    None
):
    with new_world() as world, new_world() as again:
        await world.play(
            [
                sighting("telegram:1", at_s=1),
                sighting("@telegram:1", "discord:1", at_s=2),
                sighting("@discord:1", "wallet:eip155:0x2", at_s=3),
            ]
        )
        erased = await erase(world, "telegram:1")
        assert [each.text for each in erased.plan.spelled] == ["discord:1"]
        restore(again, erased)
        await again.settle_log(erased.left)
        await again.forget(*bare(erased))
        assert again.everything() == world.everything()


async def test_what_their_event_said_of_two_others_stays() -> None:
    with new_world() as world, new_world() as again:
        theirs = sighting("c_user_id:7", "discord:1", "wallet:eip155:0x1", at_s=1)
        others = [
            sighting("c_user_id:8", "discord:1"),
            sighting("c_user_id:8", "wallet:eip155:0x1"),
        ]
        await world.play([*others, theirs, sighting("c_user_id:7", at_s=2)])
        erased = await erase(world, "c_user_id:7")
        assert len(erased.plan.kept) == 1
        restore(again, erased)
        await again.settle_log(erased.left)
        await again.forget(*bare(erased))
        assert again.everything() == world.everything()
