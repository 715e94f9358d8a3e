"""The worked cases of the identity policy, by name."""

from collections.abc import Iterator

import pytest

from tests.identity_logs import creation, rule, sighting, taken_back
from tests.identity_oracle import NOBODY
from tests.identity_world import World, new_world

D, D1, D2 = "discord:5", "discord:1", "discord:2"
T1, T2 = "telegram:1", "telegram:2"
W = "wallet:eip155:0x1"
F = "fingerprint:f"
C1, C2 = "c_user_id:101", "c_user_id:102"
MINUTE = 60


@pytest.fixture
def world() -> Iterator[World]:
    """Whatever a case says, the oracle has to agree with."""
    with new_world() as world:
        yield world
        assert not world.disagreements()


async def test_discord_and_wallet_in_one_event_are_one_identity(world: World) -> None:
    await world.play([sighting(D, W)])
    assert world.told().people == {frozenset({D, W})}


async def test_a_wallet_joins_a_discord_and_a_telegram_account_that_both_used_it(
    world: World,
) -> None:
    await world.play([sighting(D1, W)])
    await world.play([sighting(T1, W, at_s=1)])
    assert world.told().people == {frozenset({D1, W, T1})}


async def test_page_views_on_a_browser_are_whoevers_who_signs_in_there_later(
    world: World,
) -> None:
    await world.play([sighting(F), sighting(F, at_s=1)])
    assert world.told().owners == {1: {F}, 2: {F}}
    await world.play([sighting(D, F, at_s=86_400)])
    assert world.told().owners == {1: {D}, 2: {D}, 3: {D}}


async def test_of_two_discord_accounts_on_a_wallet_the_earlier_claim_keeps_it(
    world: World,
) -> None:
    await world.play([sighting(D1, W, at_s=1), sighting(D2, W, at_s=2), sighting(W, at_s=3)])
    told = world.told()
    assert told.people == {frozenset({D1, W}), frozenset({D2})}
    assert told.refused.keys() == {(D2, W)}
    assert told.owners == {1: {D1, W}, 2: {D2}, 3: {D1, W}}


async def test_an_earlier_claim_that_arrives_late_takes_the_wallet_with_its_history(
    world: World,
) -> None:
    await world.play([sighting(D1, W, at_s=1), sighting(W, at_s=2)])
    await world.play([sighting(D2, W, at_s=0)])
    assert world.told().people == {frozenset({D1}), frozenset({D2, W})}
    assert world.told().owners[2] == {D2, W}


async def test_who_proves_a_wallet_better_takes_it_with_its_history(world: World) -> None:
    await world.play([sighting(D1, W, at_s=1), sighting(D2, W, at_s=2), sighting(W, at_s=3)])
    await world.play([sighting(D2, W, proof=3, at_s=4)])
    assert world.told().people == {frozenset({D1}), frozenset({D2, W})}
    assert world.told().owners == {1: {D1}, 2: {D2, W}, 3: {D2, W}, 4: {D2, W}}
    assert world.journal(4)


async def test_six_discord_accounts_on_a_wallet_make_it_a_hub_and_nobodys(world: World) -> None:
    await world.play([sighting(f"discord:{n}", W, at_s=n) for n in range(1, 6)])
    assert world.told().hubs == frozenset()
    await world.play([sighting("discord:6", W, at_s=6), sighting(W, at_s=7)])
    told = world.told()
    assert told.hubs == {W}
    assert told.people == {frozenset({W}), *(frozenset({f"discord:{n}"}) for n in range(1, 7))}
    assert told.owners[7] == {W}


async def test_a_verified_claim_on_a_hub_stays(world: World) -> None:
    await world.play([sighting(f"discord:{n}", W, at_s=n) for n in range(1, 7)])
    await world.play([sighting("discord:7", W, proof=3)])
    assert frozenset({"discord:7", W}) in world.told().people


async def test_two_people_on_one_browser_are_never_one_and_each_has_their_own_visits(
    world: World,
) -> None:
    await world.play([sighting(F), sighting(D1, F, at_s=MINUTE), sighting(F, at_s=2 * MINUTE)])
    evening = 8 * 60 * MINUTE
    await world.play([sighting(F, at_s=evening), sighting(D2, F, at_s=evening + MINUTE)])
    await world.play([sighting(F, at_s=evening // 2)])
    told = world.told()
    assert told.people == {frozenset({D1}), frozenset({D2})}
    assert told.owners == {1: {D1}, 2: {D1}, 3: {D1}, 4: {D2}, 5: {D2}, 6: {F}}


async def test_a_visit_reaches_thirty_minutes_and_no_second_further(world: World) -> None:
    signed_in, half_an_hour = 10_000, 30 * MINUTE
    people = [sighting(D1, F, at_s=signed_in), sighting(D2, F, at_s=10 * signed_in)]
    apart = [-half_an_hour - 1, -half_an_hour, half_an_hour, half_an_hour + 1]
    await world.play([*people, *(sighting(F, at_s=signed_in + seconds) for seconds in apart)])
    assert [world.told().owners[seq] for seq in (3, 4, 5, 6)] == [{F}, {D1}, {D1}, {F}]


@pytest.mark.parametrize("part", [0.25, 0.999])
async def test_a_visit_is_told_by_whole_seconds_whichever_event_comes_in_last(
    world: World, part: float
) -> None:
    half_an_hour = 30 * MINUTE
    signed_in = [sighting(D1, F, at_s=half_an_hour), sighting(D1, F, at_s=9 * half_an_hour + part)]
    visits = [sighting(F, at_s=2 * half_an_hour + part), sighting(F, at_s=8 * half_an_hour)]
    await world.play([sighting(D2, F, at_s=100 * half_an_hour), *visits])
    for late in signed_in:  # each in a batch of its own
        await world.play([late])
    assert [world.told().owners[seq] for seq in (2, 3)] == [{D1}, {D1}]


async def test_who_comes_next_goes_before_who_was_there_last(world: World) -> None:
    people = [sighting(D1, F, at_s=0), sighting(D2, F, at_s=20 * MINUTE)]
    await world.play([*people, sighting(F, at_s=MINUTE), sighting(F, at_s=20 * MINUTE)])
    assert [world.told().owners[seq] for seq in (3, 4)] == [{D2}, {D2}]


async def test_where_two_people_stand_at_one_second_a_visit_is_nobodys(world: World) -> None:
    people = [sighting(D1, F, at_s=MINUTE), sighting(D2, F, at_s=MINUTE)]
    await world.play([*people, sighting(F), sighting(D1, F, at_s=2 * MINUTE)])
    assert world.told().owners[3] == {F}


async def test_a_device_of_more_than_ten_people_is_nobodys(world: World) -> None:
    await world.play([sighting(F), *(sighting(f"discord:{n}", F, at_s=n) for n in range(1, 11))])
    assert world.told().owners[1] == {"discord:1"}
    await world.play([sighting("discord:11", F, at_s=11)])
    assert world.told().owners[1] == {F}
    assert world.told().burned == {F}


async def test_a_number_that_was_issued_and_never_asserted_joins_the_one_that_is(
    world: World,
) -> None:
    await world.play([sighting(D1)])
    await world.play([sighting(C2, D1)])
    told = world.told()
    assert told.people == {frozenset({C2, D1})}
    assert told.names == {frozenset({C2, D1}): C2}
    redirects = world.names_by_number()
    assert set(redirects.values()) == {"102"} and len(redirects) == 2


async def test_two_asserted_numbers_never_join_by_themselves(world: World) -> None:
    await world.play([sighting(C1, D1)])
    await world.play([sighting(C2, D1, at_s=1)])
    told = world.told()
    assert told.people == {frozenset({C1, D1}), frozenset({C2})}
    assert told.refused.keys() == {(C2, D1)}
    assert told.owners[2] == {C2}


async def test_a_publishable_key_links_nothing(world: World) -> None:
    victim, attackers = D1, "wallet:eip155:0xbad"
    await world.play([sighting(victim, W), sighting(victim, attackers, proof=1)])
    told = world.told()
    assert told.people == {frozenset({victim, W}), frozenset({attackers})}
    assert told.owners[2] == {victim, W}


async def test_a_publishable_key_that_names_a_number_neither_links_nor_asserts(
    world: World,
) -> None:
    await world.play([sighting(D1)])
    await world.play([sighting(f"@{D1}", W, proof=1)])
    assert world.told().people == {frozenset({D1}), frozenset({W})}
    await world.play([sighting(C2, D1)])
    assert world.told().names == {frozenset({C2, D1}): C2, frozenset({W}): W}


async def test_unmerging_moves_past_events_and_taking_it_back_restores_them(
    world: World,
) -> None:
    await world.play([sighting(D1, W), sighting(W, at_s=1), sighting(D1, at_s=2)])
    before, owners = world.everything(), world.told().owners
    await world.play([rule("never-link", D1, W)])
    assert world.told().people == {frozenset({D1}), frozenset({W})}
    assert world.told().owners == {1: {D1}, 2: {W}, 3: {D1}}
    await world.play([taken_back(0)])
    assert world.told().owners == owners
    assert world.everything() == before


async def test_an_identity_made_beforehand_is_made_once(world: World) -> None:
    await world.play([creation(D1, W), creation(D1), creation(W, T1)])
    first, *others = world.told().creations.values()
    assert first is not None and first[1]
    assert others == [(first[0], False), (first[0], False)]
    assert {D1, W, T1} < next(iter(world.told().people))


async def test_an_identity_made_beforehand_of_two_peoples_names_is_a_conflict(
    world: World,
) -> None:
    await world.play([sighting(D1), sighting(W)])
    await world.play([creation(D1, W)])
    assert world.told().creations == {3: None}
    assert world.told().people == {frozenset({D1}), frozenset({W})}


async def test_an_event_of_blocked_identifiers_alone_is_nobodys(world: World) -> None:
    await world.play([sighting(W), sighting(D1, W), sighting()])
    await world.play([rule("block", W)])
    assert world.told().owners == {1: NOBODY, 2: {D1}, 3: NOBODY}


async def test_a_blocked_identifier_is_in_nobodys_way(world: World) -> None:
    await world.play([rule("block", T1), rule("always-link", T1, D1)])
    await world.play([sighting(D1, W), sighting(T2, W)])
    assert frozenset({D1, W, T2}) in world.told().people


async def test_whom_an_operator_linked_to_a_wallet_does_not_help_make_it_a_hub(
    world: World,
) -> None:
    crowd = [sighting(f"discord:{n}", W, at_s=n) for n in range(1, 7)]
    await world.play([rule("always-link", D1, W)])
    await world.play(crowd)
    assert not world.told().hubs


async def test_a_shared_device_that_is_blocked_has_no_visitors_any_more(world: World) -> None:
    visits = [sighting(T1, F), sighting(T2, F, at_s=60), sighting(F)]
    await world.play(visits)
    await world.play([rule("block", F)])
    assert world.told().owners[3] == NOBODY


async def test_an_identity_made_beforehand_goes_by_the_number_that_was_made(world: World) -> None:
    # Which number is smaller is chance: among several, one would go by another.
    wallets = [f"wallet:eip155:0x{n}" for n in range(20)]
    await world.play([creation(wallet) for wallet in wallets])
    assert all(name.startswith("c_user_id:") for name in world.told().names.values())


async def test_asking_for_somebodys_number_does_not_change_it(world: World) -> None:
    known = [sighting(T1, at_s=1), sighting(T1, W, at_s=2)]
    await world.play([*known, creation(W, at_s=0)])
    assert list(world.told().names.values()) == [T1]


async def test_an_always_link_holds_again_when_its_end_is_blocked_no_longer(world: World) -> None:
    await world.play([rule("block", D1)])
    await world.play([rule("always-link", D1, T1), taken_back(0)])
    await world.play([sighting(D1), sighting(T1)])
    assert world.told().people == {frozenset({D1, T1})}


async def test_an_always_link_that_is_made_again_is_as_old_as_it_was(world: World) -> None:
    other = "wallet:eip155:0x2"
    await world.play([sighting(D1, W), sighting(D1, other)])
    await world.play([rule("never-link", W, other)])
    await world.play([rule("always-link", D1, W, at_s=1), rule("always-link", D1, other, at_s=2)])
    await world.play([rule("always-link", D1, W, at_s=3)])
    assert world.told().people == {frozenset({D1, W}), frozenset({other})}
