"""Ordinary analysts' questions of the shop, each with its answer in plain Python: counting,
grouping, filtering, joining. More are in sql_questions_more.py."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from statistics import mean, median
from typing import Any, TypeAlias

from tests.journeys.sql_world import FORMER, TYPES, Row

Expected: TypeAlias = Callable[[list[Row]], list[list[Any]]]

BUY, VIEW, CLICK = "ITEM_PURCHASED", "PAGE_VIEW", "LINK_TRACKING_CLICK"


def at(row: Row) -> datetime:
    return datetime.fromtimestamp(row.at_ms / 1000, UTC)


def day(row: Row) -> date:
    return at(row).date()


def of(rows: list[Row], kind: str) -> list[Row]:
    return [row for row in rows if row.event_type == kind]


def people(rows: Iterable[Row]) -> int:
    return len({row.person for row in rows} - {None})


def by(rows: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def counts(rows: Iterable[Row], key: Callable[[Row], Any]) -> list[list[Any]]:
    return [[value, n] for value, n in Counter(map(key, rows)).items()]


def tags(rows: list[Row]) -> list[list[Any]]:
    return [[tag, n] for tag, n in Counter(t for x in rows for t in x.data.get("tags", ())).items()]


def prices(rows: list[Row]) -> list[float]:
    return [row.data["price"] for row in rows if "price" in row.data]


def month(row: Row) -> date:
    return day(row).replace(day=1)


def monday(row: Row) -> date:
    return day(row) - timedelta(days=day(row).weekday())


def first_of(rows: list[Row], kind: str) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for row in of(rows, kind):
        if row.person is not None:
            found[row.person] = min(at(row), found.get(row.person, at(row)))
    return found


QUESTIONS: list[tuple[str, Expected]] = [
    ("SELECT count() FROM events", lambda r: [[len(r)]]),
    ("select COUNT(*) as n from events;", lambda r: [[len(r)]]),
    ("SELECT uniqExact(c_user_id) FROM events", lambda r: [[people(r)]]),
    ("SELECT count(DISTINCT c_user_id) FROM events", lambda r: [[people(r)]]),
    ("SELECT event_type, count() FROM events GROUP BY event_type",
     lambda r: counts(r, lambda x: x.event_type)),
    ("SELECT event_id, count() FROM events GROUP BY 1", lambda r: counts(r, lambda x: x.event_id)),
    ("SELECT platform, count() AS n FROM events GROUP BY platform HAVING n > 20",
     lambda r: [pair for pair in counts(r, lambda x: x.platform) if pair[1] > 20]),
    ("SELECT count() FROM events WHERE c_user_id IS NULL",
     lambda r: [[sum(x.person is None for x in r)]]),
    ("SELECT count() FROM events WHERE c_user_id IS NOT NULL AND NOT anonymous",
     lambda r: [[sum(x.person is not None and not x.anonymous for x in r)]]),
    ("SELECT anonymous, count() FROM events GROUP BY ALL",
     lambda r: counts(r, lambda x: x.anonymous)),
    ("SELECT c_user_id, count() FROM events WHERE c_user_id = '101' GROUP BY c_user_id",
     lambda r: [["101", sum(x.person == "101" for x in r)]]),
    ("SELECT c_user_id, count() FROM events WHERE c_user_id = '007' GROUP BY c_user_id",
     lambda r: [["007", sum(x.person == "007" for x in r)]]),
    ("SELECT toDate(timestamp) AS day, count() FROM events GROUP BY day", lambda r: counts(r, day)),
    ("SELECT toStartOfMonth(timestamp) AS m, count() FROM events GROUP BY m",
     lambda r: counts(r, month)),
    ("SELECT toMonday(timestamp) AS week, uniq(c_user_id) FROM events GROUP BY week",
     lambda r: [[week, people(rows)] for week, rows in by(r, monday).items()]),
    ("SELECT toStartOfWeek(timestamp, 0) AS week, count() FROM events GROUP BY week",
     lambda r: counts(r, lambda x: day(x) - timedelta(days=(day(x).weekday() + 1) % 7))),
    ("SELECT date_trunc('month', timestamp) AS m, count() FROM events GROUP BY m",
     lambda r: counts(r, month)),
    ("SELECT extract(hour FROM timestamp) AS h, count() FROM events GROUP BY h",
     lambda r: counts(r, lambda x: at(x).hour)),
    ("SELECT toDayOfWeek(timestamp), count() FROM events GROUP BY 1",
     lambda r: counts(r, lambda x: at(x).isoweekday())),
    ("SELECT count() FROM events WHERE timestamp >= '2023-01-10' AND timestamp < '2023-01-20'",
     lambda r: [[sum(date(2023, 1, 10) <= day(x) < date(2023, 1, 20) for x in r)]]),
    ("SELECT count() FROM events WHERE timestamp BETWEEN toDateTime('2023-01-10 00:00:00') "
     "AND toDateTime('2023-01-20 00:00:00')",
     lambda r: [[sum(datetime(2023, 1, 10, tzinfo=UTC) <= at(x) <= datetime(2023, 1, 20, tzinfo=UTC)
                     for x in r)]]),
    ("SELECT count() FROM events WHERE timestamp > (SELECT max(timestamp) FROM events) - "
     "INTERVAL 7 DAY",
     lambda r: [[sum(at(x) > max(map(at, r)) - timedelta(days=7) for x in r)]]),
    ("SELECT min(timestamp), max(timestamp) FROM events",
     lambda r: [[min(map(at, r)), max(map(at, r))]]),
    (f"SELECT sum(event_data.price::Float64) FROM events WHERE event_type = '{BUY}'",
     lambda r: [[sum(prices(r))]]),
    ("SELECT avg(toFloat64OrNull(event_data.price)) FROM events", lambda r: [[mean(prices(r))]]),
    ("SELECT sum(JSONExtractFloat(event_data, 'price')) FROM events", lambda r: [[sum(prices(r))]]),
    ("SELECT max(e.event_data.price::Float64) - min(e.event_data.price::Float64) FROM events AS e",
     lambda r: [[max(prices(r)) - min(prices(r))]]),
    ("SELECT quantileExact(0.5)(event_data.price::Float64) FROM events WHERE event_data.price IS "
     "NOT NULL",
     lambda r: [[sorted(prices(r))[len(prices(r)) // 2]]]),
    ("SELECT median(event_data.n::Int64) FROM events",
     lambda r: [[median(x.data["n"] for x in r)]]),
    ("SELECT event_data.tier, count() FROM events GROUP BY 1",
     lambda r: counts(r, lambda x: x.data["tier"])),
    ("SELECT coalesce(event_data.tier, '(none)') AS tier, count() FROM events GROUP BY tier",
     lambda r: counts(r, lambda x: x.data["tier"] or "(none)")),
    ("SELECT event_data.deep.`a b`::UInt8 AS k, count() FROM events GROUP BY k",
     lambda r: counts(r, lambda x: x.data["deep"]["a b"])),
    ("SELECT event_data.deep.\"a b\", count() FROM events GROUP BY 1",
     lambda r: counts(r, lambda x: str(x.data["deep"]["a b"]))),
    ("SELECT count() FROM events WHERE event_data.ok::Bool",
     lambda r: [[sum(bool(x.data.get("ok")) for x in r)]]),
    ("SELECT tag, count() FROM (SELECT arrayJoin(event_data.tags::Array(String)) AS tag FROM "
     "events) "
     "GROUP BY tag",
     tags),
    ("SELECT tag, count() FROM events ARRAY JOIN CAST(event_data.tags AS Array(String)) AS tag "
     "GROUP BY "
     "tag",
     tags),
    ("SELECT i, count() FROM events ARRAY JOIN identifiers AS i GROUP BY i",
     lambda r: [[i, n] for i, n in Counter(i for x in r for i in x.identifiers).items()]),
    ("SELECT count() FROM events WHERE has(identifiers, 'telegram:2')",
     lambda r: [[sum("telegram:2" in x.identifiers for x in r)]]),
    ("SELECT count() FROM events WHERE arrayExists(i -> startsWith(i, 'discord:'), identifiers)",
     lambda r: [[sum(any(i.startswith("discord:") for i in x.identifiers) for x in r)]]),
    ("SELECT event_type, countIf(platform = 'discord'), uniqExactIf(c_user_id, platform = 'web') "
     "FROM events GROUP BY event_type",
     lambda r: [[kind, sum(x.platform == "discord" for x in rows),
                 people(x for x in rows if x.platform == "web")]
                for kind, rows in by(r, lambda x: x.event_type).items()]),
    ("SELECT event_type, sumIf(event_data.price::Float64, event_data.tier = 'gold') AS gold FROM "
     "events "
     "GROUP BY event_type HAVING gold > 0",
     lambda r: [[BUY, sum(prices([x for x in r if x.data["tier"] == "gold"]))]]),
    (f"SELECT count() FROM events WHERE event_type IN ('{BUY}', '{VIEW}')",
     lambda r: [[len(of(r, BUY)) + len(of(r, VIEW))]]),
    (f"SELECT count() FROM events WHERE event_type NOT IN ('{BUY}') AND platform LIKE '%e%'",
     lambda r: [[sum(x.event_type != BUY and "e" in x.platform for x in r)]]),
    (f"SELECT count() FROM events WHERE event_type = '{BUY}' OR platform = 'web'",
     lambda r: [[sum(x.event_type == BUY or x.platform == "web" for x in r)]]),
    (f"SELECT count() FROM events WHERE event_id = 'buy-1' AND event_type = '{BUY}'",
     lambda r: [[sum(x.event_id == "buy-1" for x in r)]]),
    (f"SELECT property_id, count() FROM events WHERE (event_type = '{CLICK}') GROUP BY property_id",
     lambda r: counts(of(r, CLICK), lambda x: x.property_id)),
    ("SELECT CASE WHEN event_data.price::Float64 >= 5 THEN 'dear' WHEN event_data.price::Float64 "
     ">= 0 "
     "THEN 'cheap' ELSE 'none' END AS band, count() FROM events GROUP BY band",
     lambda r: counts(r, lambda x: "none" if "price" not in x.data
                      else "dear" if x.data["price"] >= 5 else "cheap")),
    ("SELECT if(property_id = 'web', 1, 0) ? 'w' : 'a' AS p, count() FROM events GROUP BY p",
     lambda r: counts(r, lambda x: x.property_id[0])),
    ("SELECT event_type, is_current FROM event_types WHERE NOT is_global ORDER BY event_id",
     lambda r: [[BUY, False], [BUY, True], [VIEW, True]]),
    ("SELECT count() FROM event_types WHERE event_type = 'ITEM_PURCHASED'",
     lambda r: [[len(FORMER) + sum(name == BUY for name in TYPES)]]),
]  # fmt: skip
