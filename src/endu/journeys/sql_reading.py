"""From the text of a statement to its tree, or a refusal that says where the fault is."""

import re
from typing import Any, ClassVar

from sqlglot import exp, parse
from sqlglot.dialects.clickhouse import ClickHouse
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.parsers.clickhouse import ClickHouseParser

from endu.refusals import Problem, Reason, Refusal

LENGTH_AT_MOST = 20_000  # characters
NODES_AT_MOST = 5_000
DEPTH_AT_MOST = 150  # of the tree: what is written again has to be read again by the engine

_BEGINS = re.compile(r"\s*(?:\(|select\b|with\b|from\b)", re.IGNORECASE)


class Plain(ClickHouse):
    """ClickHouse's grammar with every function kept as it was called: nothing is translated."""

    INDEX_OFFSET = 0

    class Parser(ClickHouseParser):
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS = {
            name: ClickHouseParser.FUNCTION_PARSERS[name] for name in ("CAST", "EXTRACT")
        }
        NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = {}
        NO_PAREN_FUNCTION_PARSERS = {"CASE": ClickHouseParser.NO_PAREN_FUNCTION_PARSERS["CASE"]}


def read_statement(text: str) -> exp.Query:
    """The tree of one SELECT. Raises Refusal."""
    if len(text) > LENGTH_AT_MOST:
        raise refused(f"A statement is at most {LENGTH_AT_MOST:,} characters; this has {len(text)}")
    if "\0" in text:
        raise refused("There is a NUL character in the statement")
    if not _BEGINS.match(_without_comments(text)):
        raise refused("A statement is one SELECT, or WITH … SELECT")
    statements = _parsed(text)
    if len(statements) != 1:
        raise refused(f"Send one statement; this has {len(statements)}")
    (statement,) = statements
    if not isinstance(statement, exp.Query):
        raise refused("A statement is one SELECT, or WITH … SELECT")
    _must_be_of_bounded_size(statement)
    return statement


def refused(message: str, node: exp.Expr | None = None) -> Refusal:
    """INVALID_QUESTION about `sql`, with the place where it is known."""
    place = _place(node)
    text = f"{message}{f' (line {place[0]}, column {place[1]})' if place else ''}."
    problem = Problem("sql", text)
    return Refusal(Reason.INVALID_QUESTION, f"sql: {text}", problems=[problem])


def _parsed(text: str) -> list[exp.Expr]:
    try:
        return [each for each in parse(text, dialect=Plain) if each is not None]
    except ParseError as fault:
        raise _misread(fault) from fault
    except (SqlglotError, ValueError) as fault:
        said = "This is not SQL: a quote, a comment or a character is out of place"
        raise refused(said) from fault
    except RecursionError as fault:
        raise refused("The statement is nested too deeply") from fault


def _place(node: exp.Expr | None) -> tuple[int, int] | None:
    """Of the first part of it whose place is known: line, and column of its first character."""
    for part in node.walk() if node is not None else ():
        if "line" in part.meta:
            width = part.meta["end"] - part.meta["start"]
            return part.meta["line"], max(part.meta["col"] - width, 1)
    return None


def _misread(fault: ParseError) -> Refusal:
    (first, *_) = fault.errors or [{}]
    what = str(first.get("description") or "This is not SQL").rstrip(".")
    if "<class" in what or "sqlglot" in what:
        what = "Something is missing here"
    near = str(first.get("highlight") or "")[:60]
    if first.get("line"):
        what += f", at line {first['line']}, column {first['col']}"
    return refused(f"{what}, near “{near}”" if near else what)


def _must_be_of_bounded_size(statement: exp.Expr) -> None:
    depths = {id(statement): 1}
    for nodes, node in enumerate(statement.walk(), 1):
        if node.parent is not None and node is not statement:
            depth = depths[id(node)] = depths[id(node.parent)] + 1
            if depth > DEPTH_AT_MOST:
                raise refused("The statement is nested too deeply")
        if nodes > NODES_AT_MOST:
            raise refused(f"The statement has more than {NODES_AT_MOST:,} parts")


_COMMENT = re.compile(r"\s*(?:--[^\n]*(?:\n|\Z)|/\*.*?\*/)", re.DOTALL)


def _without_comments(text: str) -> str:
    """What stands behind the comments at the beginning."""
    while found := _COMMENT.match(text):
        text = text[found.end() :]
    return text
