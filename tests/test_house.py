"""The house keeps its own rules."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LONGEST_FILE, LONGEST_FUNCTION = 300, 40
SHAPELESS = {"utils", "util", "common", "helpers", "core", "services", "models", "managers", "misc"}

SOURCE = sorted((ROOT / "src").rglob("*.py"))
BENCHMARKS = sorted((ROOT / "benchmarks").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


every_file = pytest.mark.parametrize("path", [*SOURCE, *BENCHMARKS, *TESTS], ids=named)
every_file_that_runs = pytest.mark.parametrize("path", [*SOURCE, *BENCHMARKS], ids=named)


@every_file
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= LONGEST_FILE
    for function in functions_in(ast.parse(text)):
        assert function.end_lineno is not None
        assert function.end_lineno - function.lineno < LONGEST_FUNCTION, function.name


@every_file_that_runs
def test_a_file_says_what_it_is_for(path: Path) -> None:
    text = path.read_text()
    assert not text or ast.get_docstring(ast.parse(text))


@every_file
def test_a_file_says_at_its_top_what_it_needs(path: Path) -> None:
    tree = ast.parse(path.read_text())
    for function in functions_in(tree):
        inside = [n for n in ast.walk(function) if isinstance(n, ast.Import | ast.ImportFrom)]
        assert not inside, f"{function.name} imports"
    assert "TYPE_CHECKING" not in {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}


@every_file
def test_a_name_says_what_it_holds(path: Path) -> None:
    assert not SHAPELESS & {part.removesuffix(".py") for part in path.relative_to(ROOT).parts}


@every_file
def test_only_one_sqlite_is_ever_opened(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert "sqlite3" not in {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module != "sqlite3"


@every_file_that_runs
def test_nothing_is_left_for_later(path: Path) -> None:
    text = path.read_text()
    assert not [mark for mark in ("TODO", "FIXME", "XXX", "HACK") if mark in text]


def functions_in(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
