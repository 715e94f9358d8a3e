"""Whether two things go together among people: how strongly, and how surely.

Four numbers of people say it all: with and without a behaviour, and how many of each reached the
goal. How sure it is says Fisher's exact test, because the groups may be small and it holds for
every size; sums are taken outwards from the largest term, so that large groups cost little.
"""

import math
from collections.abc import Sequence

from msgspec import Struct

NORMAL_95 = 1.959963984540054  # what 95 % of a normal distribution are within, on either side
TIE = 1e-7  # two tables that are as likely as each other within this are; R and SciPy do so too
NEGLIGIBLE = 1e-18  # of a sum that is kept to 16 digits
EXACT_BELOW = 16  # below it Stirling's series wants more terms than it has here
HALF_LN_TAU = 0.5 * math.log(math.tau)


class Split(Struct, frozen=True):
    """How many people have a behaviour and how many have not, and who of them reached the goal."""

    people_with: int
    reached_with: int
    people_without: int
    reached_without: int

    @property
    def people(self) -> int:
        return self.people_with + self.people_without

    @property
    def reached(self) -> int:
        return self.reached_with + self.reached_without

    @property
    def support(self) -> int:
        """How many people there are at least on either side."""
        return min(self.people_with, self.people_without)

    @property
    def cells(self) -> tuple[int, int, int, int]:
        """With and reached, with and not, without and reached, without and not."""
        return (
            self.reached_with,
            self.people_with - self.reached_with,
            self.reached_without,
            self.people_without - self.reached_without,
        )


class Odds(Struct, frozen=True):
    """The odds of reaching the goal with the behaviour over those without it, and what they lie
    between with 95 % confidence."""

    ratio: float
    low: float
    high: float


def odds_of(split: Split) -> Odds:
    """Woolf's interval, which is that of the logarithm; where one of the four numbers is 0, half a
    person is added to each of them (Haldane and Anscombe)."""
    more = 0.0 if all(split.cells) else 0.5
    a, b, c, d = (cell + more for cell in split.cells)
    ratio = (a * d) / (b * c)
    apart = math.exp(NORMAL_95 * math.sqrt(1 / a + 1 / b + 1 / c + 1 / d))
    return Odds(ratio, ratio / apart, ratio * apart)


def ln_p_of(split: Split) -> float:
    """The natural logarithm of the two-sided p of Fisher's exact test: how likely it is, if the two
    had nothing to do with each other, that they go together as they do or in a way that is no
    likelier. A logarithm, because it may be less than floating point has room for."""
    table = _Table(split.people_with, split.reached, split.people)
    found, middle = split.reached_with, table.likeliest
    if found == middle:
        return 0.0
    ln_found = table.ln_probability(found)
    outwards = -1 if found < middle else 1
    p = table.tail(found, outwards)
    opposite = table.opposite(ln_found, -outwards)
    if opposite is not None:
        as_likely = math.exp(table.ln_probability(opposite) - ln_found)
        p += as_likely * table.tail(opposite, -outwards)
    return min(ln_found + math.log(p), 0.0)


def ln_q_of(ln_p: Sequence[float]) -> list[float]:
    """Each p, corrected for how many were tried, as Benjamini and Hochberg do: of those whose q is
    at most 0.05, one in twenty is expected to be chance. Logarithms in, logarithms out."""
    order = sorted(range(len(ln_p)), key=lambda place: ln_p[place])
    ln_q = [0.0] * len(ln_p)
    least = 0.0
    for rank in range(len(order), 0, -1):
        place = order[rank - 1]
        least = min(least, ln_p[place] + math.log(len(order)) - math.log(rank))
        ln_q[place] = least
    return ln_q


class _Table(Struct, frozen=True):
    """All the ways in which `drawn` of `people` may fall upon `marked` of them: by how many do."""

    marked: int
    drawn: int
    people: int

    @property
    def least(self) -> int:
        return max(0, self.marked + self.drawn - self.people)

    @property
    def most(self) -> int:
        return min(self.marked, self.drawn)

    @property
    def likeliest(self) -> int:
        return (self.marked + 1) * (self.drawn + 1) // (self.people + 2)

    def ln_probability(self, both: int) -> float:
        """Loader's way (2000): Stirling's formula with everything large cancelled beforehand, so
        that no digits are lost however many people there are."""
        rows = (self.marked, self.people - self.marked)
        columns = (self.drawn, self.people - self.drawn)
        beyond = (both * self.people - self.marked * self.drawn) / self.people
        ln = -_ln_rest(self.people)
        for place, row in enumerate(rows):
            ln += _ln_rest(row) + _ln_rest(columns[place])
            for other, column in enumerate(columns):
                more = beyond if place == other else -beyond
                expected = row * column / self.people
                cell = round(expected + more)
                ln -= _deviance(cell, expected, more) + _ln_rest(cell)
        return ln

    def tail(self, start: int, step: int) -> float:
        """How likely `start` and all beyond it are, in units of how likely `start` is."""
        total = term = 1.0
        both, last = start, self.most if step > 0 else self.least
        neither = self.people - self.marked - self.drawn
        while both != last and term > NEGLIGIBLE * total:
            more, less = (both, both + 1) if step > 0 else (both - 1, both)
            up = (self.marked - more) * (self.drawn - more) / (less * (neither + less))
            term *= up if step > 0 else 1 / up
            total += term
            both += step
        return total

    def opposite(self, ln_found: float, step: int) -> int | None:
        """The first one, from the likeliest on, that is no likelier than what was found."""
        near, far = self.likeliest, self.most if step > 0 else self.least
        if self.ln_probability(far) > ln_found + TIE:
            return None
        while near != far:
            between = (near + far + (step < 0)) // 2
            if self.ln_probability(between) > ln_found + TIE:
                near = between + step
            else:
                far = between
        return far


def _deviance(count: int, expected: float, more: float) -> float:
    """count × ln(count / expected) - `more`, which is how much more the count is than expected."""
    if count == 0:
        return expected
    if abs(more) >= 0.1 * (count + expected):
        return count * math.log(count / expected) - more
    share = more / (count + expected)
    total, term, power = more * share, 2 * count * share, 3
    while True:
        term *= share * share
        further = total + term / power
        if further == total:
            return total
        total, power = further, power + 2


def _ln_rest(count: int) -> float:
    """ln(count!) - (count × ln(count) - count): what is left once the large part is gone."""
    if count == 0:
        return 0.0
    if count < EXACT_BELOW:
        return math.log(math.factorial(count)) - count * math.log(count) + count
    square = count * count
    series = (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / (1188 * square)) / square) / square)
              / square) / count  # fmt: skip
    return HALF_LN_TAU + 0.5 * math.log(count) + series
