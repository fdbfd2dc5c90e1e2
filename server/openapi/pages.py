"""GET /openapi.json and GET /docs: the API contract as a document and, rendered from it, as a page.

The page is plain HTML without scripts and without files from other hosts, so it works offline and under the strict
Content-Security-Policy. Its links and the server in the document are relative, so both are right below any path prefix.
"""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse, Response

from server.http.conditional import not_modified, tagged
from server.openapi.document import SCHEMAS, document

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from starlette.requests import Request

    from server.openapi.operation import Operation

    Json = dict[str, Any]


class ApiReference:
    """The endpoints /openapi.json and /docs; `operations` is set before the first request."""

    def __init__(self) -> None:
        self.operations: Sequence[Operation] = ()

    async def document(self, request: Request) -> Response:
        """GET /openapi.json."""
        headers = tagged(f'"{hashlib.sha256(self._encoded).hexdigest()[:32]}"')
        unchanged = not_modified(request, headers["ETag"])
        return unchanged or Response(self._encoded, headers=headers, media_type="application/json")

    async def page(self, request: Request) -> Response:
        """GET /docs."""
        return HTMLResponse(self._html, headers={"Cache-Control": "no-cache"})

    @cached_property
    def _document(self) -> Json:
        return document(self.operations)

    @cached_property
    def _encoded(self) -> bytes:
        return json.dumps(self._document).encode()

    @cached_property
    def _html(self) -> str:
        return html_of(self._document)


def html_of(described: Json) -> str:
    """Return an OpenAPI document as a page."""
    info = described["info"]
    operations = [
        (path, method, each) for path, methods in described["paths"].items() for method, each in methods.items()
    ]
    tags = [tag["name"] for tag in described["tags"]]
    links = "".join(
        f'<li><a href="#{each["operationId"]}"><b>{method.upper()}</b> {escape(path)}</a></li>'
        for path, method, each in operations
    )
    articles = {tag: [_operation(*each) for each in operations if tag in each[2]["tags"]] for tag in tags}
    sections = "".join(f"<section><h2>{escape(tag)}</h2>{''.join(found)}</section>" for tag, found in articles.items())
    schemas = "".join(_schema(name, schema) for name, schema in sorted(described["components"]["schemas"].items()))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(info["title"])} API</title>
<link rel="icon" href="static/favicon.svg">
<link rel="stylesheet" href="static/docs.css">
</head>
<body>
<a class="skip" href="#main">Skip to the operations</a>
<header><h1>{escape(info["title"])} API <small>{escape(info["version"])}</small></h1>
<p><a href="./">Stores</a> · <a href="openapi.json">openapi.json</a></p></header>
<nav aria-label="Operations"><ul>{links}<li><a href="#schemas">Models</a></li></ul></nav>
<main id="main">{_paragraphs(info["description"])}{sections}
<section><h2 id="schemas">Models</h2>{schemas}</section></main>
</body>
</html>
"""


def _operation(path: str, method: str, operation: Json) -> str:
    parts = [
        f'<article id="{operation["operationId"]}"><h3><b>{method.upper()}</b> <code>{escape(path)}</code></h3>',
        f"<p>{_text(operation['summary'])}.{'' if operation['security'] else ' No authentication required.'}</p>",
        _paragraphs(operation.get("description", "")),
    ]
    if parameters := operation.get("parameters"):
        rows = [[f"<code>{escape(each['name'])}</code>", each["in"], _parameter_text(each)] for each in parameters]
        parts.append(_table("Parameters", ("name", "in", "description"), rows))
    if body := operation.get("requestBody"):
        parts.append(f"<p>Body: {_kind(body['content']['application/json']['schema'])}</p>")
    rows = []
    for status, answer in operation["responses"].items():
        headers = [f"<code>{escape(name)}</code>" for name in answer["headers"] if name != "X-Request-Id"]
        rows.append([f"<b>{status}</b>", _text(answer["description"]), _contents(answer), ", ".join(headers)])
    parts.append(_table("Responses", ("status", "description", "body", "headers"), rows))
    return "".join(parts) + "</article>"


def _parameter_text(parameter: Json) -> str:
    default = parameter["schema"].get("default")
    parts = [_text(parameter.get("description", "")), _kind(parameter["schema"])]
    if default not in (None, ""):
        parts.append(f"default <code>{escape(str(default))}</code>")
    return " · ".join(filter(None, parts))


def _contents(answer: Json) -> str:
    kinds = [
        _kind(content["schema"]["allOf"][0] if "allOf" in content["schema"] else content["schema"])
        for content in answer.get("content", {}).values()
    ]
    return " or ".join(kinds) or "none"


def _schema(name: str, schema: Json) -> str:
    heading = f'<article id="model-{name}"><h3>{escape(name)}</h3>{_paragraphs(schema.get("description", ""))}'
    if "enum" in schema:
        return f"{heading}<p>{_kind(schema)}</p></article>"
    required = schema.get("required", ())
    rows = [
        [
            f"<code>{escape(field)}</code>{' *' if field in required else ''}",
            _kind(rule),
            _text(rule.get("description", "")),
        ]
        for field, rule in schema.get("properties", {}).items()
    ]
    return heading + _table("Fields; * is always present", ("field", "type", "description"), rows) + "</article>"


def _kind(schema: Json) -> str:
    """Return the type and the limits of a schema as text."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(SCHEMAS)
        return f'<a href="#model-{name}">{escape(name)}</a>'
    if "anyOf" in schema:
        return " or ".join(_kind(choice) for choice in schema["anyOf"] if choice != {"type": "null"})
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    kind = schema.get("format") or schema.get("type", "anything")
    rules = [f"{name} {schema[name]}" for name in _RULES if name in schema]
    return escape(f"{kind} ({', '.join(rules)})" if rules else kind)


_RULES = ("minimum", "maximum", "minLength", "maxLength", "pattern")


def _table(caption: str, heads: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{_text(part)}</p>" for part in text.split("\n\n") if part)


def _text(text: str) -> str:
    """Return text as HTML, with the parts in backquotes as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))
