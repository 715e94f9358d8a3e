"""From the bytes of a request to checked values, or a refusal that says where the fault is."""

from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec

from endu.refusals import Problem, Reason, Refusal

T = TypeVar("T")

PARAMETERS_AT_MOST = 50


def read_query(query_string: bytes, path_values: dict[str, str], kind: type[T]) -> T:
    """What an address says: the parts of its path, and each parameter at most once."""
    values: dict[str, Any] = dict(path_values)
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=PARAMETERS_AT_MOST,
        )
    except ValueError as fault:
        raise Refusal(Reason.INVALID_REQUEST, "The query string is not UTF-8 text.") from fault
    for name, value in pairs:
        if name in values:
            raise _invalid(Problem(name, "Give this parameter once."))
        values[name] = value
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as fault:
        raise _invalid(problem_of(fault)) from fault


def read_json(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as fault:
        raise _invalid(problem_of(fault)) from fault
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise Refusal(Reason.MALFORMED_JSON, f"The body is not JSON: {fault}.") from fault
    except RecursionError as fault:
        raise Refusal(Reason.MALFORMED_JSON, "The body is nested too deeply.") from fault


def problem_of(fault: msgspec.ValidationError) -> Problem:
    """msgspec says "Expected `int`, got `str` - at `$.limit`"."""
    message, _, place = str(fault).partition(" - at `")
    path = place.rstrip("`").removeprefix("$").removeprefix(".")
    return Problem(path, message)


def _invalid(problem: Problem) -> Refusal:
    where = f"{problem.path}: " if problem.path else ""
    return Refusal(Reason.INVALID_REQUEST, f"{where}{problem.message}", problems=[problem])
