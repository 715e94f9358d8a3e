"""The most frequent values of a field, and all the others together, in one scan."""

from collections.abc import Mapping, Sequence

from endu.journeys.draft import NONE, OTHER
from endu.journeys.measures import Measured

# From the inside: measured for each value of the field; each value's events of the range; its
# rank by them; and what has no name of its own merged, people being counted once.
RANKED = """
SELECT asked, key, name, min(rank) AS rank,
       sum(events), sum(anonymous), sum(contested),
       {merged}
  FROM (
    SELECT *, multiIf({special}, value, rank <= {limit}, value, '{other}') AS name
      FROM (
        SELECT *, dense_rank() OVER (ORDER BY {special}, size DESC, value) AS rank
          FROM (
            SELECT *, sum(events * asked) OVER (PARTITION BY value) AS size
              FROM (
                SELECT {asked} AS asked, {key} AS key, {value} AS value,
                       {counted},
                       {states}
                  FROM endu.events
                 WHERE {scan}
                 GROUP BY asked, key, value
              )
          )
      )
  )
 GROUP BY asked, key, name
"""


def ranked_sql(
    value: str, limit: int, measured: Sequence[Measured], parts: Mapping[str, str]
) -> str:
    """Answers asked, key, name, rank, the columns of Counted, and what was measured.

    "(none)" and "(other)" are no values that could be among the first: they come last.
    """
    states = [f"{each.state_sql} AS state_{place}" for place, each in enumerate(measured)]
    merged = [each.merged_sql(f"state_{place}") for place, each in enumerate(measured)]
    return RANKED.format(
        value=value,
        limit=limit,
        other=OTHER,
        special=f"value IN ('{OTHER}', '{NONE}')",
        states=",\n                       ".join(states),
        merged=",\n       ".join(merged),
        **parts,
    )
