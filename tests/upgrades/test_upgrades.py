"""A directory of every version since the first is opened by this one, and answers as it did."""

import re
import tarfile
from pathlib import Path

import pytest

from endu import __version__
from tests.running import endu, running
from tests.upgrades.make import EVENTS, PEOPLE

HERE = Path(__file__).parent
ARCHIVES = sorted(HERE.glob("*.tar.gz"))
CHANGELOG = (HERE.parent.parent / "CHANGELOG.md").read_text()


def test_every_version_that_was_released_has_its_directory() -> None:
    told = set(re.findall(r"^## ([0-9.]+)$", CHANGELOG, re.MULTILINE))
    kept = {archive.name.removesuffix(".tar.gz") for archive in ARCHIVES}
    assert told - {__version__} <= kept


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.name)
def test_a_directory_of_an_earlier_version_answers_as_it_did(tmp_path: Path, archive: Path) -> None:
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    data = tmp_path / "data"
    with running(data) as server:
        asked = ("trend", "ITEM_PURCHASED", "--from", "2023-11-01", "--to", "2023-12-01")
        answer = server.json(*asked, "--measure", "people", "--interval", "month")
        assert [row["value"] for row in answer["series"][0]["points"]] == [PEOPLE]
        assert len(server.json("failed", "list")) == 1
        assert {each["event_type"] for each in server.json("event-types", "list")} >= {
            "ITEM_PURCHASED"
        }
    verified = endu("verify", "--data", str(data), "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert f'"events":{EVENTS}' in verified.stdout
