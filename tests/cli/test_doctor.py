"""`endu doctor` tells what a machine and a directory are fit for, and what to change."""

import json
from pathlib import Path
from typing import Any

from endu.cli.checkup import Finding, _clock, _sync
from tests.running import endu, running
from tests.small_disk import fill, small_disk


def told_of(data: Path, exit_code: int | None = None) -> dict[str, Any]:
    said = endu("doctor", "--data", str(data), "--json")
    answer = json.loads(said.stdout)
    assert said.returncode == (0 if answer["well"] else 1)
    assert exit_code in (None, said.returncode)
    return {finding["check"]: finding for finding in answer["findings"]}


def test_a_directory_that_a_server_runs_on_is_looked_at_without_disturbing_it(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    assert told_of(data)["server"]["found"] == f"none has run on {data}"
    assert not data.exists()
    with running(data):
        told = told_of(data)
        assert told["server"]["found"] == f"one runs on {data}"
        assert told["schema of inbox.db"]["change"] == ""
        assert told["mode of operator.key"] == {
            "check": "mode of operator.key",
            "found": "600",
            "change": "",
        }
    assert told_of(data)["server"]["found"] == f"none runs on {data}"


def test_a_secret_that_others_can_read_is_to_be_changed(tmp_path: Path) -> None:
    key = tmp_path / "operator.key"
    key.write_text("endu_ok_x")
    key.chmod(0o644)
    tmp_path.chmod(0o755)
    assert told_of(tmp_path, 1)["mode of operator.key"]["change"].endswith(f"chmod 600 {key}")


def test_a_full_disk_and_one_that_forgets_are_to_be_changed(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 16) as disk:
        fill(disk, leave_bytes=1 << 20)
        told = told_of(disk, 1)
    assert "have to be; make space" in told["free space"]["change"]
    assert "forgets everything" in told["file system"]["change"]


def test_people_get_a_table_and_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "directory.db").write_text("no database")
    said = endu("doctor", "--data", str(tmp_path))
    assert said.returncode == 1
    assert "fsync" in said.stdout
    assert "schema of directory.db" in said.stderr


def test_a_slow_disk_one_that_lies_and_a_wrong_clock_are_told() -> None:
    assert _sync(1.5, 9).change == ""
    assert "faster" in _sync(35, 90).change
    assert "did not" in _sync(0.001, 0.002).change
    assert isinstance(_clock(0.1), Finding)
    assert "NTP" in _clock(3600).change
