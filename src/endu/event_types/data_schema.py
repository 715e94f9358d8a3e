"""What event_data should look like: the seed's small language, or JSON Schema 2020-12.

The small language maps keys to `string`, `number`, `array`, `boolean`, `integer`, `any` or to
another such object; "key?" is one that may be missing. Keys it does not name are let be.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from endu.event_types.json_schema import compile_json_schema
from endu.refusals import Problem, Reason, Refusal

Check = Callable[[dict[str, Any]], list[Problem]]

SCHEMA_BYTES_AT_MOST = 32 * 1024  # as much as an event
LEVELS_AT_MOST = 32  # of a schema: JSON Schema takes several for one of data

_IS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "string": (lambda value: isinstance(value, str), "is a string"),
    "number": (lambda value: _is_number(value), "is a number"),
    "integer": (lambda value: _is_number(value) and value == int(value), "is an integer"),
    "boolean": (lambda value: isinstance(value, bool), "is true or false"),
    "array": (lambda value: isinstance(value, list), "is an array"),
    "any": (lambda value: True, ""),
}


def compile_schema(schema: Any) -> Check:
    """The check of event_data that a schema asks for: it gives the violations, with their paths.

    Raises Refusal INVALID_SCHEMA with every fault of the schema itself.
    """
    problems = _too_large(schema)
    if not problems and "$schema" in schema:
        return compile_json_schema(schema)
    problems = problems or _faults(schema, "event_data_schema")
    if problems:
        raise Refusal(Reason.INVALID_SCHEMA, problems=problems)
    return lambda data: _violations(schema, data, "event_data")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _too_large(schema: Any) -> list[Problem]:
    path = "event_data_schema"
    if not isinstance(schema, dict):
        return [Problem(path, "is an object")]
    if not _is_within(schema, LEVELS_AT_MOST):
        return [Problem(path, f"has at most {LEVELS_AT_MOST} levels")]
    if len(msgspec.json.encode(schema)) > SCHEMA_BYTES_AT_MOST:
        return [Problem(path, f"has at most {SCHEMA_BYTES_AT_MOST} bytes")]
    return []


def _is_within(value: Any, levels: int) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return True
    return levels > 0 and all(_is_within(item, levels - 1) for item in value)


def _faults(schema: dict[str, Any], path: str) -> list[Problem]:
    problems: list[Problem] = []
    for key, wanted in schema.items():
        here = f"{path}.{key}"
        if key.endswith("?") and key[:-1] in schema:
            problems.append(Problem(here, "is named with and without a question mark"))
        if isinstance(wanted, dict):
            problems += _faults(wanted, here)
        elif not isinstance(wanted, str) or wanted not in _IS:
            problems.append(Problem(here, f"is one of {', '.join(_IS)}, or an object of such"))
    return problems


def _violations(schema: dict[str, Any], data: dict[str, Any], path: str) -> list[Problem]:
    problems: list[Problem] = []
    for named, wanted in schema.items():
        key = named.removesuffix("?")
        here = f"{path}.{key}"
        if key not in data:
            if key == named:
                problems.append(Problem(here, "is missing"))
        elif isinstance(wanted, str):
            is_right, sentence = _IS[wanted]
            if not is_right(data[key]):
                problems.append(Problem(here, sentence))
        elif isinstance(data[key], dict):
            problems += _violations(wanted, data[key], here)
        else:
            problems.append(Problem(here, "is an object"))
    return problems
