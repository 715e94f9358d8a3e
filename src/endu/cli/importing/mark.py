"""How far an import got, so that an interrupted one goes on there.

The mark only saves time: rows that were sent and not marked are duplicates when they are sent
again. It is kept beside the data that it speaks of, and goes when the import is through.
"""

import hashlib
import os
from pathlib import Path

import msgspec
from msgspec import Struct

from endu.cli.importing.mapping import Mapping


class Mark(Struct, frozen=True):
    """Rows up to `rows` are answered for."""

    rows: int = 0


def mark_file(directory: Path, organization_id: str, digest: str, mapping: Mapping | None) -> Path:
    """Another mapping or organization is another import."""
    said = msgspec.json.encode([organization_id, digest, mapping])
    return directory / f"{hashlib.sha256(said).hexdigest()[:32]}.json"


def read_mark(path: Path) -> Mark:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Mark)
    except (FileNotFoundError, msgspec.DecodeError):
        return Mark()


def write_mark(path: Path, mark: Mark) -> None:
    """The former mark stands until the new one is whole."""
    path.parent.mkdir(exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(mark))
    os.replace(fresh, path)
