"""Writing a statement again, node by node: what no writer knows is refused.

A `Writer` is one rebuilding under way. The tables of writers (`sql_expressions`, `sql_select`) are
the list of what is allowed, and the only way from a caller's statement to the engine: names are
quoted, text goes beside the statement as a value, everything else comes from our own lists.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Set
from itertools import count
from typing import Any, TypeAlias

from sqlglot import exp

from endu.journeys.sql_allowed import COMPOUND_TYPES, TYPES
from endu.journeys.sql_reading import refused
from endu.journeys.sql_views import VIEWS, Views
from endu.journeys.values import Values

WriteNode: TypeAlias = Callable[["Writer", Any], str]

NAME_LENGTH = 100
VIEW_COLUMNS = frozenset(column for columns in VIEWS.values() for column in columns)

# Not what ends a quoted name, escapes in it, or looks like a placeholder.
_NAME = re.compile(r"[^\x00-\x1f\x7f`\\{}]+")
_ZONE = re.compile(r"[A-Za-z0-9_+/-]{1,64}")


class Writer:
    """`scope` has the names that WITH gave to SELECTs, innermost last, each with its new name.
    `said` are the names that the statement gives to values."""

    def __init__(
        self,
        writers: Mapping[type[exp.Expr], WriteNode],
        views: Views,
        parameters: Mapping[str, Any],
        said: Set[str],
    ) -> None:
        self.views = views
        self.parameters = parameters
        self.used: set[str] = set()  # of the parameters
        self.scope: list[dict[str, str]] = []
        self._writers = writers
        self._said = said
        self._numbers = count(1)

    @property
    def values(self) -> Values:
        return self.views.values

    def write(self, node: exp.Expr) -> str:
        """Raises Refusal where the node, or anything below it, is not allowed."""
        writer = self._writers.get(type(node))
        if writer is None:
            raise refused(f"{spoken(node)} is not allowed", node)
        return writer(self, node)

    def next_number(self) -> int:
        return next(self._numbers)

    def column(self, node: exp.Expr) -> str:
        """The name of a view's column or of a value.

        The engine takes a name that it does not find for a function's, `currentUser` for one; so
        there is none that it does not find, and a caller's own end with a space, as no function's.
        """
        written = name(node)
        if node.this in VIEW_COLUMNS:
            return written
        if node.this in self._said:
            return own_name(node.this, node)
        columns = ", ".join(VIEWS["events"])
        raise refused(f"There is no column {node.this}; events has {columns}", node)

    def all(self, nodes: Iterable[exp.Expr]) -> str:
        return ", ".join(self.write(node) for node in nodes)

    def text(self, value: str) -> str:
        """A string of the caller's, as a value beside the statement."""
        return self.values.add(value, "String")


def only(node: exp.Expr, *allowed: str) -> None:
    """Refuses a node that says more than its writer knows of."""
    for name, value in node.args.items():
        if name not in allowed and value not in (None, False, []):
            said = name.strip("_").replace("_", " ").upper()
            raise refused(f"{said} is not allowed in {spoken(node)}", node)


def name(node: exp.Expr) -> str:
    """An identifier, quoted."""
    if not isinstance(node, exp.Identifier):
        raise refused(f"A name is expected, not {spoken(node)}", node)
    only(node, "this", "quoted")
    return quoted(node.this, node)


def own_name(text: str, node: exp.Expr | None = None) -> str:
    """As a caller's name of a value is written where no view has a column of that name."""
    return quoted(text) if text in VIEW_COLUMNS else f"{quoted(text, node)[:-1]} `"


def quoted(text: str, node: exp.Expr | None = None) -> str:
    if len(text) > NAME_LENGTH or not _NAME.fullmatch(text) or text[-1] == " ":
        raise refused(
            f"A name has at most {NAME_LENGTH} characters and no `, \\, braces or control codes",
            node,
        )
    return f"`{text}`"


def type_text(node: Any) -> str:
    """A type, as CAST writes it: a name from our list, with numbers, a time zone, or such types."""
    if not isinstance(node, exp.DataType):
        raise refused("Write a type by its name, such as Float64", node)
    only(node, "this", "expressions", "nested", "nullable")
    if node.this in COMPOUND_TYPES:
        inner = ", ".join(type_text(each) for each in node.expressions)
        written = f"{COMPOUND_TYPES[node.this]}({inner})"
    elif node.this in TYPES:
        parameters = ", ".join(_type_parameter(each) for each in node.expressions)
        written = TYPES[node.this] + (f"({parameters})" if parameters else "")
    else:
        raise refused(f"The type {node.sql(dialect='clickhouse')} is not allowed", node)
    return f"Nullable({written})" if node.args.get("nullable") else written


def spoken(node: exp.Expr) -> str:
    """What a kind of node is called when it is refused."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", type(node).__name__)
    return words.upper()


def _type_parameter(node: exp.Expr) -> str:
    literal = node.this if isinstance(node, exp.DataTypeParam) else None
    text = str(literal.this) if isinstance(literal, exp.Literal) else ""
    if isinstance(literal, exp.Literal) and literal.is_string and _ZONE.fullmatch(text):
        return f"'{text}'"
    if text.isascii() and text.isdigit() and len(text) <= 3:
        return text
    raise refused("A type is given numbers or a time zone", node)
