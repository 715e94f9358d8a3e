"""Tells the ledger which identifiers have a number that a caller brought (R7)."""

import asyncio

from endu.events.ledger import BroughtNumber, Ledger
from endu.identities.identifier import Number, Subject
from endu.stores.sqlite import Reader

# Rows are only ever added at the end of the table, so that only new ones need to be looked at.
BROUGHT = """
SELECT subject, number
FROM identifiers
WHERE rowid > ? AND rowid <= ? AND kind = 'c_user_id' AND number <> '' || subject
"""
LAST = "SELECT coalesce(max(rowid), 0), (SELECT count(*) FROM erasures) FROM identifiers"


class BroughtNumbers:
    """One for a directory and its ledger; remembers how far it has told."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._told = 0
        self._erasures = 0  # each took rows away, whose places in the table are used again
        self._telling = asyncio.Lock()

    async def tell(self, ledger: Ledger) -> None:
        """Returns once every later question sees the number of every identifier there is now."""
        async with self._telling:
            ((last, erasures),) = await self._reader.read(lambda db: db.execute(LAST).fetchall())
            if erasures != self._erasures:
                self._told, self._erasures = 0, erasures
            if last == self._told:
                return
            span = (self._told, last)
            rows = await self._reader.read(lambda db: db.execute(BROUGHT, span).fetchall())
            numbers = [BroughtNumber(Subject(subject), Number(number)) for subject, number in rows]
            if numbers:
                await ledger.set_numbers(numbers)
            self._told = last
