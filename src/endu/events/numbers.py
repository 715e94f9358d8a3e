"""Which c_user_ids are known: asked of the directory once for many, then remembered."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from endu.identities.identifier import Number
from endu.organizations.organization import OrganizationId

REMEMBERED = 100_000  # about 20 MB; an organization's visitors of a day


class Numbers(Protocol):
    """The directory, as far as recording needs it."""

    async def known_numbers(
        self, organization_id: OrganizationId, numbers: Sequence[Number]
    ) -> set[Number]:
        """Those of them that were ever issued or adopted here."""


class KnownNumbers:
    """Remembers what is known for good, until somebody is erased."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._known: dict[tuple[OrganizationId, Number], None] = {}

    def knows(self, organization_id: OrganizationId, number: Number) -> bool:
        """Of those that were learnt or remembered."""
        return (organization_id, number) in self._known

    async def learn(self, organization_id: OrganizationId, numbers: Iterable[Number]) -> None:
        """Asks at once for all that are not remembered."""
        asked = [number for number in set(numbers) if not self.knows(organization_id, number)]
        if asked:
            for number in await self._numbers.known_numbers(organization_id, asked):
                self.remember(organization_id, number)

    def forget(self) -> None:
        """Some of them may be nobody's any more."""
        self._known.clear()

    def remember(self, organization_id: OrganizationId, number: Number) -> None:
        if len(self._known) >= REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known[organization_id, number] = None
