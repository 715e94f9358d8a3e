"""What questions ask of the directory, in SQLite."""

import json
from collections.abc import Sequence
from typing import Any

from endu.events.ledger import Ledger, Visited
from endu.identities.identifier import Number, Subject
from endu.journeys.sources import Person
from endu.organizations.organization import OrganizationId
from endu.stores.sqlite import Reader
from endu.stores.sqlite_brought import BroughtNumbers

# Only events of devices that several people use, and of blocked identifiers, are given away.
VISITED = """
SELECT DISTINCT i.kind = 'fingerprint' FROM identifiers AS i
WHERE i.standing <> '' AND i.organization_id = ?
  AND EXISTS (SELECT 1 FROM visits AS v WHERE v.recorded = i.subject AND v.subject <> 0)
"""

# The numbers of identities, and whose events can be theirs: their own identifiers', and those of
# the devices that they visited.
KNOWN = """
WITH asked AS (
  SELECT i.subject AS identity, i.number
  FROM json_each(:identities) AS given CROSS JOIN identifiers AS i ON i.subject = given.value
  WHERE i.organization_id = :organization_id
), members AS (
  SELECT identity, number, identity AS subject FROM asked
  UNION ALL
  SELECT asked.identity, asked.number, i.subject
  FROM asked CROSS JOIN identifiers AS i
    ON i.identity = asked.identity AND i.identity <> i.subject
)
SELECT identity, number, subject FROM members
UNION
SELECT members.identity, members.number, v.recorded
FROM members CROSS JOIN visits AS v ON v.subject = members.subject
"""

RULE_CHANGES = "SELECT count(*) + count(taken_back_at_ms) FROM rules WHERE organization_id = ?"


class SqlitePeople:
    """Fits the port `People`."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._brought = BroughtNumbers(reader)

    async def visited(self, organization_id: OrganizationId) -> Visited:
        are_devices = [bool(is_one) for (is_one,) in await self._rows(VISITED, (organization_id,))]
        if not are_devices:
            return Visited.NONE
        return Visited.ON_DEVICES if all(are_devices) else Visited.ANY

    async def known(
        self, organization_id: OrganizationId, identities: Sequence[Subject]
    ) -> dict[Subject, Person]:
        asked = {"organization_id": organization_id, "identities": json.dumps(identities)}
        people: dict[Subject, Person] = {}
        for identity, number, subject in await self._rows(KNOWN, asked):
            person = people.setdefault(identity, Person(Number(number), []))
            person.subjects.append(subject)
        return people

    async def tell_numbers(self, ledger: Ledger) -> None:
        await self._brought.tell(ledger)

    async def rules_version(self, organization_id: OrganizationId) -> int:
        ((changes,),) = await self._rows(RULE_CHANGES, (organization_id,))
        return int(changes)

    async def _rows(self, sql: str, values: Any) -> list[tuple[Any, ...]]:
        return await self._reader.read(lambda db: list(db.execute(sql, values)))
