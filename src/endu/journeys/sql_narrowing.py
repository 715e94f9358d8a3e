"""Which event types a SELECT can only be about: the ledger's order lets the others go unread.

Names of event types are not what the ledger stores, so a condition on them alone would read every
event. Nothing but a condition that has to hold of every row counts here, so nothing is lost.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlglot import exp

COLUMN = "event_type"


def event_types_asked_for(node: exp.Select, parameters: Mapping[str, Any]) -> list[str] | None:
    """The names that one of has to be the event_type of what FROM names; None where any may be."""
    where, source = node.args.get("where"), node.args["from_"].this
    if where is None or not isinstance(source, exp.Table) or not _counts_every_row(node):
        return None
    called = source.alias_or_name
    for condition in _that_must_hold(where.this):
        names = _names_in(condition, called, bool(node.args.get("joins")), parameters)
        if names is not None:
            return names
    return None


def _counts_every_row(node: exp.Select) -> bool:
    """Whether `event_type` can only be the view's: nothing selected goes by that name."""
    renamed = any(
        each.alias == COLUMN for each in [*node.find_all(exp.Alias), *node.find_all(exp.CTE)]
    )
    return not renamed


def _that_must_hold(condition: exp.Expr) -> Iterator[exp.Expr]:
    while isinstance(condition, exp.Paren):
        condition = condition.this
    if isinstance(condition, exp.And):
        yield from _that_must_hold(condition.this)
        yield from _that_must_hold(condition.expression)
    else:
        yield condition


def _names_in(
    condition: exp.Expr, called: str, joined: bool, parameters: Mapping[str, Any]
) -> list[str] | None:
    if isinstance(condition, exp.EQ):
        column, others = condition.this, [condition.expression]
    elif isinstance(condition, exp.In) and condition.expressions:
        column, others = condition.this, condition.expressions
    else:
        return None
    if not isinstance(column, exp.Column) or column.name != COLUMN:
        return None
    if column.table != called and (column.table or joined):
        return None
    if len(column.parts) > 2:
        return None
    texts = [_text(each, parameters) for each in others]
    # No event type is named "": that is what a JOIN puts where there was no event.
    return [str(text) for text in texts] if all(texts) else None


def _text(node: exp.Expr, parameters: Mapping[str, Any]) -> str | None:
    if isinstance(node, exp.Literal) and node.is_string:
        return str(node.this)
    if isinstance(node, exp.Placeholder) and isinstance(parameters.get(node.name), str):
        return str(parameters[node.name])
    return None
