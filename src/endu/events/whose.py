"""Does the ledger say of owners and visits what the directory says? Part of verifying."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, Protocol

from endu.announcements import Damage
from endu.events.ledger import LedgerDamaged

AT_ONCE = 50_000  # some 10 MB of both
GREATEST = (1 << 63) - 1

# More changes than that never wait for the ledger. A version greater than it need be does no harm,
# as long as there is room for greater ones.
TOLD_LATE = 1 << 32


class Said(NamedTuple):
    """`of` is a subject, or the place of an event; `whose` the identity or the subject that it
    counts for since the change `version`."""

    of: int
    whose: int
    version: int


class InDirectory(Protocol):
    async def page(self, after: int, limit: int) -> list[Said]:
        """What holds now, in order of `of`, from the first one behind `after` on."""


class InLedger(Protocol):
    async def version(self) -> int:
        """The greatest one that is written: everything up to it was. Raises LedgerDamaged."""

    async def between(self, after: int, until: int) -> list[Said]:
        """What holds now, in order of `of`, of those behind `after` and up to `until`. Raises
        LedgerDamaged."""


class Whose(NamedTuple):
    """One of the two things that are compared, as it is named where it differs."""

    what: Callable[[int], str]
    directory: InDirectory
    ledger: InLedger


async def compare_whose(whose: Whose) -> list[Damage]:
    """Names everything of which the ledger says something else than the directory. What it is yet
    to be told is no difference."""
    damage: list[Damage] = []
    after = 0
    try:
        told = await whose.ledger.version()
        while after < GREATEST:
            said = await whose.directory.page(after, AT_ONCE)
            until = said[-1].of if len(said) == AT_ONCE else GREATEST
            there = {each.of: each for each in await whose.ledger.between(after, until)}
            damage += _differences(whose.what, {each.of: each for each in said}, there, told)
            after = until
    except LedgerDamaged as problem:
        damage.append(Damage("ledger", str(problem)))
    return damage


def _differences(
    what: Callable[[int], str],
    directory: Mapping[int, Said],
    ledger: Mapping[int, Said],
    told: int,
) -> Iterator[Damage]:
    for of in sorted(directory.keys() | ledger.keys()):
        right, found = directory.get(of), ledger.get(of)
        if right is None:
            yield Damage(f"ledger, {what(of)}", "is in the ledger, but not in the directory")
        elif right.version > told + TOLD_LATE:
            yield Damage(f"directory.db, {what(of)}", f"has version {right.version}, after {told}")
        elif right.version > told or right == found:
            continue
        elif found is None:
            yield Damage(f"ledger, {what(of)}", "is missing in the ledger")
        else:
            says = f"says {found.whose} in place of {right.whose}"
            yield Damage(f"ledger, {what(of)}", says)
