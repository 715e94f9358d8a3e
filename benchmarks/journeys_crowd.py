"""Who is in the log that questions are measured on: identities, their identifiers, their joins.

Two identifiers each; some identities are joined to others later, so that in the end there are
fewer people. All of it in columns, drawn from a seed.
"""

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from endu.events.ledger import OwnerChange
from endu.identities.identifier import Subject

Numbers: TypeAlias = Any  # numpy arrays

# What an identity is first known by, and how many of a hundred are. The second identifier of
# each is a browser or a wallet.
DISCORD, TELEGRAM, WALLET, FINGERPRINT = range(4)
KINDS = ("discord:", "telegram:", "wallet:eip155:0x", "fingerprint:")
FIRST_KINDS = (0.5, 0.2, 0.2, 0.1)
BROWSERS = 0.6
PLATFORMS = ("discord", "telegram", "", "")
CHAINS = ("", "", "ethereum", "")


class Crowd(Struct, frozen=True):
    """One row for each identity; `firsts` and `seconds` are subjects. Row `people + n` was joined
    to row `joined_to[n]`."""

    people: int
    joined_to: Numbers
    shuffled: Numbers  # all rows; those that do much are first
    firsts: Numbers
    first_kinds: Numbers
    first_names: pa.Array
    seconds: Numbers
    second_kinds: Numbers
    second_names: pa.Array


def crowd_of(people: int, joins: int, chance: np.random.Generator) -> Crowd:
    """2 × (people + joins) identifiers."""
    count = people + joins
    first_kinds = chance.choice(len(KINDS), count, p=FIRST_KINDS).astype(np.int8)
    second_kinds = np.where(chance.random(count) < BROWSERS, FINGERPRINT, WALLET).astype(np.int8)
    subjects = chance.integers(1, 1 << 62, 2 * count, dtype=np.uint64)
    return Crowd(
        people=people,
        joined_to=chance.permutation(people)[:joins],
        shuffled=chance.permutation(count),
        firsts=subjects[:count],
        first_kinds=first_kinds,
        first_names=_names(first_kinds, chance),
        seconds=subjects[count:],
        second_kinds=second_kinds,
        second_names=_names(second_kinds, chance),
    )


def owners_of(crowd: Crowd) -> Iterator[OwnerChange]:
    """First each identity's second identifier, then the joins, each with a version of its own."""
    firsts, seconds = crowd.firsts.tolist(), crowd.seconds.tolist()
    for first, second in zip(firsts, seconds, strict=True):
        yield OwnerChange(Subject(second), Subject(first), 1)
    for version, to in enumerate(crowd.joined_to.tolist(), 2):
        joined = crowd.people + version - 2
        for subject in (firsts[joined], seconds[joined]):
            yield OwnerChange(Subject(subject), Subject(firsts[to]), version)


def _names(kinds: Numbers, chance: np.random.Generator) -> pa.Array:
    numbers = pa.array(chance.integers(10**17, 10**18, len(kinds))).cast(pa.string())
    return pc.binary_join_element_wise(pa.array(KINDS).take(pa.array(kinds)), numbers, "")
