"""SQL in layers: each SELECT adds columns to those of the one inside it.

As one SELECT, a long calculation would be written out again wherever something is made of it.
"""

from collections.abc import Iterable


def over(source: str, *columns: str) -> str:
    """All columns of the SELECT `source`, and these, which are made of them."""
    return f"SELECT *,\n       {lines(columns)}\n  FROM (\n{source}\n)"


def lines(columns: Iterable[str]) -> str:
    return ",\n       ".join(columns)
