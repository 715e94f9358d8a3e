"""The people behind a number: who they are, and when each was first and last seen."""

from collections.abc import Sequence

from msgspec import Struct

from endu.identities.identifier import Number, Subject
from endu.journeys.draft import Draft
from endu.journeys.scope import Time, rfc3339

# Everybody is counted, and the next page is taken in the order of their subjects, which stays.
COUNT = """
SELECT count() AS total,
       arraySort(groupArraySortedIf({size})(person, person > {after}))
  FROM (SELECT DISTINCT person FROM ({people}) WHERE person != 0)
"""

SEEN = """
SELECT {who} AS person, toUnixTimestamp64Milli(min(ts)), toUnixTimestamp64Milli(max(ts))
  FROM endu.events
 WHERE org = {{organization:String}}
   AND subject IN {subjects}
 GROUP BY person
"""


class PersonShown(Struct, frozen=True):
    """Seen by any event of theirs, within the question's range or not."""

    c_user_id: Number
    first_seen: Time | None
    last_seen: Time | None


class PeoplePage(Struct, frozen=True):
    """`total` is the number that was asked about. `next` is the place that the page behind this
    one begins after, None at the end."""

    total: int
    people: list[PersonShown]
    next: int | None


async def people_behind(draft: Draft, people_sql: str, after: int, limit: int) -> PeoplePage:
    """`people_sql` is a SELECT of one column `person`, as `draft.who` gives it; whoever is in it
    several times is one, and 0 is nobody. Its values are those of the draft."""
    sources, values = draft.sources, draft.values
    sql = COUNT.format(size=limit + 1, after=values.add(after, "UInt64"), people=people_sql)
    ((total, found),) = (await sources.ledger.answer(sql, values.bound)).rows
    shown = [Subject(person) for person in found[:limit]]
    return PeoplePage(
        total=total,
        people=await _shown(draft, shown),
        next=shown[-1] if len(found) > limit else None,
    )


async def _shown(draft: Draft, identities: Sequence[Subject]) -> list[PersonShown]:
    """In their order. Who is not known to the directory yet has the number of their subject."""
    sources, values = draft.sources, draft.values
    known = await sources.people.known(sources.organization_id, identities)
    subjects = {each for person in known.values() for each in person.subjects} | {*identities}
    sql = SEEN.format(who=draft.who, subjects=values.add(sorted(subjects), "Array(UInt64)"))
    rows = await sources.ledger.ask(sql, values.bound)
    seen = {person: (rfc3339(first_ms), rfc3339(last_ms)) for person, first_ms, last_ms in rows}
    return [
        PersonShown(
            known[identity].c_user_id if identity in known else Number(str(identity)),
            *seen.get(identity, (None, None)),
        )
        for identity in identities
    ]
