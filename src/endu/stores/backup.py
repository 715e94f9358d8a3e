"""A copy of what cannot be made again, taken while the server runs: the log, the registry, the
operator key. Directory and ledger follow from the log.

The copy is of one point: the inbox as it was between two commits, the segments that came before
it, and a registry that is younger, so that it knows whatever the log speaks of.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

from endu import __version__
from endu.announcements import CannotRun, Damage, Progress
from endu.events.inbox import LogUnreadable
from endu.stores.data_directory import DataDirectory
from endu.stores.files import sync_names
from endu.stores.log_reader import LogReader
from endu.stores.segments import DIRECTORY, Segment, Segments
from endu.stores.sqlite import Error, connect

MANIFEST = "manifest.json"
OPERATOR_KEY = "operator.key"
READ_AT_ONCE = 1 << 20
DOING = "copying"


class CopiedFile(Struct, frozen=True):
    """A file of a backup, by its name in there. `mode` are the permissions that it had."""

    name: str
    bytes: int
    sha256: str
    mode: int


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    """What a backup holds. Written last: without one it is not whole."""

    endu: str  # the version that made it
    made_at_ms: int
    log_end: int  # the last place
    files: tuple[CopiedFile, ...]


class BackedUp(Struct, frozen=True):
    """`damage` is what was damaged before, and is so in the copy, too."""

    files: int
    bytes: int
    log_end: int
    damage: tuple[Damage, ...]


def back_up(root: Path, target: Path, now_ms: Callable[[], int], progress: Progress) -> BackedUp:
    """Makes `target`, which must be empty or not be there. Returns once all of it would survive a
    power cut. Raises CannotRun."""
    data = DataDirectory(root)
    if not data.inbox.exists():
        raise CannotRun(f"{root} holds no Endu; name its directory with --data.")
    make_empty(target)
    try:
        copying = _Copying(data, target, progress)
        copying.copy_log()
        copying.copy_database(data.registry)
        if (root / OPERATOR_KEY).exists():
            copying.copy_file(root / OPERATOR_KEY, OPERATOR_KEY)
    except (OSError, Error, LogUnreadable) as problem:
        raise CannotRun(f"The backup failed and is not whole: {problem}") from problem
    manifest = Manifest(__version__, now_ms(), copying.log_end, tuple(copying.files))
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    _write(target / MANIFEST, text)
    sync_names(target)
    size = sum(file.bytes for file in copying.files)
    return BackedUp(len(copying.files), size, copying.log_end, tuple(copying.damage))


def make_empty(target: Path) -> None:
    """Makes a directory that its owner alone may read. Raises CannotRun where something is in
    it."""
    try:
        target.mkdir(parents=True, exist_ok=True)
        target.chmod(0o700)
        sync_names(target.parent)
        if any(target.iterdir()):
            raise CannotRun(f"{target} is not empty; name a directory that is not there yet.")
    except OSError as problem:
        raise CannotRun(f"{target} cannot be written: {problem.strerror}.") from problem


def copy(source: Path, target: Path, mode: int) -> Iterator[bytes]:
    """Its bytes, piece by piece, while they are written. At the end the file, though not its name,
    would survive a power cut."""
    with source.open("rb") as read:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as written:
            os.fchmod(descriptor, mode)
            while piece := read.read(READ_AT_ONCE):
                written.write(piece)
                yield piece
            written.flush()
            os.fsync(descriptor)


class _Copying:
    """How far a backup has come."""

    def __init__(self, data: DataDirectory, target: Path, progress: Progress) -> None:
        self._data = data
        self._target = target
        self._progress = progress
        self._copied_bytes, self._all_bytes = 0, _size_of(data)
        self.log_end = 0
        self.files: list[CopiedFile] = []
        self.damage: list[Damage] = []

    def copy_log(self) -> None:
        """The inbox first: what it says is sealed is in segments by then, and stays there."""
        inbox = self._vacuum(self._data.inbox)
        with closing(LogReader(inbox)) as log:
            sealed, self.log_end = log.sealed(), log.end()
        self._note(inbox, self._data.inbox)
        self._copy_segments(sealed)

    def copy_database(self, path: Path) -> None:
        self._note(self._vacuum(path), path)

    def copy_file(self, path: Path, name: str) -> None:
        digest, size, mode = sha256(), 0, path.stat().st_mode & 0o777
        for piece in copy(path, self._target / name, mode):
            digest.update(piece)
            size += len(piece)
            self._went_on(len(piece))
        self.files.append(CopiedFile(name, size, digest.hexdigest(), mode))

    def _vacuum(self, path: Path) -> Path:
        """One state of the database, between two commits, as a file without gaps."""
        copied = self._target / path.name
        with closing(connect(path)) as database:
            database.execute("VACUUM INTO ?", (str(copied),))
        return copied

    def _note(self, copied: Path, original: Path) -> None:
        """Of a file that SQLite wrote: it syncs nothing itself."""
        digest, mode = sha256(), original.stat().st_mode & 0o777
        with copied.open("rb") as file:
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
            while piece := file.read(READ_AT_ONCE):
                digest.update(piece)
                self._went_on(len(piece))
        size = copied.stat().st_size
        self.files.append(CopiedFile(copied.name, size, digest.hexdigest(), mode))

    def _copy_segments(self, until: int) -> None:
        segments, copied = Segments(self._data.root), Segments(self._target)
        copied.directory.mkdir(mode=0o700)
        after = 0
        while segment := segments.behind(after):
            if segment.first > until:
                break
            if self._copied(segments, segment):
                after = segment.last
        sync_names(copied.directory)
        self.damage += [Damage(where, what) for where, what in copied.damage(until)]

    def _copied(self, segments: Segments, segment: Segment) -> bool:
        """False where it was just written again, without what was erased: that one counts."""
        try:
            path = segments.directory / segment.name
            self.copy_file(path, f"{DIRECTORY}/{segment.name}")
        except FileNotFoundError:
            return False
        return True

    def _went_on(self, size: int) -> None:
        self._copied_bytes += size
        self._progress(DOING, self._copied_bytes, max(self._all_bytes, self._copied_bytes))


def _size_of(data: DataDirectory) -> int:
    databases = data.inbox.stat().st_size + data.registry.stat().st_size
    return databases + Segments(data.root).size_bytes()


def _write(path: Path, text: bytes) -> None:
    with path.open("wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text + b"\n")
        file.flush()
        os.fsync(file.fileno())
