"""From a question about drivers to SQL: each person's clock, and what was done while it ran."""

from collections.abc import Sequence

from msgspec import Struct

from endu.journeys.about import anonymous_sql, contested_sql
from endu.journeys.behaviours import Behaviour, Family, Often
from endu.journeys.conditions import DATA
from endu.journeys.draft import DAY_SECONDS, NONE, Draft, StepSql
from endu.journeys.question import Breakdown

SECOND = "toUnixTimestamp(ts)"
NEVER = 4_294_967_295  # the last second that the ledger knows

# A person's clock starts with their first event of the population, and stops before the goal, or
# after `within`. Those whose `within` is not over yet, or who had the goal at once, are left out.
CLOCKS = """
SELECT person, start,
       toUInt64(start) + {within} AS latest,
       person != 0 AND joined > 0 AS counted,
       counted AND (latest + {silence} + 1) * 1000 > {over_ms} AS unfinished,
       counted AND NOT unfinished AND goal = start AS at_once,
       counted AND NOT unfinished AND NOT at_once AS studied,
       studied AND goal > start AND goal <= latest AS reached,
       toUInt32(if(reached, toUInt64(goal), latest + 1) - 1) AS last
  FROM (
    SELECT person, start, joined, {goal} AS goal
      FROM (
        SELECT {who} AS person, minIf({second}, {joins}) AS start, countIf({joins}) AS joined,
               {gathered}
          FROM endu.events
         WHERE {scan}
         GROUP BY person
      )
  )
"""

TOTALS = """
SELECT countIf(studied), countIf(reached), countIf(at_once), countIf(unfinished)
  FROM ({clocks})
"""

# Only these events can be anonymous or contested: whose the others are, nobody has to know here.
READ = """
SELECT (SELECT count() FROM endu.events WHERE {scan}),
       countIf({anonymous}),
       countIf({contested})
  FROM endu.events
 WHERE {scan}
   AND (device_only OR notEmpty(others))
"""

# What was done while clocks ran. What of it is asked for is read off the events that are left.
DONE = """
SELECT person, second, start, reached,
       {keys}
  FROM (
    SELECT {who} AS person, {second} AS second, {columns}
      FROM endu.events
     WHERE {scan}
  ) AS event
  JOIN (SELECT person, start, last, reached FROM ({clocks}) WHERE studied) AS clock
 USING (person)
 WHERE second BETWEEN start AND last
"""

# From the inside: how often each person has each value of each field; and for each value, how many
# people have it often enough, and how many of those reached the goal.
COUNTED = """
SELECT family, value, count() OVER (PARTITION BY family) AS found, cells
  FROM (
    SELECT family, value, count() AS people, [{cells}] AS cells
      FROM (
        SELECT person, family, value, any(reached) AS reached,
               {times}
          FROM ({done})
         ARRAY JOIN [{families}] AS family, [{keys}] AS value
         WHERE value != '{none}'
         GROUP BY person, family, value
      )
     GROUP BY family, value
  )
 ORDER BY family, people DESC, value
 LIMIT {limit} BY family
"""

DID = """
SELECT person
  FROM ({done})
 WHERE key0 = {value}
 GROUP BY person
HAVING {times} >= {at_least}
"""


class Value(Struct, frozen=True):
    """A row of what `counted` asks: one of the `found` values of a family, by its place. `cells`
    has for each of the family's Often how many people, and how many of them reached the goal."""

    family: int
    value: str
    found: int
    cells: Sequence[int]


class Totals(Struct, frozen=True):
    """The row of what `totals` asks."""

    studied: int
    reached: int
    at_once: int
    unfinished: int


class Aim(Struct, frozen=True):
    """How the second of the goal is found: what is gathered of each person's events, and the second
    as it follows from that, 0 without any. `steps` are those whose events are enough to know it,
    none where it takes all. `silence_seconds` have to be seen behind it."""

    gathered: str
    goal: str
    steps: tuple[StepSql, ...] = ()
    silence_seconds: int = 0


class DriversSql:
    """The texts; their values are those of the draft."""

    def __init__(self, draft: Draft, population: StepSql, aim: Aim, within_seconds: int) -> None:
        self._draft = draft
        self._scan = draft.scan([])
        add = draft.values.add
        self._clocks = CLOCKS.format(
            who=draft.who,
            second=SECOND,
            joins=population.is_it,
            within=add(within_seconds, "UInt64"),
            silence=add(aim.silence_seconds, "UInt64"),
            over_ms=add(min(draft.range.to_ms, draft.sources.now_ms), "Int64"),
            gathered=aim.gathered,
            goal=aim.goal,
            scan=draft.scan(aim.steps),
        )

    def totals(self) -> str:
        """Answers a row of Totals."""
        return TOTALS.format(clocks=self._clocks)

    def read(self) -> str:
        """Answers a row of Counted."""
        draft = self._draft
        return READ.format(
            anonymous=anonymous_sql(draft), contested=contested_sql(draft.who), scan=self._scan
        )

    def counted(self, families: Sequence[Family], paths: Sequence[str]) -> str:
        """Answers rows of Value: of each family those that most people have. Notes a problem under
        the path of each family that has one."""
        keys = [f"key{place}" for place, _ in enumerate(families)]
        often = often_of(families)
        days = list(dict.fromkeys(each.days for each in often))
        times = [f"{self._times(each)} AS times{place}" for place, each in enumerate(days)]
        enough = [f"times{days.index(each.days)} >= {each.at_least}" for each in often]
        cells = [f"countIf({each}), countIf({each} AND reached)" for each in enough]
        return COUNTED.format(
            done=self._done([family.field for family in families], paths),
            families=", ".join(str(place) for place, _ in enumerate(keys)),
            keys=", ".join(keys),
            times=",\n               ".join(times),
            cells=",\n           ".join(cells),
            none=NONE,
            limit=max(family.limit for family in families),
        )

    def people(self, behaviour: Behaviour | None, has_it: bool, reached: bool | None) -> str:
        """Those who are studied, and have the behaviour or not, and reached the goal or not."""
        holds = ["studied"]
        if reached is not None:
            holds.append("reached" if reached else "NOT reached")
        if behaviour is not None:
            did = DID.format(
                done=self._done([behaviour.field], ["behaviour"]),
                value=self._draft.values.add(behaviour.value, "String"),
                times=self._times(behaviour.days),
                at_least=behaviour.at_least,
            )
            holds.append(f"person {'' if has_it else 'NOT '}IN ({did})")
        return f"SELECT person FROM ({self._clocks}) WHERE {' AND '.join(holds)}"

    def _done(self, fields: Sequence[str], paths: Sequence[str]) -> str:
        draft = self._draft
        keys = [
            f"{draft.group(Breakdown(field), path)} AS key{place}"
            for place, (field, path) in enumerate(zip(fields, paths, strict=True))
        ]
        columns = {"event_data" if field.startswith(DATA) else field for field in fields}
        return DONE.format(
            keys=",\n       ".join(keys),
            columns=", ".join(sorted(columns)),
            who=draft.who,
            second=SECOND,
            scan=self._scan,
            clocks=self._clocks,
        )

    @staticmethod
    def _times(days: int | None) -> str:
        """How many of a person's events are within so many days of the start."""
        return "count()" if days is None else f"countIf(second <= start + {days * DAY_SECONDS})"


def often_of(families: Sequence[Family]) -> list[Often]:
    """Every Often of any of them, once, in the order of the cells."""
    return list(dict.fromkeys(each for family in families for each in family.often))


def aim_at_step(goal: StepSql) -> Aim:
    """The first event of the goal."""
    return Aim(f"minIf({SECOND}, {goal.is_it}) AS first_goal", "first_goal")


def aim_from_step_to_step(population: StepSql, goal: StepSql) -> Aim:
    """The first event of the goal that is not before the start, and is not the start itself."""
    starts = f"argMinIf({goal.is_it}, ({SECOND}, seq), {population.is_it})"
    return Aim(
        f"arraySort(groupArrayIf({SECOND}, {goal.is_it})) AS goals, {starts} AS start_is_goal",
        "if(countEqual(goals, start) > start_is_goal, start,"
        " arrayFirst(second -> second > start, goals))",
        steps=(population, goal),
    )


def aim_at_silence(days: int, draft: Draft) -> Aim:
    """The second after the first event, not before the start, behind which so many days or more
    were silent."""
    seconds = days * DAY_SECONDS
    gap = draft.values.add(seconds, "UInt32")
    return Aim(
        f"arraySort(groupArray({SECOND})) AS seconds",
        f"toUInt32(1 + arrayFirst((second, next) -> second >= start AND next - second >= {gap},"
        f" seconds, arrayPushBack(arrayPopFront(seconds), {NEVER})))",
        silence_seconds=seconds,
    )
