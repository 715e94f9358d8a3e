"""The OpenAPI 3.1 document, made from the endpoints' own descriptions."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import msgspec

from endu import __version__
from endu.organizations.keyring import KeyKind
from endu.refusals import Reason
from endu.web.endpoint import Description
from endu.web.examples import ANSWERS, BODIES, PARAMETERS

_ABOUT = """Endu records what people do across Discord, Telegram, web and wallets, works out who \
they are, and can prove it.

Every JSON answer but that of `/events/record` has the same envelope: `success`, `data`, `error` \
(a code) and `error_text` (a sentence that says what to do)."""

# Whose organization the operator's key speaks for; with any other key it is not looked at.
_ORGANIZATION_HEADER = {
    "name": "Endu-Organization",
    "in": "header",
    "required": False,
    "description": "With the operator key: the organization to act for, else the first one.",
    "schema": {"type": "string"},
}


def openapi_document(descriptions: Sequence[Description]) -> dict[str, Any]:
    schemas = _Schemas(descriptions)
    paths: dict[str, dict[str, Any]] = {}
    for described in descriptions:
        paths.setdefault(described.path, {})[described.method.lower()] = _operation(
            described, schemas
        )
    return {
        "openapi": "3.1.0",
        "info": {"title": "Endu", "version": __version__, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(each.group for each in descriptions)],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key: `endu_sk_…`, `endu_pk_…`, `endu_ik_…` or the "
                    "operator's `endu_ok_…`.",
                }
            },
        },
    }


def reasons_of(described: Description) -> list[Reason]:
    """Every way in which the endpoint may refuse: its own, and what follows from its kind."""
    reasons = [*described.refusals, Reason.STORAGE_FAILED, Reason.INTERNAL]
    if described.needs is not None:
        reasons += [Reason.UNKNOWN_KEY, Reason.KEY_NOT_ALLOWED, Reason.NOT_FOUND]
        reasons.append(Reason.INVALID_REQUEST)
    if described.body is not None:
        reasons += [Reason.MALFORMED_JSON, Reason.TOO_LARGE, Reason.UNSUPPORTED_ENCODING]
    if any(field.name == "fresh" for field in msgspec.structs.fields(described.query)):
        reasons.append(Reason.NOT_SETTLED)
    return sorted(set(reasons), key=lambda reason: (reason.status, reason.name))


class _Schemas:
    """The JSON Schema of every type that an endpoint takes or answers, named once."""

    def __init__(self, descriptions: Sequence[Description]) -> None:
        types = list(dict.fromkeys(kind for each in descriptions for kind in _types_of(each)))
        schemas, self.components = msgspec.json.schema_components(
            types, ref_template="#/components/schemas/{name}"
        )
        self._schemas = dict(zip(types, schemas, strict=True))

    def of(self, kind: Any) -> dict[str, Any]:
        schema: dict[str, Any] = self._schemas[kind]
        return schema


def _types_of(described: Description) -> Iterable[Any]:
    if described.body is not None:
        yield described.body
    if not described.is_raw:
        yield described.answer


def _operation(described: Description, schemas: _Schemas) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": described.name,
        "tags": [described.group],
        "summary": described.summary,
        "description": described.text or described.summary,
        "parameters": _parameters(described),
        "responses": {"200": _success(described, schemas), **_refused(described)},
        "security": [] if described.needs is None else [{"key": []}],
    }
    if described.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {
                "application/json": {
                    "schema": schemas.of(described.body),
                    "examples": _examples(BODIES.get(described.name, {})),
                }
            },
        }
    if described.needs is not None:
        operation["x-needs"] = (
            "operator key" if described.needs is KeyKind.OPERATOR else str(described.needs)
        )
    return operation


def _parameters(described: Description) -> list[dict[str, Any]]:
    schema = msgspec.json.schema_components([described.query])[1][described.query.__name__]
    required = schema.get("required", [])
    parameters = []
    for name, about in schema["properties"].items():
        in_path = f"{{{name}}}" in described.path
        parameter = {
            "name": name,
            "in": "path" if in_path else "query",
            "required": in_path or name in required,
            "description": about.pop("description", ""),
            "schema": _without_null(about),
        }
        if name in PARAMETERS:
            parameter["example"] = PARAMETERS[name]
        parameters.append(parameter)
    if described.needs is not None:
        parameters.append(_ORGANIZATION_HEADER)
    return parameters


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is there or is not: an address has no way to say null."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) == 1:
        schema = {**schema, **kinds[0]}
        del schema["anyOf"]
    if schema.get("default", "") is None:
        del schema["default"]
    return schema


def _success(described: Description, schemas: _Schemas) -> dict[str, Any]:
    if described.answer is None:
        return {"description": "Kept. The answer is empty.", "headers": _RECORD_HEADERS}
    if described.is_raw:
        kind = {"type": "object" if described.media_type == "application/json" else "string"}
        return {
            "description": described.summary,
            "content": {described.media_type: {"schema": kind}},
        }
    schema = _envelope(True, schemas.of(described.answer), {"const": ""})
    content: dict[str, Any] = {"schema": schema}
    if described.name in ANSWERS:
        data = ANSWERS[described.name]
        content["example"] = {"success": True, "data": data, "error": "", "error_text": ""}
    others = {
        media.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}}
        for media in described.other_media
    }
    return {
        "description": described.summary,
        "content": {"application/json": content, **others},
    }


def _refused(described: Description) -> dict[str, Any]:
    answers = {}
    for status, group in groupby(reasons_of(described), key=lambda reason: reason.status):
        reasons = list(group)
        codes = {"enum": [reason.name for reason in reasons]}
        answers[str(status)] = {
            "description": " · ".join(reason.name for reason in reasons),
            "content": {
                "application/json": {
                    "schema": _envelope(False, {"type": "object"}, codes),
                    "examples": _examples({reason.name: _refusal_of(reason) for reason in reasons}),
                }
            },
        }
    return answers


def _envelope(success: bool, data: dict[str, Any], error: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "success": {"const": success},
            "data": data,
            "error": {"type": "string", **error},
            "error_text": {"type": "string"},
        },
        "required": ["success", "data", "error", "error_text"],
        "additionalProperties": False,
    }


def _refusal_of(reason: Reason) -> dict[str, Any]:
    return {"success": False, "data": {}, "error": reason.name, "error_text": reason.sentence}


def _examples(examples: dict[str, Any]) -> dict[str, Any]:
    return {name: {"value": value} for name, value in examples.items()}


_RECORD_HEADERS = {
    "Endu-Record-Id": {
        "description": "The id of the recorded event; a duplicate has that of the first.",
        "schema": {"type": "string"},
    },
    "Endu-Warning": {
        "description": "Codes of what is worth knowing, where anything is.",
        "schema": {"type": "string"},
    },
    "Endu-Error": {
        "description": "With the setting record_always_200: the code of what would be a refusal.",
        "schema": {"type": "string"},
    },
}
