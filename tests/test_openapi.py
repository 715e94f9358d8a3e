"""The OpenAPI file says what is so: its examples fit, and whatever fits it is answered as it says.

Schemathesis sends what the file allows, and what it forbids, to a server in a process of its own.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from jsonschema import Draft202012Validator

from endu.web.api import every_endpoint
from endu.web.endpoint import Description
from endu.web.examples import ANSWERS, BODIES, PARAMETERS
from endu.web.recording import RECORD, RECORD_BATCH
from tests.running import Running, running

DESCRIBED = [RECORD, RECORD_BATCH, *(each.description for each in every_endpoint())]
SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))
EXAMPLES = "15"
WITHIN_SECONDS = 300

# What an identifier, a cursor or a schema is cannot all be said in JSON Schema, so something that
# fits the file may still be refused. A batch answers for each of its lines, whatever they are.
CONFIG = """
[checks]
positive_data_acceptance.enabled = false

[[operations]]
include-path = "/events/record/batch"
checks.negative_data_rejection.enabled = false
"""

each_endpoint = pytest.mark.parametrize("described", DESCRIBED, ids=lambda each: each.name)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("openapi")) as started:
        yield started


@pytest.fixture(scope="module")
def document(server: Running) -> Any:
    return httpx.get(f"{server.address}/openapi.json").json()


def test_schemathesis_finds_nothing(server: Running, document: Any, tmp_path: Path) -> None:
    """The file is told one thing more: which organization and event type there are to record
    for. Otherwise every generated event would be turned down at the first look."""
    event = document["components"]["schemas"]["NewEvent"]["properties"]
    event["organization_id"] = {"const": server.organization_id}
    event["event_type"] = {"const": "BEGIN_EVENT"}
    told = tmp_path / "openapi.json"
    told.write_bytes(msgspec.json.encode(document))
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    operator = (server.data / "operator.key").read_text().strip()
    done = subprocess.run(
        [
            *(SCHEMATHESIS, "run", str(told), "--url", server.address, "--no-color"),
            *("--header", f"Authorization: Bearer {operator}"),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES),
            "--generation-deterministic",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN_SECONDS,
    )
    assert done.returncode == 0, done.stdout[-10_000:]
    assert f"Operations:       {len(DESCRIBED)} selected" in done.stdout, done.stdout[:2_000]


def test_the_file_is_openapi_3_1_with_schemas_that_are_schemas(document: Any) -> None:
    assert document["openapi"].startswith("3.1")
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_reference_leads_somewhere(document: Any) -> None:
    def references(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            if "$ref" in value:
                yield value["$ref"]
            for inner in value.values():
                yield from references(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from references(inner)

    names = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) <= names


@each_endpoint
def test_an_endpoint_has_examples_that_fit_its_types(described: Description) -> None:
    if described.body is not None:
        assert BODIES[described.name]
        for body in BODIES[described.name].values():
            fits(body, described.body)
    if not described.is_raw:
        fits(ANSWERS[described.name], described.answer)


def fits(example: Any, kind: Any) -> None:
    msgspec.json.decode(msgspec.json.encode(example), type=kind)


def test_no_example_is_of_something_else() -> None:
    names = {described.name for described in DESCRIBED}
    parameters = {field.name for each in DESCRIBED for field in msgspec.structs.fields(each.query)}
    assert BODIES.keys() <= names
    assert ANSWERS.keys() <= names
    assert PARAMETERS.keys() <= parameters


@each_endpoint
def test_an_endpoint_says_who_may_call_it_and_how_it_refuses(
    document: Any, described: Description
) -> None:
    operation = document["paths"][described.path][described.method.lower()]
    assert operation["summary"].endswith(".")
    assert (operation["security"] == []) == (described.needs is None)
    refused = set(operation["responses"]) - {"200"}
    assert "500" in refused
    if described.needs is not None:
        assert {"401", "403"} <= refused
    for status in refused:
        content = operation["responses"][status]["content"]["application/json"]
        codes = content["schema"]["properties"]["error"]["enum"]
        assert set(content["examples"]) == set(codes)
