"""What a rule would do, found by obeying it and undoing that."""

from collections.abc import Iterable

from msgspec import Struct

from endu.identities.aftermath import owner_of
from endu.identities.bench import Bench
from endu.identities.casebook import Casebook
from endu.identities.decrees import Decree, obey
from endu.identities.devices import Devices
from endu.identities.identifier import NOBODY, Number, Subject
from endu.identities.linking import NEVER_SEEN
from endu.ids import Scramble


class Move(Struct, frozen=True):
    """An identifier that would be somebody else's. Nobody's number is empty."""

    subject: Subject
    identifier: str
    c_user_id: Number
    would_be: Number


class TryOut:
    """Works on a casebook of its own beside the settler's, and holds it up only briefly."""

    def __init__(self, casebook: Casebook, scramble: Scramble, source: int) -> None:
        self._casebook = casebook
        self._scramble = scramble
        self._source = source

    async def moves(self, decree: Decree) -> list[Move]:
        """Who would move, in no order. The casebook is afterwards as it was."""
        async with self._casebook.undone():
            devices = Devices(self._casebook, await self._casebook.watched())
            bench = Bench(self._casebook, devices, self._scramble, self._source)
            await obey(bench, NEVER_SEEN, decree)
            after = await self._numbers(bench.moved)
        before = await self._numbers(after)
        return [
            Move(subject, text, before[subject][1] if subject in before else would_be, would_be)
            for subject, (text, would_be) in after.items()
        ]

    async def _numbers(self, subjects: Iterable[Subject]) -> dict[Subject, tuple[str, Number]]:
        """Of each subject that is known: its text, and the number that its events go by."""
        nodes = await self._casebook.nodes(set(subjects))
        owners = await self._casebook.nodes({owner_of(node) for node in nodes})
        number_of = {owner.subject: owner.number for owner in owners} | {NOBODY: Number("")}
        return {node.subject: (node.text, number_of[owner_of(node)]) for node in nodes}
