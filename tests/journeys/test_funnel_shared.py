"""Steps can each have an event of their own where every competing set has enough of them."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from endu.journeys.funnel_shared import KINDS_AT_MOST, competing, shares_events

STEPS = 5
marks = st.lists(st.integers(1, 2**STEPS - 1), max_size=6)


def can_be_matched(events: list[int], steps: range) -> bool:
    """By trying every choice."""
    return any(
        all(event >> step & 1 for event, step in zip(chosen, steps, strict=True))
        for chosen in permutations(events, len(steps))
    )


def least_start(events: list[int], sets: tuple[int, ...], step: int) -> int:
    """As the SQL has it: of each set as many steps as it has events, counted back from this one."""
    least = 0
    for some in sets:
        of_set = [n for n in range(step, 0, -1) if some >> (n - 1) & 1]
        if of_set and of_set[0] == step:
            enough = sum(bool(event & some) for event in events)
            least = max(least, of_set[enough] if enough < len(of_set) else 0)
    return least


@given(marks, marks)
def test_the_steps_up_to_each_that_events_are_enough_for_are_found(
    events: list[int], elsewhere: list[int]
) -> None:
    sets = competing([*events, *elsewhere], STEPS)
    assert sets is not None
    least = 0
    for step in range(1, STEPS + 1):
        least = max(least, least_start(events, sets, step))
        for start in range(step + 1):
            possible = can_be_matched(events, range(start, step))
            assert possible == (start >= least or start == step)


def test_steps_that_share_no_events_stand_alone() -> None:
    assert competing([0b001, 0b010, 0b100], 3) == (0b001, 0b010, 0b100)
    assert competing([], 2) == (0b01, 0b10)


def test_equal_steps_are_one_set_however_many() -> None:
    assert competing([0b1011, 0b0100], 4) == (0b0100, 0b1011)


def test_too_many_kinds_that_compete_are_too_many() -> None:
    together = [(1 << KINDS_AT_MOST) - 1]
    alone = [1 << step for step in range(KINDS_AT_MOST + 1)]
    assert competing([*together, *alone], KINDS_AT_MOST) is not None
    assert competing([2 * together[0] + 1, *alone], KINDS_AT_MOST + 1) is None


def test_a_step_without_types_may_share_events_with_any() -> None:
    assert shares_events([], ["a"])
    assert shares_events(["a", "b"], ["b"])
    assert not shares_events(["a"], ["b"])
