"""A file's rows as events, each told from all others for ever by its message_id."""

import csv
import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec
from msgspec import Struct

from endu.cli.importing.events import BadRow, Event, Row, event_maker
from endu.cli.importing.mapping import Form, Mapping
from endu.cli.stop import USAGE, Stop

GZIP = b"\x1f\x8b"
CHUNK = 1 << 20
LONGEST_FIELD = 1 << 20  # the csv module's own limit of 128 KiB is less than an event may hold


class Content(Struct, frozen=True):
    """What was found in one pass over the file: what it is, and about how many rows it has."""

    digest: str  # of the text, so that packing it changes nothing
    lines: int


class ReadRow(Struct, frozen=True):
    """Row `number` (from 1) as an event, or with the reason why it is none."""

    number: int
    event: Event | None
    fault: str = ""
    text: str = ""


def content_of(path: Path) -> Content:
    digest, lines = hashlib.sha256(), 0
    with _open(path) as file:
        try:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                lines += chunk.count(b"\n")
        except (OSError, EOFError, zlib.error) as damage:
            raise Stop(f"{path} is damaged: {damage}.", USAGE) from damage
    return Content(digest.hexdigest(), lines)


def rows_of(path: Path, mapping: Mapping | None, digest: str) -> Iterator[ReadRow]:
    """Without a mapping each line is an event of seed 000 in JSON."""
    try:
        if mapping is None:
            yield from _lines_as_events(path, digest)
        else:
            yield from _table_as_events(path, mapping, digest)
    except (UnicodeDecodeError, csv.Error) as mistake:
        raise Stop(f"{path} is not a table in UTF-8: {mistake}.", USAGE) from mistake


def _open(path: Path) -> BinaryIO:
    try:
        with path.open("rb") as file:
            packed = file.read(len(GZIP)) == GZIP
        return cast(BinaryIO, gzip.open(path)) if packed else path.open("rb")
    except OSError as problem:
        raise Stop(f"{path} cannot be read: {problem.strerror}.", USAGE) from problem


def _lines_as_events(path: Path, digest: str) -> Iterator[ReadRow]:
    with _open(path) as file:
        number = 0
        for line in file:
            if line.isspace():
                continue
            number += 1
            try:
                event = msgspec.json.decode(line, type=dict[str, Any])
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as mistake:
                yield ReadRow(number, None, str(mistake), line.decode(errors="replace").strip())
            else:
                event.setdefault("message_id", _message_id(digest, number))
                yield ReadRow(number, event)


def _table_as_events(path: Path, mapping: Mapping, digest: str) -> Iterator[ReadRow]:
    with _open(path) as file, TextIOWrapper(file, "utf-8-sig", newline="") as text:
        rows = _split(text, mapping.file)
        columns = list(mapping.file.columns) or next(rows, [])
        event_of = event_maker(mapping, columns)
        identify = _identify(mapping, columns, digest)
        for number, row in enumerate(rows, 1):
            try:
                event = event_of(row)
            except BadRow as bad:
                yield ReadRow(number, None, str(bad), mapping.file.delimiter.join(row))
            else:
                event["message_id"] = identify(number, row)
                yield ReadRow(number, event)


def _split(text: TextIOWrapper, form: Form) -> Iterator[list[str]]:
    """Empty lines are no rows."""
    if form.format == "spaces":
        return (cells for line in text if (cells := line.split()))
    csv.field_size_limit(LONGEST_FIELD)
    return (cells for cells in csv.reader(text, delimiter=form.delimiter) if cells)


def _identify(mapping: Mapping, columns: list[str], digest: str) -> Callable[[int, Row], str]:
    if not mapping.message_id:
        return lambda number, row: _message_id(digest, number)
    places = [columns.index(name) for name in mapping.message_id]

    def identify(_number: int, row: Row) -> str:
        said = "\x1f".join(row[place] for place in places)
        return "row:" + hashlib.sha256(said.encode()).hexdigest()

    return identify


def _message_id(digest: str, number: int) -> str:
    """32 hexadecimal digits tell files apart; the whole has to stay below 100 characters."""
    return f"file:{digest[:32]}:{number}"
