"""What must hold of identity, whatever comes in: the promises of the policy, against an oracle."""

from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from endu.identities.evidence import Evidence
from tests.identity_logs import logs, logs_with_creations, orders
from tests.identity_world import World, new_world

places = st.sets(st.integers(0, 40), max_size=4)


@given(logs(), places)
@settings(max_examples=100, deadline=None)
async def test_the_resolver_finds_whom_the_oracle_finds(
    steps: list[Evidence], cuts: set[int]
) -> None:
    with new_world() as world:
        await world.play(steps, cuts)
        assert not world.disagreements()
