"""The API's description as one page of HTML: no script, nothing from elsewhere."""

import json
from collections.abc import Iterator
from html import escape
from typing import Any

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 56rem; padding: 0 1rem;
       color: #1d2430; background: #fff; }
h2 { margin-top: 3rem; border-bottom: 1px solid #d5dae1; }
h3 { margin-top: 2.5rem; }
code, pre { font: 14px/1.45 ui-monospace, monospace; }
pre { background: #f4f6f8; padding: .8rem 1rem; overflow-x: auto; border-radius: 4px; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .25rem .8rem .25rem 0; }
.method { color: #0b5c8a; font-weight: 700; }
.needs { color: #5b6472; }
"""


def docs_page(document: dict[str, Any]) -> bytes:
    about = document["info"]
    schemas = document["components"]["schemas"]
    body = [
        f"<h1>{escape(about['title'])} {escape(about['version'])}</h1>",
        *(f"<p>{_text(part)}</p>" for part in about["description"].split("\n\n")),
        *_groups(document),
        "<h2 id='shapes'>Shapes</h2>",
        *(_shape(name, schema) for name, schema in sorted(schemas.items())),
    ]
    head = f"<meta charset='utf-8'><title>Endu API</title><style>{_STYLE}</style>"
    return f"<!doctype html><html lang='en'>{head}{''.join(body)}</html>".encode()


def _groups(document: dict[str, Any]) -> Iterator[str]:
    for tag in document["tags"]:
        yield f"<h2>{escape(tag['name'])}</h2>"
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                if tag["name"] in operation["tags"]:
                    yield _operation(method, path, operation)


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    needs = operation.get("x-needs")
    return "".join(
        [
            f"<h3 id='{escape(operation['operationId'])}'>",
            f"<span class='method'>{method.upper()}</span> <code>{escape(path)}</code></h3>",
            f"<p>{_text(operation['summary'])}",
            f" <span class='needs'>Needs: {escape(needs)}.</span>" if needs else "",
            "</p>",
            *(f"<p>{_text(part)}</p>" for part in _more(operation)),
            _parameters(operation["parameters"]),
            _body(operation.get("requestBody")),
            _answers(operation["responses"]),
        ]
    )


def _more(operation: dict[str, Any]) -> list[str]:
    text: str = operation["description"]
    return [] if text == operation["summary"] else text.split("\n\n")


def _parameters(parameters: list[dict[str, Any]]) -> str:
    rows = [
        f"<tr><td><code>{escape(each['name'])}</code><td>{each['in']}"
        f"{', required' if each['required'] else ''}<td>{_kind(each['schema'])}"
        f"<td>{_text(each['description'])}"
        for each in parameters
    ]
    return f"<table>{''.join(rows)}</table>" if rows else ""


def _body(body: dict[str, Any] | None) -> str:
    if body is None:
        return ""
    content = next(iter(body["content"].values()))
    examples = content.get("examples", {})
    shown = [
        f"<p>{escape(name)}:</p>{_json(example['value'])}" for name, example in examples.items()
    ]
    return f"<p>Body: {_kind(content['schema'])}</p>{''.join(shown)}"


def _answers(responses: dict[str, Any]) -> str:
    success = responses["200"]
    content: dict[str, Any] = next(iter(success.get("content", {}).values()), {})
    shown = _json(content["example"]) if "example" in content else ""
    refused = "".join(
        f"<tr><td>{status}<td>{escape(answer['description'])}"
        for status, answer in responses.items()
        if status != "200"
    )
    return f"<p>Answer 200: {_text(success['description'])}</p>{shown}<table>{refused}</table>"


def _shape(name: str, schema: dict[str, Any]) -> str:
    required = schema.get("required", [])
    rows = [
        f"<tr><td><code>{escape(field)}</code>{'' if field in required else '?'}"
        f"<td>{_kind(about)}<td>{_text(about.get('description', ''))}"
        for field, about in schema.get("properties", {}).items()
    ]
    return (
        f"<h3 id='{escape(name)}'>{escape(name)}</h3>"
        f"<p>{_text(schema.get('description', ''))}</p><table>{''.join(rows)}</table>"
    )


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f"<a href='#{name}'>{name}</a>"
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(_kind(each) for each in schema[several])
    if "enum" in schema:
        return escape(", ".join(json.dumps(each) for each in schema["enum"]))
    if schema.get("type") == "array" and isinstance(schema.get("items"), dict):
        return f"array of {_kind(schema['items'])}"
    return escape(str(schema.get("type", "anything")))


def _text(text: str) -> str:
    """Escaped, with `code` between backticks."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts))


def _json(value: Any) -> str:
    return f"<pre>{escape(json.dumps(value, indent=2, ensure_ascii=False))}</pre>"
