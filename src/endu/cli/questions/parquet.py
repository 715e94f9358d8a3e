"""Rows as a Parquet file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def write(rows: Sequence[dict[str, Any]], file: Path) -> None:
    """A column's type is that of its values. Raises OSError."""
    with file.open("wb") as there:
        pq.write_table(pa.Table.from_pylist(list(rows)), there)
