"""Columns: of views, parts of tuples, and paths into event_data.

`event_data` is JSON text. `event_data.a.b` is what stands there as text, NULL where nothing does;
`event_data.a.b::Float64` reads it as that type, and is NULL where it is none.
"""

import re
from typing import Any

from sqlglot import exp

from endu.journeys.sql_reading import Plain, refused
from endu.journeys.sql_writing import (
    NAME_LENGTH,
    WriteNode,
    Writer,
    name,
    only,
    own_name,
    quoted,
    type_text,
)

EVENT_DATA = "event_data"

_UNNAMEABLE = re.compile(r"[\x00-\x1f\x7f`\\{}]+")


def json_path(node: exp.Expr) -> tuple[str, list[str]] | None:
    """`event_data.a.b`, with or without a table before it: the column, and the keys. None where
    the node is something else."""
    parts: list[str] = []
    inner: Any = node
    while isinstance(inner, exp.Dot) and isinstance(inner.expression, exp.Identifier):
        parts.insert(0, inner.expression.this)
        inner = inner.this
    if not isinstance(inner, exp.Column) or not isinstance(inner.this, exp.Identifier):
        return None
    parts = [*(part.this for part in inner.parts if isinstance(part, exp.Identifier)), *parts]
    for place in (0, 1):
        if EVENT_DATA in parts[place : place + 1] and len(parts) > place + 1:
            column = ".".join(quoted(part, node) for part in parts[: place + 1])
            return column, parts[place + 1 :]
    return None


def named(w: Writer, node: exp.Expr) -> str:
    """One of the things that are selected: whatever has no name is given its own text for one."""
    written = w.write(node)
    return f"{written} AS {own_name(_said(node))}" if _is_nameless(node) else written


def names_said(statement: exp.Expr) -> set[str]:
    """Every name that a statement gives to a value, in one of its SELECTs or in WITH."""
    found = {each.alias for each in statement.find_all(exp.Alias)}
    found |= {each.alias for each in statement.find_all(exp.CTE) if each.args.get("scalar")}
    for select in statement.find_all(exp.Select):
        found |= {_said(each) for each in select.expressions if _is_nameless(each)}
    return found


def _is_nameless(node: exp.Expr) -> bool:
    """Whether the text of what is selected is made its name."""
    if isinstance(node, exp.Column):
        return _is_part(node) or json_path(node) is not None
    return not isinstance(node, exp.Alias | exp.Star)


def _is_part(node: exp.Expr) -> bool:
    """A numbered part of a tuple."""
    return isinstance(node.this, exp.Literal)


def _said(node: exp.Expr) -> str:
    """The text of an expression, as far as it can be a name."""
    text = _UNNAMEABLE.sub("", node.sql(dialect=Plain, comments=False))
    return text[:NAME_LENGTH].strip() or "value"


def _column(w: Writer, node: exp.Column) -> str:
    path = json_path(node)
    if path is not None:
        return _extract(w, path, "Nullable(String)")
    only(node, "this", "table")
    table = node.args.get("table")
    if isinstance(node.this, exp.Literal) and table is not None:
        return f"tupleElement({w.column(table)}, {w.write(node.this)})"
    before = f"{name(table)}." if table is not None else ""
    if isinstance(node.this, exp.Star):
        return before + w.write(node.this)
    return before + w.column(node.this)


def _dot(w: Writer, node: exp.Dot) -> str:
    path = json_path(node)
    if path is not None:
        return _extract(w, path, "Nullable(String)")
    only(node, "this", "expression")
    if not isinstance(node.expression, exp.Literal):
        raise refused("A dot leads into event_data, or to a numbered part of a tuple", node)
    return f"tupleElement({w.write(node.this)}, {w.write(node.expression)})"


def _extract(w: Writer, path: tuple[str, list[str]], kind: str) -> str:
    column, keys = path
    return f"JSONExtract({column}, {', '.join(w.text(key) for key in keys)}, {w.text(kind)})"


def _cast(w: Writer, node: exp.Cast) -> str:
    """A path of event_data is read as the type: NULL where there is no such value."""
    only(node, "this", "to")
    kind = type_text(node.args["to"])
    path = json_path(node.this)
    if path is None:
        return f"CAST({w.write(node.this)} AS {kind})"
    whole = kind.startswith(("Nullable(", "Array(", "Map(", "LowCardinality("))
    return _extract(w, path, kind if whole else f"Nullable({kind})")


def _star(w: Writer, node: exp.Star) -> str:
    only(node, "except_")
    left_out = node.args.get("except_") or []
    names = ", ".join(
        w.column(each.this if isinstance(each, exp.Column) else each) for each in left_out
    )
    return f"* EXCEPT ({names})" if names else "*"


COLUMNS: dict[type[exp.Expr], WriteNode] = {
    exp.Column: _column,
    exp.Dot: _dot,
    exp.Cast: _cast,
    exp.Star: _star,
}
