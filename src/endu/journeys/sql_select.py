"""How each allowed kind of SELECT is written again: over the organization's views, nothing else."""

from typing import Any

from sqlglot import exp

from endu.journeys.sql_columns import named
from endu.journeys.sql_reading import refused
from endu.journeys.sql_views import VIEWS
from endu.journeys.sql_writing import WriteNode, Writer, name, only, own_name

_SELECT = (
    "with_", "expressions", "distinct", "from_", "joins", "where", "group", "having", "qualify",
    "windows", "order", "limit", "offset",
)  # fmt: skip
_JOINS = {
    "", "INNER", "CROSS", "LEFT", "LEFT OUTER", "RIGHT", "RIGHT OUTER", "FULL", "FULL OUTER",
    "LEFT ANY", "RIGHT ANY", "INNER ANY", "ANY", "LEFT SEMI", "LEFT ANTI", "RIGHT SEMI",
    "RIGHT ANTI", "SEMI", "ANTI", "ASOF", "LEFT ASOF",
}  # fmt: skip
_FRAME_EDGES = {"UNBOUNDED", "CURRENT ROW"}


def _select(w: Writer, node: exp.Select) -> str:
    only(node, *_SELECT)
    w.scope.append({})
    try:
        parts = [_with(w, node.args.get("with_"))]
        distinct = node.args.get("distinct")
        parts.append("SELECT" if distinct is None else _select_distinct(w, distinct))
        parts.append(", ".join(named(w, each) for each in node.expressions))
        parts.append(_from(w, node))
        for part, word in (("where", "WHERE"), ("having", "HAVING"), ("qualify", "QUALIFY")):
            if part == "having":
                parts.append(_group(w, node.args.get("group")))
            if part == "qualify":
                parts.append(_windows(w, node.args.get("windows") or []))
            parts.append(_condition(w, node.args.get(part), word))
        parts += [_order(w, node.args.get("order")), _limit(w, node)]
        return " ".join(part for part in parts if part)
    finally:
        w.scope.pop()


def _select_distinct(w: Writer, node: exp.Distinct) -> str:
    only(node, "on")
    on = node.args.get("on")
    return "SELECT DISTINCT" + (f" ON ({w.all(on.expressions)})" if on is not None else "")


def _with(w: Writer, node: exp.With | None) -> str:
    """Each name is given another one: none can stand for a table, or for a file."""
    if node is None:
        return ""
    only(node, "expressions")
    written = []
    for each in node.expressions:
        only(each, "this", "alias", "scalar")
        alias = each.args.get("alias")
        if alias is None or alias.args.get("columns"):
            raise refused("WITH is written: name AS (SELECT …), or value AS name", each)
        called = alias.this
        if each.args.get("scalar"):
            written.append(f"{w.write(each.this)} AS {own_name(called.this, called)}")
            continue
        if called.this in VIEWS:
            raise refused(f"{called.this} is a view; give what WITH defines another name", called)
        inner = w.write(each.this)
        given = f"`endu with {w.next_number()}`"
        w.scope[-1][called.this] = given
        written.append(f"{given} AS ({inner})")
    return f"WITH {', '.join(written)}"


def _from(w: Writer, node: exp.Select) -> str:
    source = node.args.get("from_")
    joins = node.args.get("joins") or []
    if source is None:
        if joins:
            raise refused("There is a JOIN without FROM", node)
        return ""
    only(source, "this")
    return " ".join([f"FROM {_source(w, source.this)}", *(_join(w, each) for each in joins)])


def _source(w: Writer, node: exp.Expr) -> str:
    """A view, something that WITH defined, or a SELECT in parentheses."""
    if isinstance(node, exp.Subquery):
        only(node, "this", "alias")
        if not isinstance(node.this, exp.Query):
            raise refused("In parentheses stands a SELECT", node)
        return f"({w.write(node.this)}){_as(node.args.get('alias'))}"
    if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
        raise refused("Behind FROM and JOIN stand views, or SELECTs in parentheses", node)
    if node.args.get("db") is not None or node.args.get("catalog") is not None:
        raise refused(f"There are no other databases here: the views are {', '.join(VIEWS)}", node)
    only(node, "this", "alias")
    called = node.this.this
    alias = node.args.get("alias")
    found = next((scope[called] for scope in reversed(w.scope) if called in scope), None)
    found = found or w.views.named(called)
    if found is None:
        raise refused(f"There is no {called[:60]}: the views are {', '.join(VIEWS)}", node)
    return f"{found}{_as(alias) if alias is not None else f' AS {name(node.this)}'}"


def _as(alias: Any) -> str:
    if alias is None:
        return ""
    only(alias, "this")
    return f" AS {name(alias.this)}"


def _join(w: Writer, node: exp.Join) -> str:
    if node.kind == "ARRAY":
        only(node, "this", "expressions", "side", "kind")
        if node.side not in ("", "LEFT"):
            raise refused("ARRAY JOIN may be LEFT, and nothing else", node)
        arrays = w.all([node.this, *node.expressions])
        return f"{'LEFT ' if node.side else ''}ARRAY JOIN {arrays}"
    only(node, "this", "side", "kind", "on", "using")
    kind = f"{node.side} {node.kind}".strip()
    if kind not in _JOINS:
        raise refused(f"{kind} JOIN is not allowed", node)
    written = f"{kind} JOIN {_source(w, node.this)}".strip()
    if node.args.get("on") is not None:
        written += f" ON {w.write(node.args['on'])}"
    if using := node.args.get("using"):
        columns = (each.this if isinstance(each, exp.Column) else each for each in using)
        written += f" USING ({', '.join(w.column(each) for each in columns)})"
    return written


def _condition(w: Writer, node: exp.Expr | None, word: str) -> str:
    if node is None:
        return ""
    only(node, "this")
    return f"{word} {w.write(node.this)}"


def _group(w: Writer, node: exp.Group | None) -> str:
    if node is None:
        return ""
    only(node, "expressions", "all", "rollup", "cube")
    if node.args.get("all"):
        return "GROUP BY ALL"
    keys = w.all(node.expressions)
    for mode in ("rollup", "cube"):
        for each in node.args.get(mode) or []:
            keys = f"{mode.upper()}({w.all(each.expressions)})" if each.expressions else (
                f"{keys} WITH {mode.upper()}"
            )  # fmt: skip
    return f"GROUP BY {keys}"


def _windows(w: Writer, nodes: list[exp.Window]) -> str:
    if not nodes:
        return ""
    written = []
    for node in nodes:
        only(node, "this", "partition_by", "order", "spec")
        written.append(f"{name(node.this)} AS ({_window_text(w, node)})")
    return f"WINDOW {', '.join(written)}"


def _window(w: Writer, node: exp.Window) -> str:
    only(node, "this", "partition_by", "order", "spec", "alias", "over")
    called = node.args.get("alias")
    over = name(called) if called is not None else f"({_window_text(w, node)})"
    return f"{w.write(node.this)} OVER {over}"


def _window_text(w: Writer, node: exp.Window) -> str:
    parts = []
    if by := node.args.get("partition_by"):
        parts.append(f"PARTITION BY {w.all(by)}")
    parts += [_order(w, node.args.get("order")), _frame(w, node.args.get("spec"))]
    return " ".join(part for part in parts if part)


def _frame(w: Writer, node: exp.WindowSpec | None) -> str:
    if node is None:
        return ""
    only(node, "kind", "start", "start_side", "end", "end_side")
    kind = str(node.args.get("kind") or "ROWS").upper()
    if kind not in ("ROWS", "RANGE"):
        raise refused("A frame is ROWS or RANGE", node)
    start = _edge(w, node, "start")
    end = _edge(w, node, "end") if node.args.get("end") else "CURRENT ROW"
    return f"{kind} BETWEEN {start} AND {end}"


def _edge(w: Writer, node: exp.WindowSpec, which: str) -> str:
    edge, side = node.args.get(which), str(node.args.get(f"{which}_side") or "").upper()
    text = w.write(edge) if isinstance(edge, exp.Literal) else str(edge).upper()
    known = isinstance(edge, exp.Literal) and edge.is_int or text in _FRAME_EDGES
    if not known or side not in ("", "PRECEDING", "FOLLOWING"):
        raise refused("A frame begins and ends a number of rows away, or UNBOUNDED", node)
    return f"{text} {side}".strip()


def _nulls(w: Writer, node: exp.IgnoreNulls | exp.RespectNulls) -> str:
    only(node, "this")
    word = "IGNORE" if isinstance(node, exp.IgnoreNulls) else "RESPECT"
    return f"{w.write(node.this)} {word} NULLS"


def _order(w: Writer, node: exp.Order | None) -> str:
    if node is None:
        return ""
    only(node, "expressions")
    return f"ORDER BY {', '.join(_ordered(w, each) for each in node.expressions)}"


def _ordered(w: Writer, node: exp.Ordered) -> str:
    only(node, "this", "desc", "nulls_first", "with_fill")
    written = w.write(node.this) + (" DESC" if node.args.get("desc") else "")
    written += " NULLS FIRST" if node.args.get("nulls_first") else ""
    fill = node.args.get("with_fill")
    if fill is None:
        return written
    only(fill, "from_", "to", "step")
    parts = (("from_", "FROM"), ("to", "TO"), ("step", "STEP"))
    edges = [f"{word} {w.write(fill.args[part])}" for part, word in parts if fill.args.get(part)]
    return " ".join([written, "WITH FILL", *edges])


def _limit(w: Writer, node: exp.Query) -> str:
    limit, offset = node.args.get("limit"), node.args.get("offset")
    written = ""
    if limit is not None:
        only(limit, "expression", "expressions")
        written = f"LIMIT {w.write(limit.expression)}"
    if offset is not None:
        only(offset, "expression", "expressions")
        written += f" OFFSET {w.write(offset.expression)}"
    by = [*(limit.expressions if limit else []), *(offset.expressions if offset else [])]
    return f"{written} BY {w.all(by)}" if by else written


def _set_operation(w: Writer, node: exp.SetOperation) -> str:
    """What stands behind the last SELECT belongs to all of them where it is in no parentheses."""
    only(node, "this", "expression", "distinct", "with_", "order", "limit", "offset")
    w.scope.append({})
    try:
        before = _with(w, node.args.get("with_"))
        words = type(node).__name__.upper()
        if node.args.get("distinct"):
            words += " DISTINCT"
        elif words == "UNION":
            words += " ALL"
        both = f"({w.write(node.this)}) {words} ({w.write(node.expression)})"
        behind = " ".join(
            part for part in (_order(w, node.args.get("order")), _limit(w, node)) if part
        )
        if behind:
            both = f"SELECT * FROM ({both}) {behind}"
        return f"{before} {both}".strip()
    finally:
        w.scope.pop()


def _subquery(w: Writer, node: exp.Subquery) -> str:
    only(node, "this")
    if not isinstance(node.this, exp.Query):
        raise refused("In parentheses stands a SELECT", node)
    return f"({w.write(node.this)})"


def _exists(w: Writer, node: exp.Exists) -> str:
    only(node, "this")
    if not isinstance(node.this, exp.Query):
        raise refused("EXISTS goes with a SELECT", node)
    return f"EXISTS ({w.write(node.this)})"


SELECTS: dict[type[exp.Expr], WriteNode] = {
    exp.Select: _select,
    exp.Union: _set_operation,
    exp.Intersect: _set_operation,
    exp.Except: _set_operation,
    exp.Subquery: _subquery,
    exp.Exists: _exists,
    exp.Window: _window,
    exp.IgnoreNulls: _nulls,
    exp.RespectNulls: _nulls,
}
