"""What must hold of identity, whatever comes in: the promises of the policy, against an oracle."""

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from endu.identities.evidence import Evidence, RuleMade
from tests.identity_logs import logs, logs_with_creations, operators_doings, orders, taken_back
from tests.identity_oracle_links import LIMITS, kind_of
from tests.identity_world import End, new_world

# Every example makes a directory on disk and settles it in several batches.
worlds = settings(max_examples=40, deadline=None)

ends: st.SearchStrategy[Mapping[int, End]] = st.dictionaries(
    st.integers(0, 40), st.sampled_from(["in order", "resolved", "written"]), max_size=4
)


@given(logs(), ends)
@worlds
async def test_whatever_comes_in_the_directory_says_what_the_oracle_says(
    steps: list[Evidence], ends: Mapping[int, End]
) -> None:
    with new_world() as world:
        await world.play(steps, ends)
        assert not world.disagreements()


@given(logs_with_creations(), ends)
@worlds
async def test_identities_made_beforehand_are_who_the_oracle_says(
    steps: list[Evidence], ends: Mapping[int, End]
) -> None:
    with new_world() as world:
        await world.play(steps, ends)
        assert not world.disagreements()


@given(logs(), ends, st.data())
@worlds
async def test_no_order_repetition_portion_or_crash_makes_a_difference(
    steps: list[Evidence], ends: Mapping[int, End], data: st.DataObject
) -> None:
    again = data.draw(orders(steps, repeats=3))
    with new_world() as one, new_world() as other:
        await one.play(steps)
        await other.play(again, ends)
        assert one.by_content() == other.by_content()


@given(logs(), ends)
@worlds
async def test_settling_in_portions_equals_settling_everything_at_once(
    steps: list[Evidence], ends: Mapping[int, End]
) -> None:
    with new_world() as bit_by_bit, new_world() as at_once:
        await bit_by_bit.play(steps, ends)
        await at_once.settle_log(bit_by_bit.log)
        assert bit_by_bit.everything() == at_once.everything()


@given(logs(rules=2), ends)
@worlds
async def test_no_identity_breaks_a_limit_unless_an_operator_says(
    steps: list[Evidence], ends: Mapping[int, End]
) -> None:
    with new_world() as world:
        await world.play(steps, ends)
        at_most = [LIMITS, *(step.limits for step in steps if hasattr(step, "limits"))][-1]
        told = world.told()
    if any(isinstance(step, RuleMade) and step.rule == "always-link" for step in steps):
        return
    for person in told.people:
        kinds = [kind_of(name) for name in person]
        for kind in ("discord", "telegram", "wallet"):
            assert kinds.count(kind) <= max(1, at_most[kind])


@given(logs(rules=0), operators_doings.filter(lambda doing: isinstance(doing, RuleMade)), ends)
@worlds
async def test_a_rule_taken_back_leaves_everything_as_it_was_before(
    steps: list[Evidence], doing: Evidence, ends: Mapping[int, End]
) -> None:
    with new_world() as world:
        await world.play(steps, ends)
        before, whose = world.everything(), world.told().owners
        await world.play([doing])
        await world.play([taken_back(0)])
        assert world.told().owners == whose
        assert world.everything() == before


@given(logs_with_creations(), ends)
@worlds
async def test_every_number_ever_issued_leads_to_a_person_in_one_step(
    steps: list[Evidence], ends: Mapping[int, End]
) -> None:
    with new_world() as world:
        issued: dict[str, str] = {}
        for place, step in enumerate(steps):
            await world.play([step], {0: ends[place]} if place in ends else {})
            now = world.names_by_number()
            assert issued.keys() <= now.keys()
            assert all(now[name] == name for name in now.values())
            issued |= now
