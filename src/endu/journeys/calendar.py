"""Hours, days, weeks and months as people in a time zone count them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from endu.journeys.question import WeekStart

Interval = Literal["hour", "day", "week", "month"]

HOUR_MS, DAY_MS = 3_600_000, 86_400_000

# Days are counted from a Thursday a week before 1970, so that no zone's clock is before it.
_FIRST_DAY = date(1969, 12, 25)
_WEEK_MS = 7 * DAY_MS
_DAYS_INTO_WEEK: Mapping[WeekStart, int] = {"monday": 3, "sunday": 4}

# No zone changed its clocks twice within so many days.
_CHANGES_APART_SECONDS = 5 * 86_400


class Range(Struct, frozen=True):
    """Half-open, in milliseconds."""

    from_ms: int
    to_ms: int


class Bucket(Struct, frozen=True):
    """`key` is what the SQL says for it. Complete: it lies in the range as a whole, and is over."""

    key: int
    start_ms: int
    end_ms: int
    complete: bool


class Calendar(Struct, frozen=True):
    """Where days, weeks and months begin is a matter of the zone's own clock, so that a day may
    have 23 hours, and one that the zone left out has none. An hour always has 60 minutes, and
    begins with a full hour of the zone's clock as it was at `anchor_ms`."""

    zone: ZoneInfo
    week_start: WeekStart = "monday"
    anchor_ms: int = 0

    def key_sql(self, interval: Interval, span: Range) -> str:
        """The key of the bucket of an event within the span, a small whole number.

        The ledger only computes: it has zones of its own, but of another year's edition.
        """
        at_ms = "toUnixTimestamp64Milli(ts)"
        if interval == "hour":
            return f"toUInt32(intDiv({at_ms} + {self._beyond()}, {HOUR_MS}))"
        day = f"toUInt16(intDiv({at_ms} + {self._offset_sql(at_ms, span)}, {DAY_MS}))"
        if interval == "day":
            return day
        if interval == "week":
            return f"toUInt16(intDiv({day} + {_DAYS_INTO_WEEK[self.week_start]}, 7))"
        return f"toUInt16(toRelativeMonthNum(toDate32({day} - 7)))"

    def count(self, interval: Interval, span: Range) -> int:
        """How many buckets the range touches, about: what `buckets` would take."""
        first, last = self._keys(interval, span)
        return last + 1 - first

    def buckets(self, interval: Interval, span: Range, now_ms: int) -> list[Bucket]:
        """Every bucket that the range touches, in order."""
        first, last = self._keys(interval, span)
        starts = [self._start_ms(interval, key) for key in range(first, last + 2)]
        over_ms = min(span.to_ms, now_ms)
        return [
            Bucket(key, start_ms, end_ms, span.from_ms <= start_ms and end_ms <= over_ms)
            for key, start_ms, end_ms in zip(
                range(first, last + 1), starts, starts[1:], strict=False
            )
            if start_ms < end_ms
        ]

    def before(self, interval: Interval, span: Range) -> Range:
        """The period of the same length just before: of as many buckets where the range begins
        and ends with one, else as long by the zone's clock."""
        first, last = self._keys(interval, span)
        whole = (
            self._start_ms(interval, first) == span.from_ms
            and self._start_ms(interval, last + 1) == span.to_ms
        )
        if whole:
            return Range(self._start_ms(interval, 2 * first - last - 1), span.from_ms)
        if interval == "hour":
            return Range(2 * span.from_ms - span.to_ms, span.from_ms)
        begin, end = self._local(span.from_ms), self._local(span.to_ms)
        earlier = begin.replace(tzinfo=None) - (
            end.replace(tzinfo=None) - begin.replace(tzinfo=None)
        )
        from_ms = _ms(earlier.replace(tzinfo=self.zone)) + span.from_ms % 1_000
        return Range(min(from_ms, span.from_ms), span.from_ms)

    def _keys(self, interval: Interval, span: Range) -> tuple[int, int]:
        """The first and the last; the last is before the first where the range is empty."""
        if span.to_ms <= span.from_ms:
            return 0, -1
        return self._key(interval, span.from_ms), self._key(interval, span.to_ms - 1)

    def _key(self, interval: Interval, at_ms: int) -> int:
        if interval == "hour":
            return (at_ms + self._beyond()) // HOUR_MS
        local = self._local(at_ms)
        if interval == "month":
            return local.year * 12 + local.month
        day = local.toordinal() - _FIRST_DAY.toordinal()
        return day if interval == "day" else (day + _DAYS_INTO_WEEK[self.week_start]) // 7

    def _start_ms(self, interval: Interval, key: int) -> int:
        if interval == "hour":
            return key * HOUR_MS - self._beyond()
        if interval == "month":
            year, month = divmod(key - 1, 12)
            return self._midnight_ms(date(year, month + 1, 1))
        day = key if interval == "day" else key * 7 - _DAYS_INTO_WEEK[self.week_start]
        return self._midnight_ms(_FIRST_DAY + timedelta(days=day))

    def _offset_sql(self, at_ms: str, span: Range) -> str:
        """How far the zone's clock is ahead of the first day's beginning in UTC."""
        offsets = self._offsets(span)
        *changes, (_, last) = ((until_ms, offset_ms + _WEEK_MS) for until_ms, offset_ms in offsets)
        if not changes:
            return str(last)
        cases = ", ".join(f"{at_ms} < {until_ms}, {offset}" for until_ms, offset in changes)
        return f"multiIf({cases}, {last})"

    def _offsets(self, span: Range) -> list[tuple[int, int]]:
        """Until when the zone's clock was how far ahead of UTC; the last holds to the end."""
        found = []
        at, end = span.from_ms // 1_000, span.to_ms // 1_000
        while at < end:
            later = min(at + _CHANGES_APART_SECONDS, end)
            if self._offset_ms(later) != self._offset_ms(at):
                found.append((self._change_between(at, later) * 1_000, self._offset_ms(at)))
            at = later
        return [*found, (span.to_ms, self._offset_ms(end))]

    def _change_between(self, before: int, after: int) -> int:
        """The first second of the other offset."""
        offset_ms = self._offset_ms(before)
        while after - before > 1:
            middle = (before + after) // 2
            if self._offset_ms(middle) == offset_ms:
                before = middle
            else:
                after = middle
        return after

    def _beyond(self) -> int:
        """How far the zone's clock is beyond full hours of UTC."""
        return self._offset_ms(self.anchor_ms // 1_000) % HOUR_MS

    def _offset_ms(self, second: int) -> int:
        offset = datetime.fromtimestamp(second, self.zone).utcoffset() or timedelta()
        return int(offset.total_seconds()) * 1_000

    def _midnight_ms(self, day: date) -> int:
        """Where the clocks go forward at midnight, the first moment behind it."""
        return _ms(datetime(day.year, day.month, day.day, tzinfo=self.zone))

    def _local(self, at_ms: int) -> datetime:
        return datetime.fromtimestamp(at_ms // 1_000, self.zone)


def _ms(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp()) * 1_000
