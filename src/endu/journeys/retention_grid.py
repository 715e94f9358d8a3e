"""From numbers of people to the grid of cohorts and the line of its means."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from endu.journeys.about import Counted, total_of
from endu.journeys.calendar import Bucket
from endu.journeys.retention_sql import COHORT, ROW
from endu.journeys.scope import Time, rfc3339


class Cell(Struct, frozen=True):
    """`share` is of the cohort's people, null where there are none. Complete: the period is over
    for everybody in the cohort, and lies in the range."""

    people: int
    share: float | None
    complete: bool


class Cohort(Struct, frozen=True):
    """`at` is when its day, week or month begins, which may be before `from`. `cells[0]` is of
    period 0, that of the start."""

    at: Time
    people: int
    cells: list[Cell]


class Found(Struct, frozen=True):
    """A row of the SQL, in its order."""

    cohort: int
    name: str
    rank: int
    cell: int
    people: int
    events: int
    anonymous: int
    contested: int


class Grid(Struct, frozen=True):
    """Its cohorts' buckets; cells are over at `over_ms` or not. `rolling_ms` is how long a
    person's own periods are, 0 where they are those of the calendar."""

    buckets: Sequence[Bucket]
    periods: int
    rolling_ms: int
    over_ms: int

    def drawn(self, rows: Sequence[Found]) -> tuple[list[Cohort], list[float | None]]:
        """The cohorts, and the mean of each period."""
        people: dict[tuple[int, int], int] = {}
        for row in rows:
            at = row.cohort, row.cell
            people[at] = people.get(at, 0) + row.people
        last = max((b.key for b in self.buckets if b.end_ms <= self.over_ms), default=-1)
        cohorts = []
        for bucket in self.buckets:
            place = bucket.key - self.buckets[0].key
            size = people.get((place, COHORT), 0)
            cells = [
                _cell(people.get((place, nth), 0), size, self._is_over(bucket, nth, last))
                for nth in range(self.periods)
            ]
            cohorts.append(Cohort(rfc3339(bucket.start_ms), size, cells))
        return cohorts, list(self._means(cohorts))

    def _is_over(self, bucket: Bucket, nth: int, last: int) -> bool:
        """`last` is the last bucket that is over."""
        if self.rolling_ms:
            return bucket.end_ms + (nth + 1) * self.rolling_ms <= self.over_ms
        return bucket.key + nth <= last

    def _means(self, cohorts: Sequence[Cohort]) -> Iterator[float | None]:
        for nth in range(self.periods):
            over = [each for each in cohorts if each.cells[nth].complete]
            people = sum(each.people for each in over)
            yield sum(each.cells[nth].people for each in over) / people if people else None


def totals(rows: Sequence[Found]) -> Counted:
    """Of all the question's events."""
    return total_of(
        Counted(row.events, row.anonymous, row.contested) for row in rows if row.cell == ROW
    )


def _cell(people: int, size: int, complete: bool) -> Cell:
    return Cell(people, people / size if size else None, complete)
