"""SQL: one SELECT of an analyst's own, over views of the organization's events and people.

The statement is read, held construct by construct to what is allowed, and written again over the
views; what the caller sent is never run. Who may see what is thereby a matter of one list.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlglot import exp

from endu.events.ledger import CannotAnswer, Table
from endu.journeys.sources import Sources
from endu.journeys.sql_columns import names_said
from endu.journeys.sql_errors import explained
from endu.journeys.sql_expressions import EXPRESSIONS
from endu.journeys.sql_reading import read_statement, refused
from endu.journeys.sql_select import SELECTS
from endu.journeys.sql_views import Told, Views
from endu.journeys.sql_writing import Writer
from endu.refusals import Problem, Reason, Refusal

ROWS_AT_MOST = 100_000

_WRITERS = {**EXPRESSIONS, **SELECTS}


class SqlQuestion(Struct, frozen=True):
    """`parameters` are what `{name:Type}` stands for in the statement."""

    sql: str
    parameters: Mapping[str, Any]
    rows_at_most: int = ROWS_AT_MOST


class SqlAnswer(Struct, frozen=True):
    """`truncated`: there would have been more rows than were asked for at most."""

    table: Table
    truncated: bool


class Rebuilt(Struct, frozen=True):
    """What is asked of the ledger in place of a caller's statement."""

    sql: str
    values: dict[str, Any]


async def ask_sql(question: SqlQuestion, sources: Sources) -> SqlAnswer:
    """Raises Refusal, with a problem at `sql` or `parameters`, or the ledger's TooDear."""
    organization_id = sources.organization_id
    await sources.people.tell_numbers(sources.ledger)
    visited = await sources.people.visited(organization_id)
    told = Told(organization_id, sources.catalog.all(organization_id), visited)
    rebuilt = await asyncio.to_thread(rebuild, question, told)
    try:
        table = await sources.ledger.table(rebuilt.sql, rebuilt.values)
    except CannotAnswer as fault:
        raise refused(explained(fault.code, str(fault))) from fault
    truncated = table.rows > question.rows_at_most
    table = replace(table, names=tuple(name.rstrip() for name in table.names))  # see Writer.column
    return SqlAnswer(table.first(question.rows_at_most), truncated)


def rebuild(question: SqlQuestion, told: Told) -> Rebuilt:
    """The statement over the organization's views, with one row more than may be answered.
    Raises Refusal."""
    statement = read_statement(question.sql)
    views = Views(told, _names_identifiers(statement))
    writer = Writer(_WRITERS, views, question.parameters, names_said(statement))
    try:
        text = _bounded(writer, statement, question.rows_at_most + 1)
    except RecursionError as fault:
        raise refused("The statement is nested too deeply") from fault
    unused = sorted(question.parameters.keys() - writer.used)
    if unused:
        problems = [Problem(f"parameters.{name}", "The statement has no such.") for name in unused]
        said = f"The statement has no parameter {unused[0]}."
        raise Refusal(Reason.INVALID_QUESTION, said, problems=problems)
    bound = views.values.bound
    used = {name: value for name, value in bound.items() if f"{{{name}:" in text}
    return Rebuilt(text, used)


def _bounded(writer: Writer, statement: exp.Query, rows: int) -> str:
    """With a LIMIT of ours outside, unless the statement's own is as small."""
    while isinstance(statement, exp.Subquery) and isinstance(statement.this, exp.Query):
        if len([each for each in statement.args.values() if each]) > 1:
            break
        statement = statement.this
    text = writer.write(statement)
    limit = statement.args.get("limit")
    offset = statement.args.get("offset")
    if isinstance(statement, exp.Select) and limit is None and offset is None:
        return f"{text} LIMIT {rows}"
    if limit is not None and _is_small(limit, rows):
        return text
    return f"SELECT * FROM ({text}) LIMIT {rows}"


def _is_small(limit: exp.Expr, rows: int) -> bool:
    count = limit.expression
    if limit.expressions or not isinstance(count, exp.Literal) or not count.is_int:
        return False
    return int(count.this) <= rows


def _names_identifiers(statement: exp.Query) -> bool:
    """Whose identifiers are whose is dear to find out: only where it may be asked for."""
    if any(True for _ in statement.find_all(exp.Star)):
        return True
    return any(each.name == "identifiers" for each in statement.find_all(exp.Column))
