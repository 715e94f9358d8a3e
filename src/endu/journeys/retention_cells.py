"""In which periods a person came back, in SQL: three ways to say it, for what is asked.

Each goes from one row for each person and `place` (a day, week or month of the calendar, counted
from 0) in which they `began` or `returned`, to an array of their `cohorts`, and from there to the
bits of their cells in one of them. Seconds are counted from two: 0 says never, and 1 that a start
was before the range.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from endu.journeys.draft import DAY_SECONDS

PLACES_OF_A_NUMBER = 64  # that have a bit of it each

PERIOD_SECONDS: Mapping[str, int] = {
    "day": DAY_SECONDS,
    "week": 7 * DAY_SECONDS,
    "month": 30 * DAY_SECONDS,
}

# Bits of the cells by place; a shift must not be negative, and no shift is longer than 63.
PLACE_BIT = "bitShiftLeft(toUInt64(1), bitAnd(place, 63))"


class Terms(Struct, frozen=True, kw_only=True):
    """What is asked for. `first_only`: a person starts once, in the range, or (`ever`) at any
    time."""

    period: Literal["day", "week", "month"]
    periods: int
    first_only: bool
    ever: bool
    or_after: bool
    rolling: bool

    @property
    def period_seconds(self) -> int:
        """Of a person's own periods."""
        return PERIOD_SECONDS[self.period]


class Way(Struct, frozen=True):
    """`returned` is an aggregate over a person's events of a place, given their second and the
    condition that they are of the return step. `of_person` are aggregates over a person's places,
    `beside` are arrays as long as `cohorts` and joined with it, `cells` is a UInt64. With
    `of_places` a person needs to have one row for each place, whatever the steps are."""

    of_places: bool
    returned: str
    of_person: tuple[str, ...]
    beside: tuple[str, ...]
    cells: str


def way_of(terms: Terms, places: int, by_value: bool) -> Way:
    """`by_value`: each place has the `value` that the person began with there."""
    if terms.rolling:
        way = _rolling(terms)
    elif by_value or places > PLACES_OF_A_NUMBER:
        way = _listed(terms)
    else:
        return _masked(terms)
    if not by_value:
        return way
    return replace(
        way,
        of_person=(*way.of_person, f"{_list(terms, 'value')} AS began_with"),
        beside=(*way.beside, "began_with AS value"),
    )


def _masked(terms: Terms) -> Way:
    """The cheapest: places are bits."""
    began_in = f"bitPositionsToArray(groupBitOrIf({PLACE_BIT}, began != 0))"
    if terms.first_only:
        began_in = f"arraySlice({began_in}, 1, {_starts(terms)})"
    at_once = f"groupBitOrIf({PLACE_BIT}, began != 0 AND returned >= began) AS at_once"
    once = "bitAnd(bitShiftRight(at_once, cohort), 1)"
    if terms.or_after:
        return Way(
            False, LAST, (f"{began_in} AS cohorts", at_once, LAST_IN), (), _up_to(terms, once)
        )
    later = f"bitAnd(bitShiftRight(returned_in, cohort), {(1 << terms.periods) - 2})"
    returned_in = f"groupBitOrIf({PLACE_BIT}, returned != 0) AS returned_in"
    return Way(
        False, LAST, (f"{began_in} AS cohorts", at_once, returned_in), (), f"bitOr({once}, {later})"
    )


def _listed(terms: Terms) -> Way:
    """For more places than a number has bits, or where each has its value."""
    cohorts = f"{_list(terms, 'place')} AS cohorts"
    at_once = f"{_list(terms, 'toUInt64(returned >= began)')} AS at_once"
    beside = ("at_once AS once",)
    if terms.or_after:
        return Way(True, LAST, (cohorts, at_once, LAST_IN), beside, _up_to(terms, "once"))
    is_later = f"place > cohort AND place < cohort + {terms.periods}"
    bit = f"bitShiftLeft(toUInt64({is_later}), bitAnd(place - cohort, 63))"
    return Way(
        True,
        LAST,
        (cohorts, at_once, "groupArrayIf(place, returned != 0) AS returned_in"),
        beside,
        f"bitOr(once, arraySum(arrayMap(place -> {bit}, returned_in)))",
    )


def _rolling(terms: Terms) -> Way:
    """Periods begin with each start: its second, and those of all returns, are needed."""
    length = terms.period_seconds
    cohorts = f"{_list(terms, 'place')} AS cohorts", f"{_list(terms, 'began')} AS began_at"
    beside = ("began_at AS begun",)
    if terms.or_after:
        count = f"if(last_at >= begun, intDiv(last_at - begun, {length}) + 1, 0)"
        return Way(
            True, LAST, (*cohorts, "max(returned) AS last_at"), beside, _lowest(terms, count)
        )
    is_in = f"second >= begun AND second < begun + {length * terms.periods}"
    bit = f"bitShiftLeft(toUInt64({is_in}), bitAnd(intDiv(second - begun, {length}), 63))"
    return Way(
        True,
        "groupUniqArrayIf({second}, {is_it})",
        (*cohorts, "groupArrayArray(returned) AS returned_at"),
        beside,
        f"arrayReduce('groupBitOr', arrayMap(second -> {bit}, returned_at))",
    )


LAST = "maxIf({second}, {is_it})"
LAST_IN = "maxIf(place, returned != 0) AS last_in"


def _list(terms: Terms, of_place: str) -> str:
    """One for each place in which a person began, in one order for all such lists."""
    if not terms.first_only:
        return f"groupArrayIf({of_place}, began != 0)"
    return f"arrayResize([argMinIf({of_place}, began, began != 0)], {_starts(terms)})"


def _starts(terms: Terms) -> str:
    """1 for whoever starts in the range with their first start, 0 for others."""
    return f"minIf(began, began != 0) > {int(terms.ever)}"


def _up_to(terms: Terms, once: str) -> str:
    """Whoever came back later also counts in all periods before."""
    return _lowest(terms, f"if(last_in > cohort, last_in - cohort + 1, toUInt8({once}))")


def _lowest(terms: Terms, count: str) -> str:
    return f"toUInt64(bitShiftLeft(toUInt64(1), least({count}, {terms.periods})) - 1)"
