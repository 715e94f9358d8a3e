"""From the bytes of a request to checked values, or a refusal that says where the fault is."""

from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec

from endu.refusals import Problem, Reason, Refusal
from endu.web.shapes import faults_of_shape, problem_of

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
        raise _invalid(*_faults_in(body, kind) or [problem_of(fault)]) from fault
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise Refusal(Reason.MALFORMED_JSON, f"The body is not JSON: {fault}.") from fault
    except RecursionError as fault:
        raise Refusal(Reason.MALFORMED_JSON, "The body is nested too deeply.") from fault


def _faults_in(body: bytes, kind: Any) -> list[Problem]:
    """None where there is more that is wrong than shape: reading ended at the first fault."""
    try:
        return faults_of_shape(msgspec.json.decode(body), kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []


def _invalid(*problems: Problem) -> Refusal:
    first = problems[0]
    where = f"{first.path}: " if first.path else ""
    return Refusal(Reason.INVALID_REQUEST, f"{where}{first.message}", problems=problems)
