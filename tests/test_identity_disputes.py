"""Where the code and the oracle differ. Each is to be settled, and then goes to the cases."""

from collections.abc import Sequence

import pytest

from endu.identities.evidence import Evidence
from tests.identity_logs import creation, rule, sighting
from tests.identity_world import new_world

D1, T1, T2 = "discord:1", "telegram:1", "telegram:2"
W = "wallet:eip155:0x1"
F = "fingerprint:f"


async def disagreements(*batches: Sequence[Evidence]) -> object:
    with new_world() as world:
        for batch in batches:
            await world.play(batch)
        return world.disagreements()


@pytest.mark.xfail(strict=True, reason="an always-link still joins a blocked identifier")
async def test_a_blocked_identifier_is_in_nobodys_way() -> None:
    rules = [rule("block", T1), rule("always-link", T1, D1)]
    assert not await disagreements(rules, [sighting(D1, W), sighting(T2, W)])


@pytest.mark.xfail(strict=True, reason="a pair keeps proof 2 beside an operator's link")
async def test_whom_an_operator_linked_to_a_wallet_does_not_help_make_it_a_hub() -> None:
    crowd = [sighting(f"discord:{n}", W, at_s=n) for n in range(1, 7)]
    assert not await disagreements([rule("always-link", D1, W)], crowd)


@pytest.mark.xfail(strict=True, reason="visits of a device that is blocked later stay given")
async def test_a_shared_device_that_is_blocked_has_no_visitors_any_more() -> None:
    visits = [sighting(T1, F), sighting(T2, F, at_s=60), sighting(F)]
    assert not await disagreements(visits, [rule("block", F)])


@pytest.mark.xfail(strict=True, reason="a creation counts as a first event of what it ties")
async def test_an_identity_made_beforehand_goes_by_the_number_that_was_made() -> None:
    # Which number is smaller is chance, so one of several goes wrong.
    wallets = [f"wallet:eip155:0x{n}" for n in range(20)]
    assert not await disagreements([creation(wallet) for wallet in wallets])


@pytest.mark.xfail(strict=True, reason="a creation counts as a first event of what it ties")
async def test_asking_for_somebodys_number_does_not_change_it() -> None:
    known = [sighting(T1, at_s=1), sighting(T1, W, at_s=2)]
    assert not await disagreements([*known, creation(W, at_s=0)])
