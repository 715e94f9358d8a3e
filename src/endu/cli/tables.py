"""How answers are drawn for people: a table for many things, a list of facts for one."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

LONGEST_ID = 22  # characters


def table(
    items: Iterable[Mapping[str, Any]], columns: Sequence[str], heads: Sequence[str] = ()
) -> Table:
    """One line each, under the names that the items have in JSON too, or under `heads`."""
    rows = [[_cell(item.get(column)) for column in columns] for item in items]
    drawn = Table(box=SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(columns):
        cells = [row[place] for row in rows]
        whole = all(_is_copied(cell.plain) for cell in cells)
        width = max(map(len, cells), default=0) if whole else None
        head = heads[place] if heads else _words(column)
        drawn.add_column(Text(head), overflow="fold", no_wrap=whole, min_width=width)
    for row in rows:
        drawn.add_row(*row)
    return drawn


def facts(thing: Mapping[str, Any], *, exact: bool = False) -> RenderableType:
    """Each name with its value; below them a table for each list of things. `exact` names are
    shown as they are written in commands."""
    plain = Table.grid(padding=(0, 2))
    tables: list[RenderableType] = []
    for name, value in thing.items():
        if value and isinstance(value, list) and all(isinstance(each, dict) for each in value):
            tables += [Text(f"\n{_words(name)}", "bold"), table(value, list(value[0]))]
        else:
            plain.add_row(Text(name if exact else _words(name), "bold"), _cell(value))
    return Group(plain, *tables)


def _is_copied(text: str) -> bool:
    """Ids and numbers go into the next command: they stay in one piece."""
    return len(text) <= LONGEST_ID and text.isalnum()


def _words(name: str) -> str:
    return name.replace("_", " ")


def _cell(value: Any) -> Text:
    """Always plain text: what callers sent must not be read as markup."""
    if value is None or value == [] or value == {}:
        return Text("")
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, str | int | float):
        return Text(str(value))
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return Text(", ".join(value))
    return Text(json.dumps(value, ensure_ascii=False))
