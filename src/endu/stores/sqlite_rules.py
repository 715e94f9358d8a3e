"""Rules in SQLite: those that were made, and what another one would do."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from endu.identities.casebook import StandingRule
from endu.identities.evidence import RuleMade
from endu.identities.tryout import Move, TryOut
from endu.ids import Scramble
from endu.organizations.organization import OrganizationId
from endu.stores.sqlite import Reader, connect
from endu.stores.sqlite_casebook import SqliteCasebook
from endu.stores.sqlite_rows import rules_of


class SqliteRules:
    """Fits the port `Rules`. A try-out has a connection of its own and waits its turn to write
    beside the settler's; nothing of it is committed."""

    def __init__(
        self, reader: Reader, path: Path, scramble: Scramble, source: int, now_ms: Callable[[], int]
    ) -> None:
        self._reader = reader
        self._path = path
        self._scramble = scramble
        self._source = source
        self._now_ms = now_ms

    async def all(self, organization_id: OrganizationId) -> Sequence[StandingRule]:
        return await self._reader.read(lambda db: rules_of(db, organization_id))

    async def find(self, organization_id: OrganizationId, seq: int) -> StandingRule | None:
        return next((r for r in await self.all(organization_id) if r.seq == seq), None)

    async def try_out(
        self, organization_id: OrganizationId, rule: str, identifiers: tuple[str, ...]
    ) -> list[Move]:
        made = RuleMade(
            organization_id=organization_id,
            received_at_ms=self._now_ms(),
            rule=rule,
            identifiers=identifiers,
            author="",
            reason="",
        )
        return await asyncio.to_thread(self._try_out, made)

    def _try_out(self, made: RuleMade) -> list[Move]:
        connection = connect(self._path)
        try:
            casebook = SqliteCasebook(connection)
            return asyncio.run(TryOut(casebook, self._scramble, self._source).moves(made))
        finally:
            connection.close()
