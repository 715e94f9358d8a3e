"""A write or an fsync of the log that fails is never answered with a 200; the next one may be.

The door's system calls are made to fail by strace, attached to it.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.running import door_of, running
from tests.test_disk_trouble import (
    RECOVERS_WITHIN_SECONDS,
    Sender,
    everything_kept_is_there_once,
    until,
)

REQUESTS = 12
SYNC = "fsync,fdatasync"  # whichever SQLite was built to use


@contextmanager
def failing(process: int, call: str, error: str, when: str, told: Path) -> Iterator[None]:
    """Every `when` of that call, in any thread of the process, fails; `told` lists them all."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    inject = f"inject={call}:error={error}:when={when}"
    command = [strace, "-f", "-qqq", "-e", f"trace={call}", "-e", inject, "-o", str(told)]
    with subprocess.Popen([*command, "-p", str(process)]) as tracing:
        try:
            until(lambda: is_traced(process) or tracing.poll() is not None, 10)
            if tracing.poll() is not None:
                pytest.skip("strace may not attach to a process here")
            yield
        finally:
            tracing.terminate()


def is_traced(process: int) -> bool:
    """Every thread of it."""
    threads = list(Path(f"/proc/{process}/task").iterdir())
    return all("TracerPid:\t0\n" not in (each / "status").read_text() for each in threads)


@pytest.mark.parametrize(
    ("call", "error", "when"),
    [
        (SYNC, "EIO", "1+"),
        (SYNC, "EIO", "3+2"),
        (SYNC, "ENOSPC", "2+3"),
        ("pwrite64", "EIO", "2+5"),
        ("pwrite64", "ENOSPC", "4+"),
    ],
)
def test_no_200_after_a_write_or_an_fsync_that_failed(
    tmp_path: Path, call: str, error: str, when: str
) -> None:
    told = tmp_path / "calls"
    with running(tmp_path / "data") as server, server.client() as client:
        sender = Sender(server, client, server.secret_key)
        assert sender.send().status_code == 200
        with failing(door_of(server.process), call, error, when, told):
            for _ in range(REQUESTS):
                before = failures_in(told)
                answer = sender.send()
                assert answer.status_code in (200, 503), answer.text
                if failures_in(told) > before and call == SYNC:
                    assert answer.status_code == 503 or succeeded_last(told)
        assert failures_in(told) > 0
        if when.endswith("+"):  # from then on everything failed
            assert len(sender.kept) < REQUESTS
        until(lambda: sender.send().status_code == 200, RECOVERS_WITHIN_SECONDS)
        everything_kept_is_there_once(sender)


def failures_in(told: Path) -> int:
    return told.read_text().count("(INJECTED)") if told.exists() else 0


def succeeded_last(told: Path) -> bool:
    """A request that is refused at the door is tried again by whoever is behind it."""
    return "(INJECTED)" not in told.read_text().splitlines()[-1]
