"""How surely two things go together: the same as exact fractions say, for few people and many."""

import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endu.journeys.association import Split, ln_p_of, ln_q_of, odds_of
from tests.journeys.oracle_drivers import exact_p, exact_q
from tests.journeys.world import every_example


@st.composite
def splits(draw: st.DrawFn, most: int = 400) -> Split:
    people_with, people_without = draw(st.integers(0, most)), draw(st.integers(0, most))
    if draw(st.booleans()):
        people_without = people_with  # tables that mirror each other are equally likely
    reached_with = draw(st.integers(0, people_with))
    return Split(people_with, reached_with, people_without, draw(st.integers(0, people_without)))


def ln_of(fraction: Any) -> float:
    """Fractions may be less than floating point has room for."""
    exponent = fraction.denominator.bit_length() - fraction.numerator.bit_length()
    return math.log(fraction * 2**exponent) - exponent * math.log(2)


def exact_ln_p(split: Split) -> float:
    numbers = (split.people_with, split.reached_with, split.people_without, split.reached_without)
    return ln_of(exact_p(*numbers))


@every_example
@given(splits())
def test_p_is_what_counting_every_table_gives(split: Split) -> None:
    assert ln_p_of(split) == pytest.approx(exact_ln_p(split), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    "split",
    [
        Split(3_000, 900, 5_000, 1_400),
        Split(4_000, 2_000, 4_000, 2_050),
        Split(4_000, 0, 4_000, 4_000),
        Split(20, 1, 9_000, 3_000),
        Split(3_500, 1_751, 3_500, 1_749),
    ],
    ids=str,
)
def test_p_keeps_its_digits_for_thousands_of_people(split: Split) -> None:
    assert ln_p_of(split) == pytest.approx(exact_ln_p(split), rel=1e-12, abs=1e-12)


def test_p_of_millions_of_people_is_that_of_a_normal_distribution() -> None:
    """So many that all tests agree: to the half person that a table of whole ones jumps by."""
    split = Split(5_000_000, 2_500_000, 5_000_000, 2_503_000)
    excess = (split.reached / 2 - split.reached_with - 0.5) / math.sqrt(
        split.reached * (split.people - split.reached) / (4 * (split.people - 1))
    )
    assert math.exp(ln_p_of(split)) == pytest.approx(math.erfc(excess / math.sqrt(2)), rel=1e-4)


def test_evidence_beyond_floating_point_is_still_told_apart() -> None:
    weaker, stronger = (ln_p_of(Split(10**6, n, 10**6, 10**5)) for n in (300_000, 400_000))
    assert -math.inf < stronger < weaker < math.log(5e-324)


def test_published_examples_come_out() -> None:
    """The lady tasting tea (Fisher, 1935), and the example of R's fisher.test on convictions."""
    assert math.exp(ln_p_of(Split(4, 3, 4, 1))) == pytest.approx(34 / 70)
    assert math.exp(ln_p_of(Split(12, 2, 18, 15))) == pytest.approx(0.0005367241, rel=1e-6)


@every_example
@given(st.lists(st.fractions(Fraction(1, 10**6), 1), max_size=30))
def test_q_is_what_benjamini_and_hochberg_say(ps: list[Fraction]) -> None:
    found = [math.exp(ln) for ln in ln_q_of([math.log(p) for p in ps])]
    assert found == pytest.approx([float(q) for q in exact_q(ps)], rel=1e-12)


@every_example
@given(splits())
def test_odds_are_those_of_the_four_numbers_and_lie_in_their_interval(split: Split) -> None:
    odds = odds_of(split)
    a, b, c, d = (Fraction(cell) for cell in split.cells)
    if 0 in (a, b, c, d):
        a, b, c, d = (cell + Fraction(1, 2) for cell in (a, b, c, d))
    assert odds.ratio == pytest.approx(float(a * d / (b * c)))
    assert odds.low < odds.ratio < odds.high
    assert odds.low * odds.high == pytest.approx(odds.ratio**2)
    width = math.log(odds.high / odds.low) / (2 * 1.959963984540054)
    assert width**2 == pytest.approx(float(1 / a + 1 / b + 1 / c + 1 / d))


def test_a_published_interval_comes_out() -> None:
    """Aspirin and heart attacks (Physicians' Health Study, 1989; Agresti 2.3.3)."""
    odds = odds_of(Split(11_034, 189, 11_037, 104))
    assert (odds.ratio, odds.low, odds.high) == pytest.approx((1.83, 1.44, 2.33), abs=0.005)
