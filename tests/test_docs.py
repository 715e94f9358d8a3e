"""The documents tell the truth: their commands run, their links lead somewhere."""

import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import CLEAN, ENDU, running

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
TESTED = re.compile(r"<!-- tested -->\n```sh\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
PROVED = re.compile(r"\[(test_\w+)\]\((tests/[\w/]+\.py)\)")
BLOCKS = [
    (str(path.relative_to(ROOT)), number, block)
    for path in DOCUMENTS
    for number, block in enumerate(TESTED.findall(path.read_text()), 1)
]


@pytest.fixture(scope="module")
def beside_a_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where a newcomer stands: `endu up` runs on ./endu-data, and the documents are there."""
    here = tmp_path_factory.mktemp("newcomer")
    (here / "docs").symlink_to(ROOT / "docs")
    with running(here / "endu-data"):
        yield here


@pytest.mark.parametrize(("document", "number", "block"), BLOCKS, ids=lambda part: str(part)[:40])
def test_a_command_that_is_shown_works(
    beside_a_server: Path, document: str, number: int, block: str
) -> None:
    path = f"{Path(ENDU).parent}{os.pathsep}{CLEAN['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=beside_a_server,
        env={**CLEAN, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, f"{document}, block {number}: {done.stdout}{done.stderr}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in LINK.findall(path.read_text()):
        file, _, heading = target.partition("#")
        if "://" in target:
            continue
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), f"{target} does not exist"
        if heading:
            assert heading in headings_of(there), f"{target}: no such heading"


def test_every_promise_names_tests_that_exist() -> None:
    promises = PROVED.findall((ROOT / "README.md").read_text())
    assert promises
    for name, file in promises:
        assert re.search(rf"def {name}\(", (ROOT / file).read_text()), f"{name} is not in {file}"


def test_the_import_directions_that_are_told_are_those_that_are_checked() -> None:
    (contract, *_) = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
    layers = "\n".join(layer.replace("endu.", "") for layer in contract["layers"])
    assert f"```\n{layers}\n```" in (ROOT / "docs" / "architecture.md").read_text()


def headings_of(path: Path) -> set[str]:
    """As GitHub names them."""
    lines = [line.lstrip("# ") for line in path.read_text().splitlines() if line.startswith("#")]
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}
