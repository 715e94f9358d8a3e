"""What stands beside every answer: what was read for it, and how far it can be trusted."""

from collections.abc import Sequence

from msgspec import Struct, field

from endu.events.ledger import Answered, owner_sql
from endu.journeys.draft import Draft
from endu.journeys.scope import Time, rfc3339

DISPUTED_AT_MOST = 10_000  # subjects that travel with a question; beyond, every event is looked at

# Few events name others at all: said first, the rest is read for hardly more than those.
CONTESTED = """
SELECT countIf(length(arrayDistinct(arrayFilter(person -> person != 0, {people}))) > 1)
  FROM endu.events
 WHERE {scan}
   AND notEmpty(others)
   AND {disputed}
"""


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


def anonymous_sql(draft: Draft) -> str:
    """Whether an event is anonymous: to be counted along with the question's own scan."""
    return f"(device_only AND ({draft.who} = subject OR {draft.who} = 0))"


def contested_sql(who: str) -> str:
    """Whether an event is contested: to be counted along, too. Where so much is read anyway, that
    costs half of what a look of its own does. `who` is the name of a column that is `draft.who`."""
    owner = owner_sql("other")
    of_nobody = f"arrayFilter(one -> one != 0, arrayMap(other -> {owner}, others))"
    of_another = f"arrayExists(other -> {owner} != 0 AND {owner} != {who}, others)"
    several = f"if({who} = 0, length(arrayDistinct({of_nobody})) > 1, {of_another})"
    return f"(notEmpty(others) AND {several})"


async def about_of(
    draft: Draft,
    scan: str,
    answered: Sequence[Answered],
    events: int,
    anonymous: int,
    contested: int | None = None,
) -> About:
    """`scan` is what the question's own SQL has behind WHERE, and the rest is what it counted
    there; contested events are looked for if it did not count them."""
    sources, span = draft.sources, draft.range
    read: list[Answered] = []
    if contested is None:
        contested, read = await _contested(draft, scan) if events else (0, [])
    asked = [*answered, *read]
    return About(
        rows_read=sum(each.rows_read for each in asked),
        elapsed_ms=round(sum(each.elapsed_ms for each in asked)),
        since=rfc3339(span.from_ms),
        until=rfc3339(span.to_ms),
        anonymous_share=anonymous / events if events else None,
        contested_share=contested / events if events else None,
        rules_version=await sources.people.rules_version(sources.organization_id),
    )


async def _contested(draft: Draft, scan: str) -> tuple[int, list[Answered]]:
    """Only events of disputed subjects are read; where nobody is disputed, none."""
    sources = draft.sources
    subjects = await sources.people.disputed(sources.organization_id, DISPUTED_AT_MOST)
    if subjects is None:
        disputed = "true"
    elif subjects:
        disputed = f"subject IN {draft.values.add(list(subjects), 'Array(UInt64)')}"
    else:
        return 0, []
    people = f"arrayPushBack(arrayMap(other -> {owner_sql('other')}, others), {draft.who})"
    sql = CONTESTED.format(scan=scan, disputed=disputed, people=people)
    answered = await sources.ledger.answer(sql, draft.values.bound)
    return answered.rows[0][0], [answered]
