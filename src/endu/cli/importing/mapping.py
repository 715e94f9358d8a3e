"""The mapping file: which column of a table means what in an event (docs/import.md)."""

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from endu.cli.stop import USAGE, Stop

# One-letter separators only: that is what the csv module splits at.
Delimiter = Annotated[str, Meta(min_length=1, max_length=1)]


class Form(Struct, frozen=True, forbid_unknown_fields=True):
    """How the text falls into columns. `spaces`: any run of blanks parts two of them.

    `columns` names them where the file has no header line.
    """

    format: Literal["csv", "spaces"] = "csv"
    delimiter: Delimiter = ","
    columns: tuple[str, ...] = ()


class Column(Struct, frozen=True, forbid_unknown_fields=True):
    """One column's text, and what is made of it, in this order: digits taken, names put for
    values, case changed, prefix put before."""

    column: str
    take: Literal["all", "digits"] = "all"
    values: dict[str, str] = {}
    case: Literal["keep", "upper", "lower"] = "keep"
    prefix: str = ""


class Time(Struct, frozen=True, forbid_unknown_fields=True):
    """`format`: iso, unix (seconds), unix_ms, or a pattern of strptime. `timezone` is that of
    times which do not name their own."""

    column: str
    format: str = "iso"
    timezone: str = "UTC"


class Value(Struct, frozen=True, forbid_unknown_fields=True):
    """A field of event_data; empty text leaves it out."""

    column: str
    type: Literal["string", "number", "integer", "boolean"] = "string"


Text: TypeAlias = str | Column  # the same text for every row, or a column's


class EventForm(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields of seed 000. Of those that name a person at least one has to be there."""

    property_id: Text
    event_type: Text
    timestamp: Time
    p_user_id: Text | None = None
    platform_type: Text | None = None
    c_user_id: Text | None = None
    fingerprint: Text | None = None
    chain_type: Text | None = None
    chain_account: Text | None = None


class Mapping(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`message_id`: the columns that tell one row from all others, for files that grow; without
    it a row is told by the file's content and its place there."""

    file: Form = Form()
    event: EventForm
    event_data: dict[str, Value] = {}
    message_id: tuple[str, ...] = ()


def read_mapping(path: Path) -> Mapping:
    try:
        mapping = msgspec.toml.decode(path.read_bytes(), type=Mapping)
    except OSError as problem:
        raise Stop(f"The mapping {path} cannot be read: {problem.strerror}.", USAGE) from problem
    except msgspec.DecodeError as mistake:
        raise Stop(f"The mapping {path} is not right: {mistake}.", USAGE) from mistake
    if not _names_someone(mapping.event):
        raise Stop(
            f"The mapping {path} names nobody: give c_user_id, p_user_id with platform_type, "
            "chain_account with chain_type, or fingerprint.",
            USAGE,
        )
    return mapping


def columns_of(mapping: Mapping) -> set[str]:
    """Every column that the mapping speaks of."""
    event = (getattr(mapping.event, name) for name in EventForm.__struct_fields__)
    said = [*event, *mapping.event_data.values()]
    named = {part.column for part in said if isinstance(part, Column | Time | Value)}
    return named | set(mapping.message_id)


def _names_someone(event: EventForm) -> bool:
    platform = event.p_user_id is not None and event.platform_type is not None
    wallet = event.chain_account is not None and event.chain_type is not None
    return platform or wallet or event.c_user_id is not None or event.fingerprint is not None
