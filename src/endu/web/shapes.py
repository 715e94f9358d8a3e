"""Every fault in the shape of a request's body at once; msgspec itself stops at the first."""

from collections.abc import Iterator
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from msgspec import Struct
from msgspec.structs import FieldInfo, fields

from endu.refusals import Problem

FAULTS_AT_MOST = 50


def faults_of_shape(value: Any, kind: Any, path: str = "") -> list[Problem]:
    """Of what was read from JSON, in its order; none where it is of the kind."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as fault:
        plain = _plain(kind)
        parts = list(_parts(value, plain, path))
        faults = [fault for part in parts for fault in faults_of_shape(*part)]
        faults += _keys_at_fault(value, plain, path)
        return faults[:FAULTS_AT_MOST] or [problem_of(fault, path)]
    return []


def problem_of(fault: msgspec.ValidationError, path: str = "") -> Problem:
    """msgspec says "Expected `int`, got `str` - at `$.limit`"."""
    message, _, place = str(fault).partition(" - at `")
    inner = place.rstrip("`").removeprefix("$")
    return Problem(f"{path}{inner}".removeprefix("."), message)


def _parts(value: Any, kind: Any, path: str) -> Iterator[tuple[Any, Any, str]]:
    """What can be looked at by itself: the known fields of an object, the elements of a list."""
    if isinstance(value, dict):
        kinds = {field.encode_name: field.type for field in _fields(kind)}
        for name, inner in value.items():
            if name in kinds:
                yield inner, kinds[name], _joined(path, name)
    elif isinstance(value, list) and get_origin(kind) is list:
        for place, element in enumerate(value):
            yield element, get_args(kind)[0], f"{path}[{place}]"


def _keys_at_fault(value: Any, kind: Any, path: str) -> Iterator[Problem]:
    fields = _fields(kind)
    if not isinstance(value, dict) or not fields:
        return
    for field in fields:
        if field.required and field.encode_name not in value:
            yield Problem(_joined(path, field.encode_name), "is missing")
    if kind.__struct_config__.forbid_unknown_fields:
        known = {field.encode_name for field in fields}
        for name in value.keys() - known:
            near = get_close_matches(name, known, 1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            yield Problem(_joined(path, name), f"is no field of this{hint}")


def _fields(kind: Any) -> tuple[FieldInfo, ...]:
    return fields(kind) if isinstance(kind, type) and issubclass(kind, Struct) else ()


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _plain(kind: Any) -> Any:
    """Without what is only said about it, and without its null."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) in (Union, UnionType):
        others = [one for one in get_args(kind) if one is not NoneType]
        return _plain(others[0]) if len(others) == 1 else kind
    return kind
