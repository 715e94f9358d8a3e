"""Which c_user_ids the directory knows: asked for many, or found where one is needed at once."""

import json
from collections.abc import Sequence
from pathlib import Path

from endu.events.numbers import KnownNumbers
from endu.identities.identifier import Number
from endu.organizations.organization import OrganizationId
from endu.stores.sqlite import Connection, connect

KNOWN_NUMBERS = """
SELECT named.value FROM json_each(:numbers) AS named
CROSS JOIN identifiers AS i
  ON i.subject = CAST(named.value AS INTEGER) AND i.number = named.value
WHERE i.organization_id = :organization_id
UNION
SELECT i.value FROM json_each(:numbers) AS named
CROSS JOIN identifiers AS i
  ON i.organization_id = :organization_id AND i.kind = 'c_user_id' AND i.value = named.value
"""


def numbers_in(
    connection: Connection, organization_id: OrganizationId, numbers: Sequence[Number]
) -> set[Number]:
    """Those of them that were ever issued or adopted."""
    asked = {"organization_id": organization_id, "numbers": json.dumps(numbers)}
    return {number for (number,) in connection.execute(KNOWN_NUMBERS, asked)}


class NumbersAtHand(KnownNumbers):
    """A number that is not remembered costs one look into an index, some 20 µs."""

    def __init__(self, path: Path) -> None:
        super().__init__(self)
        self._connection = connect(path)
        self._connection.execute("PRAGMA query_only = 1")

    def knows(self, organization_id: OrganizationId, number: Number) -> bool:
        if super().knows(organization_id, number):
            return True
        if not numbers_in(self._connection, organization_id, [number]):
            return False
        self.remember(organization_id, number)
        return True

    async def known_numbers(
        self, organization_id: OrganizationId, numbers: Sequence[Number]
    ) -> set[Number]:
        return numbers_in(self._connection, organization_id, numbers)

    def close(self) -> None:
        self._connection.close()
