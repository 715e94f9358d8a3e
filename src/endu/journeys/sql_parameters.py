"""The caller's own parameters, `{name:Type}`: checked against their types, then bound."""

import math
import re
from datetime import UTC, date, datetime
from typing import Any

from sqlglot import exp

from endu.journeys.sql_reading import refused
from endu.journeys.sql_writing import Writer, type_text
from endu.refusals import Problem, Reason, Refusal

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_INTEGER = re.compile(r"(U?)Int(8|16|32|64)")
_WRAPPED = re.compile(r"(Nullable|Array)\((.+)\)")

_KINDS = "String, Bool, Int8 to UInt64, Float64, Date, DateTime, Nullable and Array of them"


def bound_parameter(w: Writer, node: exp.Placeholder) -> str:
    """The placeholder that stands for it. Raises Refusal."""
    parameter = str(node.name)
    if node.args.get("kind") is None or not _NAME.fullmatch(parameter):
        raise refused("A parameter is written {name:Type}", node)
    kind = type_text(node.args["kind"])
    if parameter not in w.parameters:
        raise refused(f"The parameter {parameter} is not among the request's parameters", node)
    w.used.add(parameter)
    try:
        value = _fitting(w.parameters[parameter], kind)
    except ValueError as fault:
        problem = Problem(f"parameters.{parameter}", f"{fault}.")
        text = f"parameters.{parameter}: {fault}."
        raise Refusal(Reason.INVALID_QUESTION, text, problems=[problem]) from fault
    return w.values.add(value, kind)


def _fitting(value: Any, kind: str) -> Any:
    """The value, as the type can hold it exactly. Raises ValueError."""
    wrapped = _WRAPPED.fullmatch(kind)
    if wrapped and wrapped[1] == "Nullable":
        return None if value is None else _fitting(value, wrapped[2])
    if wrapped:
        if not isinstance(value, list):
            raise ValueError(f"is a list of {wrapped[2]}")
        return [_fitting(each, wrapped[2]) for each in value]
    read = _READERS.get(kind) or (_integer if _INTEGER.fullmatch(kind) else None)
    if read is None:
        raise ValueError(f"has a type that parameters cannot have: {kind}. There are {_KINDS}")
    return read(value, kind)


def _string(value: Any, kind: str) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("is text")
    return value


def _boolean(value: Any, kind: str) -> bool:
    if not isinstance(value, bool):
        raise ValueError("is true or false")
    return value


def _integer(value: Any, kind: str) -> int:
    """The engine would take 2^64 for 0."""
    unsigned, bits = _INTEGER.fullmatch(kind).groups()  # type: ignore[union-attr]
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,20}", value):
        value = int(value)
    least = 0 if unsigned else -(1 << int(bits) - 1)
    most = (1 << int(bits)) - 1 if unsigned else (1 << int(bits) - 1) - 1
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"is a whole number from {least} to {most}")
    return value


def _float(value: Any, kind: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("is a number")
    return float(value)


def _date(value: Any, kind: str) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as fault:
        raise ValueError("is a day, such as 2023-01-31") from fault


def _moment(value: Any, kind: str) -> str:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError) as fault:
        raise ValueError("is a time, such as 2023-01-31T10:00:00Z") from fault
    moment = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return moment.isoformat(" ", "seconds" if kind == "DateTime" else "milliseconds")


_READERS = {
    "String": _string,
    "Bool": _boolean,
    "Float64": _float,
    "Float32": _float,
    "Date": _date,
    "Date32": _date,
    "DateTime": _moment,
    "DateTime64(3)": _moment,
}
