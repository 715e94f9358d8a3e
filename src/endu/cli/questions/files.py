"""An answer as a table for other programs: CSV, and Parquet."""

import csv
import io
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from endu.cli.stop import FAILED, Stop
from endu.web.sql_values import harmless

Row = dict[str, Any]


class Parquet(Protocol):
    """What is asked of `endu.cli.questions.parquet`, loaded when it is: Arrow takes its time."""

    def write(self, rows: Sequence[Row], file: Path) -> None: ...


def as_csv(rows: Sequence[Row]) -> str:
    """With a head. No cell is one that a spreadsheet would run."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if rows:
        writer.writerow([harmless(name) for name in rows[0]])
    writer.writerows([_cell(value) for value in row.values()] for row in rows)
    return text.getvalue()


def write_parquet(rows: Sequence[Row], file: Path) -> None:
    """Raises Stop."""
    try:
        cast(Parquet, import_module("endu.cli.questions.parquet")).write(rows, file)
    except OSError as problem:
        raise Stop(f"{file} cannot be written: {problem.strerror}.", FAILED) from problem


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return harmless(value) if isinstance(value, str) else value
