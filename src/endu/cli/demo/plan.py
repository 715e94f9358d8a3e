"""What the demonstration plans: how many people do what, so that every answer is known before."""

from datetime import UTC, datetime, timedelta

from msgspec import Struct

WEEK_SECONDS = 7 * 86_400

# Event types as people name them: the first two are global, the others are registered.
CLICKED = "LINK_TRACKING_CLICK"
SIGNED_IN = "BLOCKCHAIN_ACCOUNT_SIGN_IN"
VIEWED = "PAGE_VIEW"
BOUGHT = "ITEM_PURCHASED"
JOINED = "COMMUNITY_JOINED"
LINKED = "ACCOUNT_LINKED"
ISSUED = "MEMBER_CARD_ISSUED"
WROTE = "MESSAGE_SENT"
SOLVED = "QUEST_COMPLETED"
UPGRADED = "MEMBERSHIP_UPGRADED"

SCHEMAS = {
    VIEWED: {"path": "string"},
    BOUGHT: {"item_id": "string", "price": "number"},
    JOINED: {"tier": "string"},
    LINKED: {},
    ISSUED: {"desk": "string"},
    WROTE: {"length": "number"},
    SOLVED: {"quest": "string"},
    UPGRADED: {"level": "string"},
}


class Plan(Struct, frozen=True, kw_only=True):
    """Numbers of people; each group is part of the one that is named before it.

    The story ends at `ends_at_s`, a Monday at 00:00 UTC, and takes `weeks` weeks.
    """

    seed: int
    ends_at_s: int
    weeks: int = 13
    events: int = 50_000

    visitors: int = 4_000
    signed_in: int = 2_480  # 62 % of them
    bought: int = 1_240  # 31 %: signed in, and bought within two weeks of the click
    bought_late: int = 124  # of the rest; the funnel must not count them
    visitors_of_weeks: int = 9  # they come in the first so many; the last still has time to buy

    cohorts: int = 6  # members join in the first so many weeks
    cohort: int = 200  # each week so many of those who signed in
    returned: tuple[int, ...] = (200, 120, 90, 72, 60, 52, 46, 42)  # of a cohort, week by week
    on_both: int = 180  # members with a Discord and a Telegram account
    on_telegram: int = 300  # members with a Telegram account alone

    solved: int = 480  # members who solve a quest: the one thing that brings people further
    upgraded_with: int = 288  # of them, 60 %
    upgraded_without: int = 108  # of the other 720, 15 %

    @property
    def begins_at_s(self) -> int:
        return self.ends_at_s - self.weeks * WEEK_SECONDS

    @property
    def members(self) -> int:
        return self.cohorts * self.cohort


def monday_before(moment: datetime) -> int:
    """The beginning of its week in UTC, in Unix seconds."""
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((day - timedelta(days=day.weekday())).timestamp())
