"""Schemas of event_data: the seed's small language, and JSON Schema that cannot hurt."""

import time
from typing import Any

import pytest

from endu.event_types.data_schema import compile_schema
from endu.event_types.json_schema import DIALECT
from endu.event_types.registrar import try_schema
from endu.refusals import Reason, Refusal

WITHIN_SECONDS = 1

SEED = {
    "key_1": "string",
    "key_2": "array",
    "key_3": "number",
    "key_4": {"sub_key_1": "string"},
}
FITS: dict[str, Any] = {"key_1": "a", "key_2": [], "key_3": 1.5, "key_4": {"sub_key_1": "b"}}


def violations(schema: Any, data: dict[str, Any]) -> list[str]:
    return [f"{found.path} {found.message}" for found in compile_schema(schema)(data)]


def faults(schema: Any) -> list[str]:
    with pytest.raises(Refusal) as refused:
        compile_schema(schema)
    assert refused.value.reason is Reason.INVALID_SCHEMA
    return [problem.path for problem in refused.value.problems]


def test_the_published_schema_takes_what_fits_it() -> None:
    assert violations(SEED, FITS) == []
    assert violations(SEED, FITS | {"more": 1}) == []


def test_every_violation_is_named_by_its_path() -> None:
    data = {"key_1": 1, "key_2": {}, "key_4": {}}
    assert violations(SEED, data) == [
        "event_data.key_1 is a string",
        "event_data.key_2 is an array",
        "event_data.key_3 is missing",
        "event_data.key_4.sub_key_1 is missing",
    ]
    assert violations({"a": {"b": "any"}}, {"a": 1}) == ["event_data.a is an object"]


@pytest.mark.parametrize(
    ("word", "right", "wrong"),
    [
        ("string", ["", "a"], [1, None, []]),
        ("number", [1, -1.5, 10**30], ["1", True, None]),
        ("integer", [1, 2.0, 10**30], [1.5, True, "1"]),
        ("boolean", [True, False], [0, "true", None]),
        ("array", [[], [1]], [{}, "[]", None]),
        ("any", [None, 1, {}, []], []),
    ],
)
def test_a_word_of_the_small_language(word: str, right: list[Any], wrong: list[Any]) -> None:
    assert [value for value in right if violations({"a": word}, {"a": value})] == []
    assert [value for value in wrong if not violations({"a": word}, {"a": value})] == []


def test_a_question_mark_lets_a_key_be_missing_but_not_wrong() -> None:
    assert violations({"a?": "string"}, {}) == []
    assert violations({"a?": "string"}, {"a": 1}) == ["event_data.a is a string"]


@pytest.mark.parametrize(
    ("schema", "paths"),
    [
        ([], ["event_data_schema"]),
        ("string", ["event_data_schema"]),
        ({"a": "text", "b": {"c": 1}}, ["event_data_schema.a", "event_data_schema.b.c"]),
        ({"a": "string", "a?": "string"}, ["event_data_schema.a?"]),
        ({"a": "x" * 40_000}, ["event_data_schema"]),
    ],
)
def test_a_schema_in_no_known_language_is_refused(schema: Any, paths: list[str]) -> None:
    assert faults(schema) == paths


def test_a_schema_nested_beyond_reason_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(900):
        schema = {"a": schema}
    assert faults(schema) == ["event_data_schema"]
    assert faults({"$schema": DIALECT, "properties": schema}) == ["event_data_schema"]


def json_schema(**keywords: Any) -> dict[str, Any]:
    return {"$schema": DIALECT} | keywords


def test_json_schema_is_known_by_its_dialect() -> None:
    schema = json_schema(
        type="object",
        properties={"price": {"type": "number", "minimum": 0}, "tags": {"uniqueItems": True}},
        required=["price"],
    )
    assert violations(schema, {"price": 1, "tags": ["a", "b"]}) == []
    assert violations(schema, {"tags": ["a", "a"]}) == [
        "event_data.tags has equal items",
        "event_data 'price' is a required property",
    ]
    assert faults({"$schema": "http://json-schema.org/draft-07/schema#"})


def test_a_reference_inside_the_schema_is_followed() -> None:
    schema = json_schema(
        **{"$defs": {"n": {"type": "integer"}}}, properties={"a": {"$ref": "#/$defs/n"}}
    )
    assert violations(schema, {"a": "x"}) == ["event_data.a 'x' is not of type 'integer'"]


@pytest.mark.parametrize(
    ("keywords", "path"),
    [
        ({"type": "objec"}, "type"),
        ({"properties": {"a": {"$ref": "https://example.org/a"}}}, "properties.a.$ref"),
        ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, "properties.a.$ref"),
        ({"items": [{"$dynamicRef": "other.json"}]}, "items[0].$dynamicRef"),
        ({"properties": {"a": {"pattern": "(a+)+$"}}}, "properties.a.pattern"),
        ({"patternProperties": {"(a+)+$": {}}}, "patternProperties"),
        ({"const": {"patternProperties": {"(a+)+$": {}}}}, "const.patternProperties"),
        ({"unevaluatedProperties": False}, "unevaluatedProperties"),
    ],
)
def test_what_reaches_out_or_takes_for_ever_is_refused(keywords: Any, path: str) -> None:
    assert f"event_data_schema.{path}" in faults(json_schema(**keywords))


def test_a_key_may_be_called_like_a_keyword() -> None:
    schema = json_schema(properties={"pattern": {"type": "string"}, "$ref": {"type": "string"}})
    assert violations(schema, {"pattern": "(a+)+$", "$ref": "x"}) == []


DOUBLING = {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(40)}


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        (json_schema(**{"$ref": "#"}), {}),
        (json_schema(**{"$ref": "#/$defs/none"}), {}),
        (json_schema(**{"$ref": "#/$defs/a0", "$defs": DOUBLING | {"a40": {}}}), {}),
        (
            json_schema(properties={"a": {"items": {"allOf": [{"type": "number"}] * 1000}}}),
            {"a": list(range(10_000))},
        ),
        (
            json_schema(properties={"a": {"items": {"enum": [f"e{n}" for n in range(3000)]}}}),
            {"a": [f"x{n}" for n in range(5000)]},
        ),
        (json_schema(properties={"a": {"multipleOf": 0.5}}), {"a": int("9" * 309)}),
    ],
)
def test_a_check_that_cannot_be_finished_is_a_violation_at_once(schema: Any, data: Any) -> None:
    check = compile_schema(schema)
    begun = time.perf_counter()
    assert check(data)
    assert time.perf_counter() - begun < WITHIN_SECONDS


def test_one_check_leaves_nothing_behind_for_the_next() -> None:
    check = compile_schema(json_schema(properties={"a": {"items": {"type": "number"}}}))
    assert check({"a": [1] * 50_000})
    assert check({"a": [1]}) == []


async def test_a_dry_run_counts_and_shows_three() -> None:
    async def events() -> Any:
        for n in range(10):
            yield '{"a":1}' if n % 2 else '{"a":"x"}'

    tried = await try_schema({"a": "number"}, events())
    assert (tried.checked, tried.violating, len(tried.examples)) == (10, 5, 3)
    assert tried.examples[0]["event_data"] == {"a": "x"}
    assert [found.path for found in tried.examples[0]["violations"]] == ["event_data.a"]
