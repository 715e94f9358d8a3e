"""What stands beside every answer: what was read for it, and how far it can be trusted."""

from collections.abc import Iterable, Sequence

from msgspec import Struct, field

from endu.events.ledger import Answered, owner_sql
from endu.journeys.draft import Draft
from endu.journeys.scope import Time, rfc3339

# What a question counts along: its events, and how many of them are anonymous and contested.
COUNTED = """count() AS events,
       countIf({anonymous}) AS anonymous,
       countIf({contested}) AS contested"""


class Counted(Struct, frozen=True):
    events: int
    anonymous: int
    contested: int


class About(Struct, frozen=True, kw_only=True):
    """`from` and `to` are the range that was used. Shares are of the question's events, those of
    the range that are of any of its steps; null where there are none. Anonymous: only a device is
    named, on which nobody was ever seen, or nobody is named at all. Contested: identifiers on
    the event belong to different people now. `rules_version` counts the changes of the
    organization's rules."""

    rows_read: int
    elapsed_ms: int
    since: Time = field(name="from")
    until: Time = field(name="to")
    anonymous_share: float | None
    contested_share: float | None
    rules_version: int


def total_of(parts: Iterable[Counted]) -> Counted:
    parts = [*parts]
    return Counted(
        sum(each.events for each in parts),
        sum(each.anonymous for each in parts),
        sum(each.contested for each in parts),
    )


def anonymous_sql(draft: Draft) -> str:
    """Whether an event is anonymous: to be counted along with the question's own scan."""
    return f"(device_only AND ({draft.who} = subject OR {draft.who} = 0))"


def contested_sql(who: str) -> str:
    """Whether an event is contested: to be counted along, too. `who` is `draft.who`, or the name of
    a column that is."""
    owners = f"arrayMap(other -> {owner_sql('other')}, others)"
    several = f"length(arrayDistinct(arrayFilter(one -> one != 0, {owners}))) > 1"
    of_another = f"arrayExists(one -> one != 0 AND one != {who}, {owners})"
    return f"if({who} = 0, {several}, {of_another})"


def counted_sql(draft: Draft) -> str:
    """The columns of Counted, in its order."""
    return COUNTED.format(anonymous=anonymous_sql(draft), contested=contested_sql(draft.who))


async def about_of(draft: Draft, answered: Sequence[Answered], counted: Counted) -> About:
    sources, span = draft.sources, draft.range
    events = counted.events
    return About(
        rows_read=sum(each.rows_read for each in answered),
        elapsed_ms=round(sum(each.elapsed_ms for each in answered)),
        since=rfc3339(span.from_ms),
        until=rfc3339(span.to_ms),
        anonymous_share=counted.anonymous / events if events else None,
        contested_share=counted.contested / events if events else None,
        rules_version=await sources.people.rules_version(sources.organization_id),
    )
