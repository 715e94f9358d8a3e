"""Checking event_data by a JSON Schema (2020-12) that a stranger may have written.

It may not reach out of itself, and it may not take long: no patterns (Python's engine is not
linear in the text), no references elsewhere, and a bound on the steps of one check.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend
from referencing.exceptions import Unresolvable

from endu.refusals import Problem, Reason, Refusal

DIALECT = "https://json-schema.org/draft/2020-12/schema"

STEPS_AT_MOST = 5_000  # of one check: about 20 ms
VIOLATIONS_AT_MOST = 20
MESSAGE_LENGTH = 200  # jsonschema writes whole values into its messages

# Whose values are schemas under names of the author's own, and whose are no schemas at all.
_NAMED_SCHEMAS = frozenset({"properties", "$defs", "definitions", "dependentSchemas"})
_PLAIN_DATA = frozenset({"const", "enum", "default", "examples"})

# Keywords whose work jsonschema does in one go, where no step can be counted.
_UNBOUNDED = frozenset({"pattern", "unevaluatedProperties", "unevaluatedItems"})


def compile_json_schema(schema: dict[str, Any]) -> Callable[[dict[str, Any]], list[Problem]]:
    """Raises Refusal INVALID_SCHEMA with every fault of the schema itself."""
    problems = [*_forbidden(schema), *_not_a_schema(schema)]
    if problems:
        raise Refusal(Reason.INVALID_SCHEMA, problems=problems)
    budget = _Budget()
    validator_class: Any = extend(Draft202012Validator, _keywords_within(budget))  # type: ignore[no-untyped-call]
    validator = validator_class(schema)
    return lambda data: _violations(validator, budget, data)


def _forbidden(schema: dict[str, Any]) -> Iterator[Problem]:
    if str(schema["$schema"]).rstrip("#") != DIALECT:
        yield Problem("event_data_schema.$schema", f"is {DIALECT}")
    for path, value in _dicts_in(schema, "event_data_schema"):
        if "patternProperties" in value:  # even as a name: a reference may make it a keyword
            yield Problem(f"{path}.patternProperties", "is not supported: it can take for ever")
    for path, found in _schemas_in(schema, "event_data_schema"):
        for keyword in _UNBOUNDED & found.keys():
            yield Problem(f"{path}.{keyword}", "is not supported: it can take for ever")
        for keyword in ("$ref", "$dynamicRef"):
            reference = found.get(keyword)
            if isinstance(reference, str) and not reference.startswith("#"):
                yield Problem(f"{path}.{keyword}", 'begins with "#": nothing is fetched')


def _dicts_in(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        yield path, value
        for key, item in value.items():
            yield from _dicts_in(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _dicts_in(item, f"{path}[{index}]")


def _schemas_in(schema: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(schema, list):
        for index, item in enumerate(schema):
            yield from _schemas_in(item, f"{path}[{index}]")
    if not isinstance(schema, dict):
        return
    yield path, schema
    for keyword, value in schema.items():
        here = f"{path}.{keyword}"
        if keyword in _NAMED_SCHEMAS and isinstance(value, dict):
            for name, inner in value.items():
                yield from _schemas_in(inner, f"{here}.{name}")
        elif keyword not in _PLAIN_DATA:
            yield from _schemas_in(value, here)


def _not_a_schema(schema: dict[str, Any]) -> Iterator[Problem]:
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as fault:
        path = _path("event_data_schema", fault.absolute_path)
        yield Problem(path, fault.message[:MESSAGE_LENGTH])


class _TooDear(Exception):
    pass


class _Budget:
    """How many steps the check under way may still take. A check never waits, so one serves all
    checks of a schema in turn."""

    left = 0

    def spend(self, keyword_value: Any, instance: Any) -> None:
        self.left -= 1 + _size(keyword_value) + _size(instance) // 16
        if self.left < 0:
            raise _TooDear


def _size(value: Any) -> int:
    return len(value) if isinstance(value, dict | list) else 0


def _keywords_within(budget: _Budget) -> dict[str, Any]:
    def counted(keyword: Any) -> Any:
        def step(validator: Any, value: Any, instance: Any, schema: Any) -> Any:
            budget.spend(value, instance)
            return keyword(validator, value, instance, schema)

        return step

    keywords: Mapping[str, Any] = Draft202012Validator.VALIDATORS | {"uniqueItems": _unique_items}
    # A reference into plain data could still reach what `_forbidden` did not see.
    return {
        name: counted(keyword if name not in _UNBOUNDED else _nothing)
        for name, keyword in keywords.items()
    }


def _nothing(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    return iter(())


def _violations(validator: Any, budget: _Budget, data: dict[str, Any]) -> list[Problem]:
    """A check that cannot be finished is a violation too: nothing passes unseen."""
    budget.left = STEPS_AT_MOST
    try:
        found = islice(validator.iter_errors(data), VIOLATIONS_AT_MOST)
        return [
            Problem(_path("event_data", fault.absolute_path), fault.message[:MESSAGE_LENGTH])
            for fault in found
        ]
    except (_TooDear, RecursionError):
        return [Problem("event_data", "takes too many steps to check by its schema")]
    except (Unresolvable, OverflowError) as fault:
        return [Problem("event_data", f"cannot be checked by its schema: {fault}"[:MESSAGE_LENGTH])]


def _unique_items(
    validator: Any, wanted: bool, items: Any, schema: Any
) -> Iterator[ValidationError]:
    """Linear, where jsonschema's own compares each with each."""
    if wanted and validator.is_type(items, "array"):
        encode = msgspec.json.Encoder(order="deterministic").encode
        if len({encode(item) for item in items}) < len(items):
            yield ValidationError("has equal items")


def _path(root: str, steps: Any) -> str:
    return root + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
