"""SQL in layers: each SELECT adds columns to those of the one inside it.

As one SELECT, a long calculation would be written out again wherever something is made of it.
"""

from collections.abc import Iterable, Sequence
from itertools import chain


def over(source: str, *columns: str) -> str:
    """All columns of the SELECT `source`, and these, which are made of them."""
    return f"SELECT *,\n       {lines(columns)}\n  FROM (\n{source}\n)"


def in_layers(source: str, parts: Sequence[Sequence[str]], at_once: int = 1) -> str:
    """The columns of so many parts in each layer."""
    for place in range(0, len(parts), at_once):
        columns = chain.from_iterable(parts[place : place + at_once])
        source = over(source, *columns)
    return source


def lines(columns: Iterable[str]) -> str:
    return ",\n       ".join(columns)
