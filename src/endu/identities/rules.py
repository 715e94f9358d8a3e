"""Operator's rules as callers see them: tried, made, listed, taken back (R9)."""

from collections.abc import Sequence
from typing import Protocol

from endu.identities.casebook import StandingRule
from endu.identities.rulebook import OPPOSITE
from endu.identities.tryout import Move
from endu.organizations.organization import OrganizationId


class Rules(Protocol):
    """Reads rules as they stand after the last settled batch, and tries out what is not made.

    Making a rule and taking it back are records of the log (`RuleMade`, `RuleTakenBack`); they
    hold once settled.
    """

    async def all(self, organization_id: OrganizationId) -> Sequence[StandingRule]:
        """Oldest first, those that were taken back too."""

    async def find(self, organization_id: OrganizationId, seq: int) -> StandingRule | None:
        """By the place of its record in the log."""

    async def try_out(
        self, organization_id: OrganizationId, rule: str, identifiers: tuple[str, ...]
    ) -> list[Move]:
        """Who would move if this rule were made now; nothing is changed."""


def opposed(standing: Sequence[StandingRule], rule: str, identifiers: tuple[str, ...]) -> bool:
    """Whether a rule in force says the opposite of the same two identifiers."""
    opposite = OPPOSITE.get(rule)
    return any(
        one.rule == opposite
        and one.taken_back_at_ms is None
        and set(one.identifiers) == set(identifiers)
        for one in standing
    )
