"""A short run on a real server, as anybody would start it."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import msgspec
import pytest

from endu.torture.history import Began, read_history
from tests.running import CLEAN, ENDU, endu

LONG = int(os.environ.get("ENDU_LONG", "1"))


def test_kills_power_cuts_and_flips_break_no_promise(tmp_path: Path) -> None:
    work = tmp_path / "work"
    done = endu(
        "torture", "--kills", str(25 * LONG), "--power-cuts", str(5 * LONG),
        "--flips", str(5 * LONG), "--seed", "1", "--minutes", str(10 * LONG),
        "--keep", str(work), "--json",
        timeout=900 * LONG,
    )  # fmt: skip
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    broken = {row["what"]: row["which"] for row in report["rows"] if row["must_be_none"]}
    assert {what: which for what, which in broken.items() if which} == {}
    assert done.returncode == 0
    assert sum(report["kills"].values()) == 25 * LONG
    assert report["power_cuts"] == 5 * LONG or "Power cuts are left out" in report["notices"][0]
    assert report["rows"][0]["what"] == "acknowledged"
    assert report["rows"][0]["count"] > 500
    assert isinstance(next(read_history(work / "history.jsonl")), Began)


def test_ctrl_c_ends_it_with_what_was_found_so_far(tmp_path: Path) -> None:
    work = tmp_path / "work"
    command = [ENDU, "torture", "--kills", "1000", "--power-cuts", "0", "--flips", "0",
               "--keep", str(work), "--json"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=CLEAN) as running:
        _wait_for_the_first_fault(work / "history.jsonl", running)
        running.send_signal(signal.SIGINT)
        report = json.loads(running.communicate(timeout=120)[0])
    assert running.returncode == 0
    assert 0 < sum(report["kills"].values()) < 1_000
    assert report["notices"][-1].startswith("Ended before all was done")


def _wait_for_the_first_fault(history: Path, running: subprocess.Popen[str]) -> None:
    while running.poll() is None:
        if history.exists() and b'"what":"fault"' in history.read_bytes():
            return
        time.sleep(0.1)


def test_a_directory_that_is_there_is_not_written_into(tmp_path: Path) -> None:
    done = endu("torture", "--keep", str(tmp_path))
    assert done.returncode == 2
    assert "name a new directory" in done.stderr


def test_a_line_that_is_none_of_a_history_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text('{"what": "dreamt"}\n')
    with pytest.raises(msgspec.DecodeError):
        list(read_history(path))
