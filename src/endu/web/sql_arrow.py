"""An answer to SQL as Arrow and as Parquet: every value under the nearest type that holds it."""

import re
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from endu.events.ledger import Table
from endu.web.sql_values import distinct, plain

_NAMED = re.compile(r"[`\w]+ (?=[A-Z])")  # a part of a Tuple that has a name

_SIMPLE = {
    **{f"Int{bits}": getattr(pa, f"int{bits}")() for bits in (8, 16, 32, 64)},
    **{f"UInt{bits}": getattr(pa, f"uint{bits}")() for bits in (8, 16, 32, 64)},
    "Float32": pa.float32(),
    "Float64": pa.float64(),
    "Bool": pa.bool_(),
    "Date": pa.date32(),
    "Date32": pa.date32(),
    "DateTime": pa.timestamp("s", "UTC"),
    "Nothing": pa.null(),
}
_UNITS = ((0, "s"), (3, "ms"), (6, "us"), (9, "ns"))


def as_arrow(table: Table) -> bytes:
    """The stream format of Arrow's IPC."""
    arrow = _arrow(table)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, arrow.schema) as stream:
        stream.write_table(arrow)
    return bytes(sink.getvalue())


def as_parquet(table: Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(_arrow(table), sink, compression="zstd")
    return bytes(sink.getvalue())


def arrow_type(kind: str) -> Any:
    """For the name of a ClickHouse type; text for what Arrow has no type for."""
    name, parts = _parted(kind)
    if name in ("Nullable", "LowCardinality"):
        return arrow_type(parts[0])
    if name == "Array":
        return pa.list_(arrow_type(parts[0]))
    if name == "Map":
        return pa.map_(arrow_type(parts[0]), arrow_type(parts[1]))
    if name == "Tuple":
        return pa.struct([(str(n), arrow_type(part)) for n, part in enumerate(parts, 1)])
    if name == "Decimal":
        digits, scale = int(parts[0]), int(parts[1])
        return pa.decimal128(digits, scale) if digits <= 38 else pa.decimal256(digits, scale)
    if name == "DateTime64":
        return pa.timestamp(next(unit for most, unit in _UNITS if int(parts[0]) <= most), "UTC")
    return pa.int64() if name.startswith("Interval") else _SIMPLE.get(name, pa.string())


def _arrow(table: Table) -> Any:
    kinds = [arrow_type(kind) for kind in table.types]
    arrays = [
        pa.array([_fitting(value, kind) for value in column], kind)
        for kind, column in zip(kinds, table.columns, strict=True)
    ]
    return pa.Table.from_arrays(arrays, names=distinct(table.names))


def _fitting(value: Any, kind: Any) -> Any:
    """As Arrow wants to have it for the type."""
    if value is None:
        return None
    if pa.types.is_string(kind):
        return value if isinstance(value, str) else str(plain(value))
    if pa.types.is_list(kind):
        return [_fitting(each, kind.value_type) for each in value]
    if pa.types.is_map(kind):
        return [
            (_fitting(key, kind.key_type), _fitting(each, kind.item_type))
            for key, each in value.items()
        ]
    if pa.types.is_struct(kind):
        parts = value.values() if isinstance(value, dict) else value
        return {str(n): _fitting(each, kind[n - 1].type) for n, each in enumerate(parts, 1)}
    return value


def _parted(kind: str) -> tuple[str, list[str]]:
    """ "Map(String, Array(Int8))" is Map of "String" and "Array(Int8)"."""
    name, opened, inner = kind.partition("(")
    parts: list[str] = []
    depth = 0
    for piece in re.split(r"([(),])", inner[:-1]) if opened else []:
        if piece == "," and depth == 0:
            parts.append("")
            continue
        depth += (piece == "(") - (piece == ")")
        parts = [*parts[:-1], parts[-1] + piece] if parts else [piece]
    return name, [_NAMED.sub("", part.strip(), count=1) for part in parts]
