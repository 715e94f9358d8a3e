"""What `endu doctor` looks at: each check says what it found, and what to change."""

import fcntl
import os
import re
import resource
import stat
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from statistics import median

from msgspec import Struct
from pysqlite3 import dbapi2 as sqlite

from endu import __version__
from endu.settings import Settings
from endu.stores.data_directory import DataDirectory
from endu.stores.disk import reserve_of, space_of
from endu.stores.sqlite import OLDEST_SAFE, Error

SYNCS = 20
SLOW_SYNC_MS = 20  # each commit waits for one: senders notice
UNBELIEVABLE_SYNC_MS = 0.01  # no disk is as fast as its own cache
FORGETFUL = ("tmpfs", "ramfs")
REMOTE = ("nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs")
CLOCK_APART_SECONDS = 2.0
FIRST_POSSIBLE = 1_735_689_600  # 2025: before that, a clock was never set
FILES_AT_LEAST = 1024
CAP_SYS_NICE = 23  # a bit: capabilities(7)
MEMORY_AT_LEAST = 1 << 30  # at work the ledger takes 450 to 700 MB, a question up to 512 MB

VERSIONS = {
    "registry.db": "SELECT version_num FROM alembic_version",
    "directory.db": "SELECT version_num FROM alembic_version",
    "inbox.db": "SELECT value FROM meta WHERE name = 'version'",
}
SECRETS = ("operator.key", "inbox.db", "registry.db")


class Finding(Struct, frozen=True):
    """`change` is empty where all is well, or says what to do."""

    check: str
    found: str
    change: str = ""


def look_at(settings: Settings) -> Iterator[Finding]:
    """The directory need not be there yet: then its parent is looked at. Changes nothing."""
    data = DataDirectory(settings.data)
    nearest = settings.data.absolute()
    while not nearest.exists():
        nearest = nearest.parent
    yield _versions()
    yield _sqlite()
    yield _lock(data)
    yield from _schemas(data)
    yield from _secrets(data)
    yield _file_system(nearest)
    yield _free(nearest, settings)
    yield from _sync_and_clock(nearest)
    yield _open_files()
    yield _memory()
    yield _questions()


def _versions() -> Finding:
    python = ".".join(map(str, sys.version_info[:3]))
    return Finding("versions", f"Endu {__version__}, Python {python}, chDB {version('chdb')}")


def _sqlite() -> Finding:
    oldest = ".".join(map(str, OLDEST_SAFE))
    safe = sqlite.sqlite_version_info >= OLDEST_SAFE
    change = "" if safe else f"Install pysqlite3 with SQLite {oldest} or newer: this corrupts logs."
    return Finding("SQLite", sqlite.sqlite_version, change)


def _lock(data: DataDirectory) -> Finding:
    lock = data.root / "lock"
    if not lock.exists():
        return Finding("server", f"none has run on {data.root}")
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return Finding("server", f"one runs on {data.root}")
    return Finding("server", f"none runs on {data.root}")


def _schemas(data: DataDirectory) -> Iterator[Finding]:
    for name, sql in VERSIONS.items():
        path = data.root / name
        if path.exists():
            try:
                connection = sqlite.connect(f"file:{path}?mode=ro", uri=True)
                found = ", ".join(str(row[0]) for row in connection.execute(sql))
                connection.close()
                yield Finding(f"schema of {name}", found)
            except Error as problem:
                yield Finding(f"schema of {name}", str(problem), "Run `endu verify`.")


def _secrets(data: DataDirectory) -> Iterator[Finding]:
    if not data.root.exists():
        return
    open_root = data.root.stat().st_mode & (stat.S_IXGRP | stat.S_IXOTH)
    for name in SECRETS:
        path = data.root / name
        if path.exists():
            mode = stat.S_IMODE(path.stat().st_mode)
            readable = mode & (stat.S_IRGRP | stat.S_IROTH) and open_root
            change = f"chmod 700 {data.root} && chmod 600 {path}" if readable else ""
            yield Finding(f"mode of {name}", f"{mode:o}", change)


def _file_system(place: Path) -> Finding:
    kind = _kind_of_file_system(place)
    change = ""
    if kind in FORGETFUL:
        change = "It forgets everything when the power goes: put the data on a disk."
    elif kind in REMOTE:
        change = "Locks and fsync may not hold over a network: put the data on a local disk."
    return Finding("file system", kind, change)


def _kind_of_file_system(place: Path) -> str:
    """Of the mount point that is nearest; "unknown" where the system does not tell."""
    mounts = Path("/proc/self/mounts")
    if not mounts.exists():
        return "unknown"
    there = [line.split()[1:3] for line in mounts.read_text().splitlines()]
    above = [(len(point), kind) for point, kind in there if place.is_relative_to(point)]
    return max(above, default=(0, "unknown"))[1]


def _free(place: Path, settings: Settings) -> Finding:
    space = space_of(place)
    reserve = reserve_of(space, settings.disk_reserve_megabytes << 20, 0)
    inodes = f", {space.files_free:,} inodes" if space.files_total else ""
    found = f"{space.bytes_free >> 20:,} MB{inodes}; {reserve.bytes >> 20:,} MB stay free"
    return Finding("free space", found, reserve.lacks(space))


def _sync_and_clock(place: Path) -> Iterator[Finding]:
    probe = place / f".endu-doctor-{os.getpid()}"
    try:
        descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as problem:
        yield Finding("fsync", str(problem.strerror), f"Make {place} writable for this user.")
        return
    try:
        began, wall = time.monotonic(), time.time()
        took = [_timed(lambda: _write_and_sync(descriptor)) for _ in range(SYNCS)]
        apart = abs((time.time() - wall) - (time.monotonic() - began))
        written_apart = abs(os.fstat(descriptor).st_mtime - time.time())
    finally:
        os.close(descriptor)
        probe.unlink()
    yield _sync(median(took), max(took))
    yield _clock(max(apart, written_apart))


def _write_and_sync(descriptor: int) -> None:
    os.write(descriptor, bytes(4096))
    os.fsync(descriptor)


def _timed(work: Callable[[], None]) -> float:
    """Milliseconds."""
    began = time.monotonic()
    work()
    return (time.monotonic() - began) * 1000


def _sync(usual_ms: float, longest_ms: float) -> Finding:
    change = ""
    if usual_ms > SLOW_SYNC_MS:
        change = "Each acknowledgement waits for one: a faster disk answers sooner."
    elif usual_ms < UNBELIEVABLE_SYNC_MS:
        change = "No disk is that fast: it says that it wrote and did not. Use one that does."
    return Finding("fsync", f"{usual_ms:.2f} ms usually, {longest_ms:.2f} ms at most", change)


def _clock(apart_seconds: float) -> Finding:
    found = f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())} UTC, {apart_seconds:.3f} s apart"
    wrong = apart_seconds > CLOCK_APART_SECONDS or time.time() < FIRST_POSSIBLE
    return Finding("clock", found, "Let NTP set this machine's clock." if wrong else "")


def _open_files() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    change = "" if hard >= FILES_AT_LEAST else f"Allow more: ulimit -n {FILES_AT_LEAST}."
    return Finding("open files", f"{soft:,} (up to {hard:,})", change)


def _questions() -> Finding:
    if questions_step_back():
        return Finding("questions", "long ones step back behind recording")
    return Finding("questions", "compete with recording for processors (no CAP_SYS_NICE)")


def questions_step_back() -> bool:
    """Whether a process of this user may set the priority of its threads as it likes."""
    status = Path("/proc/self/status")
    found = re.search(r"^CapEff:\s*(\w+)$", status.read_text(), re.M) if status.exists() else None
    return found is not None and bool(int(found[1], 16) >> CAP_SYS_NICE & 1)


def _memory() -> Finding:
    """What the machine has, or the control group allows, whichever is less."""
    bounds = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    allowed = Path("/sys/fs/cgroup/memory.max")
    if allowed.exists() and (text := allowed.read_text().strip()).isdecimal():
        bounds.append(int(text))
    change = "" if min(bounds) >= MEMORY_AT_LEAST else "Give it a gigabyte at the least."
    return Finding("memory", f"{min(bounds) >> 20:,} MB", change)
