"""The barest correct SQL for the work of each question: by subjects, as if nobody was ever joined.

What the product's own questions are measured against, on the same table and the same handles. They
count no shares, look nobody up and say nothing about themselves. `tests/benchmarks` holds each
against plain Python.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from benchmarks.journeys_log import ORGANIZATION
from benchmarks.journeys_rows import BEGINS_AT_S, DAY_SECONDS, DAYS, TYPES

FUNNEL = ("PAGE_VIEW", "ITEM_VIEWED", "CART_FILLED", "ITEM_PURCHASED")
STARTED, RETURNED = "PAGE_VIEW", "MESSAGE_SENT"
BROKEN_DOWN = "ITEM_PURCHASED"
PERIODS = 12
DEPTH, LONGEST = 5, 10
TOP = 50

EVENT = """
 WHERE org = {organization:String}
   AND ts >= fromUnixTimestamp64Milli({from_ms:Int64})
   AND ts < fromUnixTimestamp64Milli({to_ms:Int64})"""

TREND_BY_DAY = f"""
SELECT toDate(ts) AS day, uniqExact(subject)
  FROM endu.events {EVENT}
   AND subject != 0
 GROUP BY day
 ORDER BY day
"""

TREND_BY_PROPERTY = f"""
SELECT day, if(place <= 10, value, '(other)') AS shown, uniqExactMerge(people)
  FROM (
    SELECT day, value, people,
           dense_rank() OVER (ORDER BY value = '(none)', of_value DESC, value) AS place
      FROM (
        SELECT day, value, people, sum(events) OVER (PARTITION BY value) AS of_value
          FROM (
            SELECT toDate(ts) AS day,
                   ifNull(JSONExtract(event_data, 'tier', 'Nullable(String)'), '(none)') AS value,
                   uniqExactState(subject) AS people,
                   count() AS events
              FROM endu.events {EVENT}
               AND event_type = {{bought:String}}
               AND subject != 0
             GROUP BY day, value
          )
      )
  )
 GROUP BY day, shown
 ORDER BY day, shown
"""

FUNNEL_OF_FOUR = f"""
SELECT reached, count()
  FROM (
    SELECT windowFunnel({{within:UInt64}}, 'strict_once')(
               toUInt64(toUnixTimestamp(ts)), event_type = {{a:String}}, event_type = {{b:String}},
               event_type = {{c:String}}, event_type = {{d:String}}
           ) AS reached
      FROM endu.events {EVENT}
       AND event_type IN ({{a:String}}, {{b:String}}, {{c:String}}, {{d:String}})
       AND subject != 0
     GROUP BY subject
  )
 WHERE reached > 0
 GROUP BY reached
 ORDER BY reached
"""

# A way is carried on from event to event, so that each step finds the latest one that there is.
# The first event with which the last step is reached ends it.
FUNNEL_WITH_TIMES = f"""
SELECT countIf(length(way) >= 1), countIf(length(way) >= 2),
       countIf(length(way) >= 3), countIf(length(way) >= 4),
       quantilesExactInclusiveIf(0.5, 0.9)(toInt64(way[2]) - way[1], length(way) >= 2),
       quantilesExactInclusiveIf(0.5, 0.9)(toInt64(way[3]) - way[2], length(way) >= 3),
       quantilesExactInclusiveIf(0.5, 0.9)(toInt64(way[4]) - way[3], length(way) >= 4)
  FROM (
    SELECT arraySort(groupArray((
               toUnixTimestamp(ts),
               indexOf([{{a:String}}, {{b:String}}, {{c:String}}, {{d:String}}], event_type)
           ))) AS events,
           arrayFill(at -> at != 0,
               arrayMap(event -> if(event.2 = 1, event.1, 0), events)) AS one,
           arrayFill(way -> way.1 != 0,
               arrayMap((event, at) -> if(
                   event.2 = 2 AND at != 0 AND event.1 - at <= {{within:UInt64}},
                   (at, event.1), (0, 0)), events, one)) AS two,
           arrayFill(way -> way.1 != 0,
               arrayMap((event, way) -> if(
                   event.2 = 3 AND way.1 != 0 AND event.1 - way.1 <= {{within:UInt64}},
                   (way.1, way.2, event.1), (0, 0, 0)), events, two)) AS three,
           arrayMap((event, way) -> if(
               event.2 = 4 AND way.1 != 0 AND event.1 - way.1 <= {{within:UInt64}},
               (way.1, way.2, way.3, event.1), (0, 0, 0, 0)), events, three) AS four,
           arrayFirst(way -> way.1 != 0, four) AS of_four,
           arrayFirst(way -> way.1 != 0, three) AS of_three,
           arrayFirst(way -> way.1 != 0, two) AS of_two,
           arrayFirst(at -> at != 0, one) AS of_one,
           multiIf(
               of_four.1 != 0, [of_four.1, of_four.2, of_four.3, of_four.4],
               of_three.1 != 0, [of_three.1, of_three.2, of_three.3],
               of_two.1 != 0, [of_two.1, of_two.2],
               of_one != 0, [of_one], []
           ) AS way
      FROM endu.events {EVENT}
       AND event_type IN ({{a:String}}, {{b:String}}, {{c:String}}, {{d:String}})
       AND subject != 0
     GROUP BY subject
  )
"""

# Of each person and week the first start and the last return; then who returned not before it.
WEEKLY_RETENTION = f"""
SELECT started.1 AS week, period, count()
  FROM (
    SELECT groupArrayIf((week, first), first != 0) AS starts,
           groupArrayIf((week, last), last != 0) AS returns
      FROM (
        SELECT subject, toUInt16(intDiv(toUInt16(toDate(ts)) + 3, 7)) AS week,
               minOrDefaultIf(toUnixTimestamp(ts), event_type = {{a:String}}) AS first,
               maxOrDefaultIf(toUnixTimestamp(ts), event_type = {{b:String}}) AS last
          FROM endu.events {EVENT}
           AND event_type IN ({{a:String}}, {{b:String}})
           AND subject != 0
         GROUP BY subject, week
      )
     GROUP BY subject
  )
 ARRAY JOIN starts AS started
 ARRAY JOIN arrayPushFront(
        arrayMap(back -> toInt32(back.1 - started.1),
            arrayFilter(back -> back.1 BETWEEN started.1 AND started.1 + {{last:UInt16}}
                            AND back.2 >= started.2, returns)),
        toInt32(-1)
    ) AS period
 GROUP BY week, period
 ORDER BY week, period
"""

# Each session's first so many types, repeats taken as one, by their places from 1 on, and behind
# them the end (0xF) where that is sooner.
WALKED = f"""
SELECT subject, arrayMap(session -> arraySlice(arrayPushBack(
           arrayCompact(arrayMap(told -> bitAnd(toUInt64(told), 15), session)), 15
       ), 1, {{depth:UInt8}}), arraySplit(
           (told, pause) -> pause > {{gap:UInt32}}, story,
           arrayDifference(arrayMap(told -> toUInt32(bitShiftRight(told, 96)), story))
       )) AS walks
  FROM (
    SELECT subject, arraySort(groupArray(
               bitShiftLeft(toUInt128(toUnixTimestamp(ts)), 96) + bitShiftLeft(toUInt128(seq), 32)
               + indexOf({{types:Array(String)}}, event_type)
           )) AS story
      FROM endu.events {EVENT}
       AND subject != 0
     GROUP BY subject
  )
"""

# A place of a walk is four bits of a number, from the lowest on; behind them is the kind.
PLACED = """
  WITH arrayMap(walk -> arrayMap(
           (node, nth) -> bitShiftLeft(toUInt64(node), 4 * (nth - 1)), walk, arrayEnumerate(walk)
       ), walks) AS placed,
       bitShiftLeft(toUInt64(1), 4 * {depth:UInt8}) AS kind,
       arrayFlatten(arrayMap(walk -> arrayMap(
           (node, next) -> 3 * kind + node + next, arrayPopBack(walk), arrayPopFront(walk)
       ), placed)) AS links"""

PATHS = f"""
SELECT groupArraySortedIf({{top:UInt32}})((-people, -times, item), item < 2 * one),
       groupArrayIf((-people, -times, item), item >= 2 * one AND item < 3 * one),
       groupArrayIf((-people, -times, item), item >= 3 * one)
  FROM (
    SELECT item, bitShiftLeft(toUInt64(1), 4 * {{depth:UInt8}}) AS one,
           toInt64(count()) AS times, toInt64(countIf(nth = 1)) AS people
      FROM ({PLACED}
        SELECT arrayConcat(
                   arrayMap(walk -> kind + arraySum(walk), placed),
                   arrayMap(node -> 2 * kind + node, arrayFlatten(placed)),
                   links
               ) AS items
          FROM ({WALKED})
      )
     ARRAY JOIN items AS item, arrayEnumerateUniq(items) AS nth
     GROUP BY item
  )
"""

TRANSITIONS = f"""
SELECT item, countIf(nth = 1), count()
  FROM ({PLACED} SELECT links AS items FROM ({WALKED}))
 ARRAY JOIN items AS item, arrayEnumerateUniq(items) AS nth
 GROUP BY item
"""

TIMELINE_PAGE = """
SELECT seq, source, toUnixTimestamp64Milli(ts), toUnixTimestamp64Milli(received_at),
       event_type, property_id, identifiers, subject, others, fingerprint, chain_type, event_data,
       details, reused
  FROM endu.events
 WHERE org = {organization:String}
   AND subject IN {subjects:Array(UInt64)}
 ORDER BY ts DESC, seq DESC
 LIMIT {limit:UInt32}
"""


class Control(Struct, frozen=True):
    """SQL for `Ledger.ask` with its values."""

    sql: str
    values: Mapping[str, Any]


def trend_by_day() -> Control:
    """How many people did anything on each day of UTC: (day, people)."""
    return _control(TREND_BY_DAY)


def trend_by_property() -> Control:
    """How many people bought on each day, by the tier: (day, tier, people). The ten tiers with the
    most events, all others as "(other)", and "(none)" without one."""
    return _control(TREND_BY_PROPERTY, bought=TYPES[BROKEN_DOWN])


def funnel_of_four() -> Control:
    """Of those who reached the first of four steps: (steps reached, people), all of them within
    7 days of the entry that goes furthest, ties in any order."""
    return _control(FUNNEL_OF_FOUR, **_steps(FUNNEL), within=7 * DAY_SECONDS)


def funnel_with_times() -> Control:
    """The same in one row: people who reached each step, then for each step after the first the
    median and p90 of the seconds from the step before. A person's way is the furthest one; of
    several, that which was completed first, and of those the one whose steps before came last."""
    return _control(FUNNEL_WITH_TIMES, **_steps(FUNNEL), within=7 * DAY_SECONDS)


def weekly_retention() -> Control:
    """Of those who viewed a page in a week (from Monday, UTC), how many wrote in it and not before,
    and in each week after: (week, weeks after it, people). All of the cohort are at -1."""
    return _control(WEEKLY_RETENTION, **_steps((STARTED, RETURNED)), last=PERIODS - 1)


def paths_of_five() -> Control:
    """The first five steps of sessions, which half an hour's silence ends and in which repeats are
    one: the 50 most frequent sequences, every node and every link at its position, each as
    (-people, -times, item)."""
    return _control(PATHS, **_walks(DEPTH), top=TOP)


def transitions() -> Control:
    """What comes next in the first ten steps of a session, at each position, the end too: (item,
    people, times)."""
    return _control(TRANSITIONS, **_walks(LONGEST))


def timeline_page(subjects: list[int]) -> Control:
    """The newest 50 events of these subjects and one more, as their columns."""
    return _control(TIMELINE_PAGE, subjects=subjects, limit=51)


def _control(sql: str, **values: Any) -> Control:
    """About the whole log."""
    from_ms = BEGINS_AT_S * 1_000
    span = {"from_ms": from_ms, "to_ms": from_ms + DAYS * DAY_SECONDS * 1_000}
    return Control(sql, {"organization": ORGANIZATION, **span, **values})


def _steps(names: tuple[str, ...]) -> dict[str, str]:
    return {letter: TYPES[name] for letter, name in zip("abcd", names, strict=False)}


def _walks(depth: int) -> dict[str, Any]:
    return {"gap": 1_800, "depth": depth, "types": list(TYPES.values())}
