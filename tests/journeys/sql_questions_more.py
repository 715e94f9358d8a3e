"""More of the questions: people, sequences, windows, sets, funnels and retention by hand."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.journeys.sql_questions import (
    BUY,
    CLICK,
    VIEW,
    Expected,
    at,
    by,
    counts,
    day,
    first_of,
    monday,
    of,
    people,
    prices,
)
from tests.journeys.sql_world import Row


def known(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.person is not None]


def per_person(rows: list[Row], what: Callable[[list[Row]], Any]) -> list[list[Any]]:
    return [[person, what(theirs)] for person, theirs in by(known(rows), who).items()]


def who(row: Row) -> Any:
    return row.person


def buyers(rows: list[Row]) -> set[Any]:
    return {row.person for row in of(known(rows), BUY)}


def gaps(rows: list[Row]) -> list[int]:
    """Seconds between one's events."""
    found = []
    for theirs in by(known(rows), who).values():
        times = sorted(map(at, theirs))
        found += [int((b - a).total_seconds()) for a, b in zip(times, times[1:], strict=False)]
    return found


def converted(rows: list[Row], days: int) -> int:
    """Who bought within so many days of a view."""
    return sum(
        any(v <= b <= v + timedelta(days=days)
            for v in map(at, of(theirs, VIEW)) for b in map(at, of(theirs, BUY)))
        for theirs in by(known(rows), who).values()
    )  # fmt: skip


def ladder(rows: list[Row]) -> list[list[Any]]:
    day_counts = sorted(Counter(map(day, rows)).items())
    total, found = 0, []
    for each, n in day_counts:
        total += n
        found.append([each, total])
    return found


def returned(rows: list[Row]) -> list[list[Any]]:
    """By the week of one's first event: how many there are, and how many came in the next one."""
    weeks = {person: sorted({monday(x) for x in xs}) for person, xs in by(known(rows), who).items()}
    cohorts: dict[Any, list[int]] = {}
    for mine in weeks.values():
        cohort = cohorts.setdefault(mine[0], [0, 0])
        cohort[0] += 1
        cohort[1] += mine[0] + timedelta(days=7) in mine
    return [[week, *pair] for week, pair in cohorts.items()]


PER_PERSON = "FROM events WHERE c_user_id IS NOT NULL GROUP BY c_user_id"

MORE: list[tuple[str, Expected]] = [
    ("SELECT count() FROM identities", lambda r: [[people(r)]]),
    ("SELECT c_user_id, events FROM identities", lambda r: per_person(r, len)),
    ("SELECT c_user_id, first_seen, last_seen FROM identities",
     lambda r: [[p, min(map(at, xs)), max(map(at, xs))] for p, xs in by(known(r), who).items()]),
    ("SELECT anonymous, count() FROM identities GROUP BY anonymous",
     lambda r: [[False, 3], [True, 2]]),
    ("SELECT c_user_id, identifiers FROM identities WHERE has(identifiers, 'telegram:2')",
     lambda r: [["101", ["discord:1", "telegram:2"]]]),
    ("SELECT c_user_id, platforms FROM identities",
     lambda r: per_person(r, lambda xs: sorted({x.platform for x in xs}))),
    ("SELECT c_user_id, event_types FROM identities",
     lambda r: per_person(r, lambda xs: sorted({x.event_type for x in xs}))),
    (f"SELECT count() FROM identities WHERE c_user_id IN (SELECT c_user_id FROM events "
     f"WHERE event_type = '{BUY}' AND event_data.price::Float64 > 8)",
     lambda r: [[people(x for x in of(r, BUY) if x.data["price"] > 8)]]),
    (f"WITH buyers AS (SELECT DISTINCT c_user_id FROM events WHERE event_type = '{BUY}') "
     "SELECT count() FROM buyers WHERE c_user_id IS NOT NULL", lambda r: [[len(buyers(r))]]),
    ("SELECT i.anonymous AS a, count() FROM events AS e JOIN identities AS i "
     "ON e.c_user_id = i.c_user_id GROUP BY a",
     lambda r: counts(known(r), lambda x: x.anonymous)),
    ("SELECT e.c_user_id, any(i.events) - count() FROM events e INNER JOIN identities i "
     "USING (c_user_id) GROUP BY e.c_user_id", lambda r: per_person(r, lambda xs: 0)),
    (f"SELECT count() FROM identities AS i LEFT ANTI JOIN (SELECT c_user_id FROM events "
     f"WHERE event_type = '{BUY}' AND platform = 'web') AS b ON i.c_user_id = b.c_user_id",
     lambda r: [[people(r) - people(x for x in of(r, BUY) if x.platform == "web")]]),
    (f"SELECT c_user_id, sum(event_data.price::Float64) AS spent FROM events WHERE event_type = "
     f"'{BUY}' "
     "AND c_user_id IS NOT NULL GROUP BY c_user_id ORDER BY spent DESC, c_user_id LIMIT 3",
     lambda r: sorted(([p, sum(prices(xs))] for p, xs in by(of(known(r), BUY), who).items()),
                      key=lambda pair: (-pair[1], pair[0]))[:3]),
    ("SELECT avg(n) FROM (SELECT c_user_id, count() AS n " + PER_PERSON + ")",
     lambda r: [[len(known(r)) / people(r)]]),
    ("SELECT c_user_id, argMin(event_type, timestamp) " + PER_PERSON,
     lambda r: per_person(r, lambda xs: min(xs, key=at).event_type)),
    ("SELECT c_user_id, groupUniqArray(toDate(timestamp)) AS days, length(days) > 3 " + PER_PERSON
     + " HAVING length(days) > 1000", lambda r: []),
    ("SELECT c_user_id, arraySort(groupUniqArray(event_type)) " + PER_PERSON,
     lambda r: per_person(r, lambda xs: sorted({x.event_type for x in xs}))),
    (f"SELECT c_user_id, minIf(timestamp, event_type = '{BUY}') AS bought FROM events "
     f"WHERE c_user_id IS NOT NULL GROUP BY c_user_id HAVING countIf(event_type = '{BUY}') > 0",
     lambda r: [[person, when] for person, when in first_of(r, BUY).items()]),
    (f"SELECT countIf(level >= 1), countIf(level >= 2) FROM (SELECT windowFunnel(172800)"
     f"(toUnixTimestamp(timestamp), event_type = '{VIEW}', event_type = '{BUY}') AS level "
     + PER_PERSON + ")", lambda r: [[people(of(r, VIEW)), converted(r, 2)]]),
    (f"SELECT count() FROM (SELECT sequenceMatch('(?1).*(?2)')(timestamp::DateTime, "
     f"event_type = '{CLICK}', event_type = '{BUY}') AS yes {PER_PERSON}) WHERE yes",
     lambda r: [[sum(bool(of(xs, CLICK) and of(xs, BUY))
                     and min(map(at, of(xs, CLICK))) < max(map(at, of(xs, BUY)))
                     for xs in by(known(r), who).values())]]),
    ("SELECT c_user_id, row_number() OVER (PARTITION BY c_user_id ORDER BY timestamp) AS n FROM "
     "events "
     "WHERE c_user_id = '103' ORDER BY n DESC LIMIT 1",
     lambda r: [["103", sum(x.person == "103" for x in r)]]),
    ("SELECT max(gap) FROM (SELECT dateDiff('second', lagInFrame(timestamp) OVER w, timestamp) "
     "AS gap, "
     "row_number() OVER w AS n FROM events WHERE c_user_id IS NOT NULL WINDOW w AS (PARTITION BY "
     "c_user_id ORDER BY timestamp ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) WHERE n > 1",
     lambda r: [[max(gaps(r))]]),
    ("SELECT day, sum(n) OVER (ORDER BY day) FROM (SELECT toDate(timestamp) AS day, count() AS n "
     "FROM events GROUP BY day) ORDER BY day", ladder),
    ("SELECT cohort, count(), countIf(has(weeks, cohort + INTERVAL 1 WEEK)) FROM (SELECT "
     "c_user_id, "
     f"groupUniqArray(toMonday(timestamp)) AS weeks, arrayMin(weeks) AS cohort {PER_PERSON}) "
     "GROUP BY cohort", returned),
    ("SELECT toDate(timestamp) AS day, count() FROM events WHERE timestamp < '2023-01-02' GROUP "
     "BY day "
     "ORDER BY day WITH FILL FROM toDate('2023-01-01') TO toDate('2023-01-04') STEP 1",
     lambda r: [[day(r[0]) + timedelta(days=n),
                 sum(day(x) == day(r[0]) for x in r) if n == 0 else 0] for n in range(3)]),
    (f"SELECT '{BUY}' AS kind, count() FROM events WHERE event_type = '{BUY}' UNION ALL "
     f"SELECT '{VIEW}', count() FROM events WHERE event_type = '{VIEW}'",
     lambda r: [[BUY, len(of(r, BUY))], [VIEW, len(of(r, VIEW))]]),
    (f"SELECT uniq(c_user_id) FROM (SELECT c_user_id FROM events WHERE event_type = '{BUY}' "
     f"INTERSECT "
     "SELECT c_user_id FROM events WHERE platform = 'web') WHERE c_user_id IS NOT NULL",
     lambda r: [[len(buyers(r) & {x.person for x in r if x.platform == "web"})]]),
    ("SELECT event_type, count() AS n, round(n / sum(n) OVER (), 3) FROM events GROUP BY "
     "event_type",
     lambda r: [[k, n, round(n / len(r), 3)] for k, n in Counter(x.event_type for x in r).items()]),
    ("SELECT platform, event_type, count() AS n FROM events GROUP BY platform, event_type "
     "ORDER BY platform, n DESC, event_type LIMIT 1 BY platform",
     lambda r: [[p, *min(Counter(x.event_type for x in xs).items(), key=lambda kn: (-kn[1], kn[0]))]
                for p, xs in sorted(by(r, lambda x: x.platform).items())]),
    ("SELECT uniqMerge(s) FROM (SELECT event_type, uniqState(c_user_id) AS s FROM events "
     "GROUP BY event_type)", lambda r: [[people(r)]]),
    ("SELECT topK(1)(platform) FROM events WHERE platform != ''",
     lambda r: [[[Counter(x.platform for x in r if x.platform).most_common(1)[0][0]]]]),
    ("SELECT DISTINCT platform FROM events", lambda r: [[p] for p in {x.platform for x in r}]),
    ("SELECT timestamp, event_type FROM events ORDER BY timestamp DESC LIMIT 2 OFFSET 1",
     lambda r: [[at(x), x.event_type] for x in sorted(r, key=at)[-2:-4:-1]]),
    ("SELECT arraySum(arrayMap((n, w) -> n * w, [1, 2, 3], [10, 20, 30])), (1, 'x').2, map('a', "
     "7)['a']",
     lambda r: [[140, "x", 7]]),
    ("WITH 10 AS few, (SELECT count() FROM events) AS every SELECT few, every, 7 % 3, 7 DIV 2, "
     "-few",
     lambda r: [[10, len(r), 1, 3, -10]]),
    ("SELECT count() FROM events WHERE warnings != [] AND length(violations) = 0",
     lambda r: [[1]]),
    ("SELECT event_type, count() FROM events GROUP BY event_type WITH ROLLUP",
     lambda r: [*counts(r, lambda x: x.event_type), ["", len(r)]]),
    ("SELECT e.event_type, (SELECT count() FROM event_types t WHERE t.event_type = e.event_type) "
     "FROM events e GROUP BY e.event_type",
     lambda r: [[BUY, 2], [VIEW, 1], [CLICK, 1]]),
]  # fmt: skip
