"""How each allowed kind of expression is written again."""

import re
from typing import Any

from sqlglot import exp

from endu.journeys.sql_allowed import UNITS, aggregate_named, function_named
from endu.journeys.sql_columns import COLUMNS
from endu.journeys.sql_parameters import bound_parameter
from endu.journeys.sql_reading import refused
from endu.journeys.sql_writing import WriteNode, Writer, name, only, own_name, spoken

_NUMBER = re.compile(r"[0-9]{1,80}(?:\.[0-9]{1,80})?(?:[eE][+-]?[0-9]{1,3})?")

_INFIX = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
    exp.EQ: "=",
    exp.NEQ: "!=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.And: "AND",
    exp.Or: "OR",
    exp.DPipe: "||",
    exp.Like: "LIKE",
    exp.ILike: "ILIKE",
    exp.NullSafeEQ: "<=>",
}


def _infix(w: Writer, node: exp.Binary) -> str:
    only(node, "this", "expression", "safe", "typed")
    return f"({w.write(node.this)} {_INFIX[type(node)]} {w.write(node.expression)})"


def _intdiv(w: Writer, node: exp.IntDiv) -> str:
    only(node, "this", "expression")
    return f"intDiv({w.write(node.this)}, {w.write(node.expression)})"


def _xor(w: Writer, node: exp.Xor) -> str:
    only(node, "this", "expression", "expressions")
    return f"xor({w.all(node.expressions or [node.this, node.expression])})"


def _not(w: Writer, node: exp.Not) -> str:
    only(node, "this")
    return f"(NOT {w.write(node.this)})"


def _negative(w: Writer, node: exp.Neg) -> str:
    only(node, "this")
    return f"(-{w.write(node.this)})"


def _paren(w: Writer, node: exp.Paren) -> str:
    only(node, "this")
    return f"({w.write(node.this)})"


def _is(w: Writer, node: exp.Is) -> str:
    only(node, "this", "expression")
    if not isinstance(node.expression, exp.Null):
        raise refused("IS goes with NULL and NOT NULL", node)
    return f"isNull({w.write(node.this)})"


def _between(w: Writer, node: exp.Between) -> str:
    only(node, "this", "low", "high")
    low, high = w.write(node.args["low"]), w.write(node.args["high"])
    return f"({w.write(node.this)} BETWEEN {low} AND {high})"


def _in(w: Writer, node: exp.In) -> str:
    """On the right the engine takes a name for a table's: names do not go there."""
    only(node, "this", "expressions", "query", "field")
    query, field = node.args.get("query"), node.args.get("field")
    if query is not None:
        return f"({w.write(node.this)} IN {w.write(query)})"
    members = [field] if field is not None else node.expressions
    for member in members:
        if found := member.find(exp.Column, exp.Identifier, exp.Query):
            raise refused(
                "Behind IN stand values or (SELECT …); for an array there is has()", found
            )
    if isinstance(field, exp.Placeholder | exp.Array):
        return f"({w.write(node.this)} IN {w.write(field)})"
    if field is not None or not members:
        raise refused("Behind IN stand values or (SELECT …)", node)
    return f"({w.write(node.this)} IN ({w.all(members)}))"


def _if(w: Writer, node: exp.If) -> str:
    only(node, "this", "true", "false")
    return f"if({w.all([node.this, node.args['true'], node.args['false']])})"


def _case(w: Writer, node: exp.Case) -> str:
    only(node, "this", "ifs", "default")
    parts = ["CASE"] + ([w.write(node.this)] if node.this else [])
    for each in node.args["ifs"]:
        only(each, "this", "true")
        parts.append(f"WHEN {w.write(each.this)} THEN {w.write(each.args['true'])}")
    if node.args.get("default") is not None:
        parts.append(f"ELSE {w.write(node.args['default'])}")
    return f"({' '.join(parts)} END)"


def _identifier(w: Writer, node: exp.Identifier) -> str:
    return name(node)


def _literal(w: Writer, node: exp.Literal) -> str:
    only(node, "this", "is_string")
    text = str(node.this)
    if node.is_string:
        return w.text(text)
    if not _NUMBER.fullmatch(text):
        raise refused("This is not a number", node)
    return text


def _boolean(w: Writer, node: exp.Boolean) -> str:
    return "true" if node.this else "false"


def _null(w: Writer, node: exp.Null) -> str:
    return "NULL"


def _array(w: Writer, node: exp.Array) -> str:
    only(node, "expressions")
    return f"[{w.all(node.expressions)}]"


def _tuple(w: Writer, node: exp.Tuple) -> str:
    only(node, "expressions")
    return f"tuple({w.all(node.expressions)})"


def _bracket(w: Writer, node: exp.Bracket) -> str:
    only(node, "this", "expressions", "offset")
    return f"arrayElement({w.all([node.this, *node.expressions])})"


def _concat(w: Writer, node: exp.Concat) -> str:
    only(node, "expressions", "safe", "coalesce")
    return f"concat({w.all(node.expressions)})"


def _interval(w: Writer, node: exp.Interval) -> str:
    only(node, "this", "unit")
    unit = _unit(node.args.get("unit"), node)
    count = node.this
    if isinstance(count, exp.Literal) and count.is_string:
        if not re.fullmatch(r"-?[0-9]{1,9}", str(count.this)):
            raise refused("An interval is a whole number of a unit", node)
        return f"toInterval{unit.title()}({count.this})"
    return f"toInterval{unit.title()}({w.write(count)})"


def _extracted(w: Writer, node: exp.Extract) -> str:
    only(node, "this", "expression")
    return f"EXTRACT({_unit(node.this, node)} FROM {w.write(node.expression)})"


def _unit(unit: Any, node: exp.Expr) -> str:
    said = str(unit.this).upper().removesuffix("S") if isinstance(unit, exp.Var) else ""
    if said not in UNITS:
        raise refused(f"A unit is one of {', '.join(UNITS).lower()}", node)
    return said


def _lambda(w: Writer, node: exp.Lambda) -> str:
    only(node, "this", "expressions")
    if found := node.this.find(exp.Query):
        raise refused("A SELECT inside of -> is not allowed", found)
    names = ", ".join(name(each) for each in node.expressions)
    return f"(({names}) -> {w.write(node.this)})"


def _alias(w: Writer, node: exp.Alias) -> str:
    only(node, "this", "alias")
    alias = node.args["alias"]
    return f"{w.write(node.this)} AS {own_name(alias.this, alias)}"


def _distinct(w: Writer, node: exp.Distinct) -> str:
    only(node, "expressions")
    return f"DISTINCT {w.all(node.expressions)}"


def _placeholder(w: Writer, node: exp.Placeholder) -> str:
    only(node, "this", "kind")
    return bound_parameter(w, node)


def _function(w: Writer, node: exp.Func) -> str:
    only(node, "this", "expressions")
    known = function_named(str(node.this)) if isinstance(node.this, str) else None
    if known is None:
        raise refused(f"The function {_called(node)} is not allowed", node)
    arguments = [each for each in node.expressions if not isinstance(each, exp.Star)]
    if known != "count" and len(arguments) != len(node.expressions):
        raise refused(f"* is not an argument of {known}", node)
    return f"{known}({w.all(arguments)})"


def _parametric(w: Writer, node: exp.Expr) -> str:
    """`quantile(0.9)(x)`: what stands first are constants."""
    only(node, "this", "expressions", "params")
    known = aggregate_named(str(node.this))
    if known is None:
        raise refused(f"The function {_called(node)} is not allowed", node)
    return f"{known}({w.all(node.expressions)})({w.all(node.args['params'])})"


def _called(node: exp.Expr) -> str:
    said = str(node.this)
    return said[:60] if said.isidentifier() else spoken(node)


EXPRESSIONS: dict[type[exp.Expr], WriteNode] = {
    **COLUMNS,
    **dict.fromkeys(_INFIX, _infix),
    exp.IntDiv: _intdiv,
    exp.Xor: _xor,
    exp.Not: _not,
    exp.Neg: _negative,
    exp.Paren: _paren,
    exp.Is: _is,
    exp.Between: _between,
    exp.In: _in,
    exp.If: _if,
    exp.Case: _case,
    exp.Identifier: _identifier,
    exp.Literal: _literal,
    exp.Boolean: _boolean,
    exp.Null: _null,
    exp.Array: _array,
    exp.Tuple: _tuple,
    exp.Bracket: _bracket,
    exp.Concat: _concat,
    exp.Interval: _interval,
    exp.Extract: _extracted,
    exp.Lambda: _lambda,
    exp.Alias: _alias,
    exp.Distinct: _distinct,
    exp.Placeholder: _placeholder,
    exp.Anonymous: _function,
    exp.AnonymousAggFunc: _function,
    exp.CombinedAggFunc: _function,
    exp.ParameterizedAgg: _parametric,
    exp.CombinedParameterizedAgg: _parametric,
}
