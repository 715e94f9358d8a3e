"""What can be measured of events: how many, of how many people, and how much."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

Measure = Literal["events", "people", "sum", "average", "min", "max", "p50", "p90", "p99"]


class Measured(Struct, frozen=True):
    """An aggregate of ClickHouse's: at once, or as a state that others can be merged with."""

    function: str
    parameters: str  # "(0.9)" where it has some
    arguments: str
    nothing: int | None

    @property
    def sql(self) -> str:
        return f"{self.function}{self.parameters}({self.arguments})"

    @property
    def state_sql(self) -> str:
        return f"{self.function}State{self.parameters}({self.arguments})"

    def merged_sql(self, state: str) -> str:
        return f"{self.function}Merge{self.parameters}({state})"


class Kind(Struct, frozen=True):
    """`nothing` is the value of no events: a null says that there is none."""

    function: str
    parameters: str = ""
    of_numbers: bool = True
    of_people: bool = False
    nothing: int | None = None

    def measured(self, is_it: str, number: str, who: str) -> Measured:
        """`is_it` is the condition that an event counts."""
        if self.of_people:
            arguments = f"{who}, {is_it} AND {who} != 0"
        elif self.of_numbers:
            arguments = f"{number}, {is_it} AND {number} IS NOT NULL"
        else:
            arguments = is_it
        return Measured(self.function, self.parameters, arguments, self.nothing)


# Percentiles are exact, and lie between two values where they fall between them, in proportion.
_PERCENTILE = "quantileExactInclusiveIf"

MEASURES: Mapping[Measure, Kind] = {
    "events": Kind("countIf", of_numbers=False, nothing=0),
    "people": Kind("uniqExactIf", of_numbers=False, of_people=True, nothing=0),
    "sum": Kind("sumIf", nothing=0),
    "average": Kind("avgIf"),
    "min": Kind("minIf"),
    "max": Kind("maxIf"),
    "p50": Kind(_PERCENTILE, "(0.5)"),
    "p90": Kind(_PERCENTILE, "(0.9)"),
    "p99": Kind(_PERCENTILE, "(0.99)"),
}
