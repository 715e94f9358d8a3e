"""The bench: where one batch's cases are heard, each by the law of its organization."""

from collections.abc import Set

from endu.identities.case import Case
from endu.identities.casebook import Casebook
from endu.identities.devices import Devices
from endu.identities.forgotten import Forgetful, Salt
from endu.identities.hearing import Law, hear
from endu.identities.identifier import Kind, Number, Subject
from endu.identities.linking import DEFAULT_LIMITS
from endu.identities.rulebook import rule_book
from endu.ids import Scramble
from endu.organizations.organization import OrganizationId


class Bench:
    """`moved` collects the subjects that became somebody else's, each with whose."""

    def __init__(
        self,
        casebook: Casebook,
        devices: Devices,
        scramble: Scramble,
        source: int,
        forgotten: Forgetful | None = None,
    ) -> None:
        self.casebook = casebook
        self.devices = devices
        self.moved: dict[Subject, Subject] = {}
        self.salt = Salt(scramble.secret)
        self._scramble = scramble
        self._source = source
        self._forgotten = forgotten
        self._laws: dict[OrganizationId, Law] = {}

    async def open(self, organization_id: OrganizationId, texts: Set[str]) -> Case:
        """A case that knows what the casebook holds under these identifiers."""
        case = Case(organization_id, self._scramble, self._source, self._forgotten)
        numbers = {text for text in texts if text.startswith(f"{Kind.C_USER_ID}:")}
        case.know((await self.casebook.find(organization_id, texts - numbers)).values())
        if numbers:
            bare = {Number(text.partition(":")[2]) for text in numbers}
            case.know((await self.casebook.bearing(organization_id, bare)).values())
        return case

    async def hear(
        self, case: Case, cause: tuple[int, int], thorough: Set[Subject] = frozenset()
    ) -> None:
        """`cause` is the place in the log, and its time in milliseconds."""
        law = await self.law(case.organization_id)
        moved = await hear(self.casebook, case, law, cause, thorough)
        await self.casebook.put_seen(case.seen.values())
        blocked = law.rules.blocked
        newly_seen = {seen.fingerprint for seen in case.seen.values()}
        moved |= await self.devices.settle(newly_seen, moved.keys() | thorough, blocked, cause)
        self.moved |= moved

    async def law(self, organization_id: OrganizationId) -> Law:
        law = self._laws.get(organization_id)
        if law is None:
            law = self._laws[organization_id] = await self._read_law(organization_id)
        return law

    def law_changed(self, organization_id: OrganizationId) -> None:
        self._laws.pop(organization_id, None)

    async def _read_law(self, organization_id: OrganizationId) -> Law:
        limits = {**DEFAULT_LIMITS, **await self.casebook.limits(organization_id)}
        rules = await self.casebook.rules(organization_id)
        texts = {text for rule in rules for text in rule.identifiers}
        named = await self.open(organization_id, texts)
        return Law(rule_book(rules, named.subject_of), limits)
