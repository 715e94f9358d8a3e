"""What questions are asked of while they are measured: the log's ledger, and who and what is in it
as far as questions look that up elsewhere."""

from collections.abc import Sequence
from typing import Any

from benchmarks.journeys_log import ORGANIZATION
from benchmarks.journeys_rows import BEGINS_AT_S, DAY_SECONDS, DAYS, TYPES
from endu.event_types.event_type import GLOBAL_NAMES, EventType, EventTypeId
from endu.events.event import Seq
from endu.events.ledger import Ledger, Visited, who_sql
from endu.identities.directory import Identity, KnownIdentifier, Related
from endu.identities.identifier import Number, Subject
from endu.journeys.sources import Person, Sources
from endu.organizations.organization import OrganizationId
from endu.stores.memory_registry import MemoryCatalog

# People with more than a page, and not the few with most.
REGULARS = f"""
SELECT {who_sql(Visited.ANY)} AS who, groupUniqArray(subject)
  FROM endu.events
 WHERE org = {{organization:String}}
 GROUP BY who
HAVING who != 0 AND count() BETWEEN 60 AND 300
 ORDER BY who
 LIMIT 20
"""


class People:
    """As the directory would say of the log."""

    async def visited(self, _organization_id: OrganizationId) -> Visited:
        return Visited.ON_DEVICES

    async def known(
        self, _organization_id: OrganizationId, identities: Sequence[Subject]
    ) -> dict[Subject, Person]:
        return {each: Person(Number(str(each)), [each]) for each in identities}

    async def tell_numbers(self, _ledger: Ledger) -> None:
        """Nobody brought one."""

    async def rules_version(self, _organization_id: OrganizationId) -> int:
        return 0

    async def visits_of(
        self, _organization_id: OrganizationId, _identity: Identity
    ) -> tuple[Sequence[Seq], Sequence[Seq]]:
        return (), ()

    async def related(
        self, _organization_id: OrganizationId, _identity: Identity
    ) -> Sequence[Related]:
        return ()


async def sources_of(ledger: Ledger) -> Sources:
    """Asked right after the log's last day."""
    organization_id = OrganizationId(ORGANIZATION)
    catalog = MemoryCatalog()
    for name, event_id in TYPES.items():
        if name not in GLOBAL_NAMES:
            catalog.put(
                EventType(
                    event_id=EventTypeId(event_id),
                    organization_id=organization_id,
                    name=name,
                    display_name=name,
                    created_at_ms=0,
                )
            )
    return Sources(
        organization_id=organization_id,
        now_ms=(BEGINS_AT_S + DAYS * DAY_SECONDS) * 1_000,
        ledger=ledger,
        catalog=catalog,
        people=People(),
    )


async def regulars_in(ledger: Ledger) -> list[Identity]:
    rows = await ledger.ask(REGULARS, {"organization": ORGANIZATION})
    return [_identity(who, subjects) for who, subjects in rows]


def _identity(who: int, subjects: list[int]) -> Identity:
    known: dict[str, Any] = {"number": Number(str(who)), "proof": 2, "asserted": False}
    known |= {"standing": "", "first_seen_ms": None}
    return Identity(
        c_user_id=Number(str(who)),
        subject=Subject(who),
        identifiers=tuple(
            KnownIdentifier(subject=Subject(each), kind="discord", value=str(each), **known)
            for each in subjects
        ),
    )
