"""The calendar of a question is Python's, in every zone that there is."""

import zoneinfo
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from endu.journeys.calendar import DAY_MS, Calendar, Interval, Range
from tests.journeys.world import World

FIRST_SECOND, LAST_SECOND = 0, 2_000_000_000
STEP_SECONDS = 7 * 3_600 + 1_799  # comes by at every hour of a day, and at odd minutes

# Clocks that changed twice in a month, at midnight, by half an hour, by a day; zones whose rules
# the ledger's engine has an older edition of; and one that is ahead of its hours.
ODD_ZONES = (
    "Africa/Casablanca",
    "America/Sao_Paulo",
    "America/Vancouver",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
)


@pytest.mark.parametrize("name", ODD_ZONES)
@pytest.mark.parametrize("interval", ["day", "week", "month"])
async def test_the_ledger_reckons_as_the_zone_does(
    world: World, name: str, interval: Interval
) -> None:
    calendar = Calendar(ZoneInfo(name), "sunday")
    span = Range(FIRST_SECOND * 1_000, LAST_SECOND * 1_000)
    sql = f"""
        SELECT {calendar.key_sql(interval, span)} AS key, min(second), max(second)
          FROM (
            SELECT fromUnixTimestamp64Milli(second * 1000) AS ts, second
              FROM (SELECT toInt64(number) * {STEP_SECONDS} AS second
                      FROM numbers(intDiv({LAST_SECOND}, {STEP_SECONDS})))
          )
         GROUP BY key ORDER BY key"""
    found = {key: (first, last) for key, first, last in await world.ask(sql)}
    buckets = calendar.buckets(interval, span, LAST_SECOND * 1_000)
    assert found.keys() <= {bucket.key for bucket in buckets}
    for bucket in buckets:
        if bucket.key in found:
            first, last = found[bucket.key]
            assert bucket.start_ms <= first * 1_000 <= last * 1_000 < bucket.end_ms


@pytest.mark.parametrize("name", sorted(zoneinfo.available_timezones()))
def test_days_follow_each_other_and_begin_at_midnight(name: str) -> None:
    zone = ZoneInfo(name)
    start = datetime(2010, 12, 25, tzinfo=zone)
    span = Range(int(start.timestamp()) * 1_000, int(start.timestamp()) * 1_000 + 400 * DAY_MS)
    buckets = Calendar(zone).buckets("day", span, span.to_ms)
    for one, other in zip(buckets, buckets[1:], strict=False):
        assert one.end_ms == other.start_ms
    for bucket in buckets:
        first = datetime.fromtimestamp(bucket.start_ms // 1_000, zone)
        moment_before = first.astimezone(UTC) - timedelta(seconds=1)
        assert moment_before.astimezone(zone).date() < first.date()


def test_a_day_that_a_zone_left_out_has_no_bucket() -> None:
    zone = ZoneInfo("Pacific/Apia")
    start = int(datetime(2011, 12, 29, tzinfo=zone).timestamp()) * 1_000
    buckets = Calendar(zone).buckets("day", Range(start, start + 2 * DAY_MS), start)
    days = [datetime.fromtimestamp(bucket.start_ms // 1_000, zone).date() for bucket in buckets]
    assert days == [date(2011, 12, 29), date(2011, 12, 31)]


@pytest.mark.parametrize(
    ("interval", "since", "until", "before"),
    [
        ("month", "2024-03-01T00:00", "2024-05-01T00:00", "2024-01-01T00:00"),
        ("day", "2024-03-25T00:00", "2024-04-08T00:00", "2024-03-11T00:00"),  # one of 23 hours
        ("day", "2024-03-31T12:00", "2024-04-01T12:00", "2024-03-30T12:00"),
        ("week", "2024-04-01T00:00", "2024-04-08T00:00", "2024-03-25T00:00"),
        ("hour", "2024-03-31T12:00", "2024-04-01T12:00", "2024-03-30T11:00"),
    ],
)
def test_the_period_before_is_as_long_by_the_calendar(
    interval: Interval, since: str, until: str, before: str
) -> None:
    zone = ZoneInfo("Europe/Berlin")
    from_ms, to_ms, before_ms = (
        int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * 1_000
        for text in (since, until, before)
    )
    assert Calendar(zone).before(interval, Range(from_ms, to_ms)) == Range(before_ms, from_ms)
