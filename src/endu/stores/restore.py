"""Putting a backup into a directory of its own, after every byte of it was checked."""

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import msgspec

from endu.announcements import CannotRun, Progress
from endu.stores.backup import (
    MANIFEST,
    OPERATOR_KEY,
    READ_AT_ONCE,
    CopiedFile,
    Manifest,
    copy,
    make_empty,
)
from endu.stores.data_directory import DataDirectory
from endu.stores.files import sync_names
from endu.stores.segments import DIRECTORY

_SEGMENT = re.compile(rf"{DIRECTORY}/[0-9.-]+\.zst")


def put_back(backup: Path, root: Path, progress: Progress) -> Manifest:
    """Makes `root`, which must be empty or not be there, of a backup. Directory and ledger are
    left to be made again. The inbox comes last: without it nothing starts on the rest. Raises
    CannotRun, before anything is written where the backup is not as it was made."""
    manifest = read_manifest(backup)
    files = sorted(manifest.files, key=lambda file: file.name == DataDirectory(root).inbox.name)
    _check(backup, files, progress)
    make_empty(root)
    (root / DIRECTORY).mkdir(mode=0o700)
    try:
        for number, file in enumerate(files, 1):
            for _ in copy(backup / file.name, root / file.name, file.mode):
                pass
            progress("copying", number, len(files))
            sync_names((root / file.name).parent)
    except OSError as problem:
        raise CannotRun(f"{root} is not whole, remove it: {problem}") from problem
    return manifest


def read_manifest(backup: Path) -> Manifest:
    """Raises CannotRun where there is none, or not one of ours."""
    path = backup / MANIFEST
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except OSError as problem:
        raise CannotRun(
            f"{path} cannot be read ({problem.strerror}): this is no backup, or not a whole one."
        ) from problem
    except msgspec.MsgspecError as problem:
        raise CannotRun(f"{path} is not as it was written: {problem}.") from problem
    inbox = DataDirectory(backup).inbox.name
    databases = {inbox, DataDirectory(backup).registry.name}
    known = {*databases, OPERATOR_KEY}
    names = [file.name for file in manifest.files]
    if not databases <= set(names) or not all(n in known or _SEGMENT.fullmatch(n) for n in names):
        raise CannotRun(f"{path} names other files than a backup has.")
    return manifest


def _check(backup: Path, files: list[CopiedFile], progress: Progress) -> None:
    done, total = 0, sum(file.bytes for file in files)
    for file in files:
        digest = sha256()
        try:
            for piece in _pieces(backup / file.name):
                digest.update(piece)
                done += len(piece)
                progress("checking", done, total)
        except OSError as problem:
            raise CannotRun(f"{backup / file.name}: {problem.strerror}.") from problem
        if digest.hexdigest() != file.sha256:
            raise CannotRun(
                f"{backup / file.name} is not as it was when the backup was made; "
                "nothing was written."
            )


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(READ_AT_ONCE):
            yield piece
