"""The OpenAPI 3.1 document, built from the table of operations and the models that validate requests and responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from server.auth.session_cookie import HOST_NAME
from server.http.problems import PROBLEMS, URN
from server.http.request import IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_PATTERN
from urumi import __version__
from urumi.store import STORE_ID_MAX_LENGTH, STORE_ID_MIN_LENGTH, STORE_ID_PATTERN
from urumi.wire import NoQuery, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from server.openapi.operation import Answer, Operation
    from urumi.wire import Wire

    Json = dict[str, Any]

SCHEMAS = "#/components/schemas/"
PROBLEM_JSON = "application/problem+json"
DESCRIPTION = """\
Creates, shows and deletes e-commerce stores on Kubernetes. The WebSocket `/ws` with the subprotocol `urumi.v1` sends \
live changes.

Every error is a problem (RFC 9457): switch on `type`, show `detail` and `hint`, quote `instance`. An unknown path is \
answered with 404 `not-found`, an unsupported method with 405 `method-not-allowed`, both as problems.

Field names are camelCase, absent fields are omitted, times are RFC 3339 in UTC. Clients must ignore unknown fields."""
TAGS = {"stores": "Stores", "session": "Session", "openapi.json": "This document", "docs": "This document"}
HEALTH_TAG = "Health"
HEADERS = {
    "X-Request-Id": "The id of the request: the one that the caller sent, or a new one. The log has it too.",
    "ETag": "Strong entity tag. Send it as `If-None-Match` to get 304 while nothing has changed.",
    "Cluster-Age-Seconds": "Seconds since the last response of the cluster: the age of the data.",
    "Location": "The path of the store.",
    "Idempotency-Replayed": "`true` if an earlier request with this key created the store.",
    "Retry-After": "Seconds to wait before the next attempt.",
    "WWW-Authenticate": "The authentication scheme.",
    "Set-Cookie": "The session cookie of the page.",
}
PROBLEM_HEADERS = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}


def document(operations: Sequence[Operation]) -> Json:
    """Return the document for a table of operations."""
    paths: Json = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Urumi",
            "version": __version__,
            "summary": "E-commerce stores on Kubernetes.",
            "description": DESCRIPTION,
        },
        "servers": [{"url": "."}],
        "tags": [{"name": name} for name in dict.fromkeys(map(_tag, operations))],
        "paths": paths,
        "components": {
            "schemas": _schemas(operations),
            "headers": {name: {"description": text, "schema": {"type": "string"}} for name, text in HEADERS.items()},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "For programs."},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": HOST_NAME,
                    "description": "For the page. Below a path prefix or without TLS, it has another name.",
                },
            },
        },
    }


def _schemas(operations: Iterable[Operation]) -> Json:
    models: dict[type[Wire], None] = {Problem: None}
    for operation in operations:
        returned = [answer.model for answer in operation.answers.values()]
        models |= dict.fromkeys(model for model in (*returned, operation.body) if model)
        if operation.query is not NoQuery:
            models[operation.query] = None
    _, found = models_json_schema([(model, "validation") for model in models], ref_template=SCHEMAS + "{model}")
    schemas: Json = found["$defs"]
    schemas[Problem.__name__]["properties"]["type"]["enum"] = [URN + name for name in PROBLEMS]
    return schemas


def _operation(operation: Operation) -> Json:
    entry: Json = {
        "operationId": operation.name,
        "tags": [_tag(operation)],
        "summary": operation.summary,
        "description": operation.description,
        "security": [] if operation.is_open else [{"token": []}, {"session": []}],
        "parameters": _parameters(operation),
        "responses": _responses(operation),
    }
    if operation.body is not None:
        content = {"application/json": {"schema": _ref(operation.body)}}
        entry["requestBody"] = {"required": not operation.is_body_optional, "content": content}
    return {name: value for name, value in entry.items() if value or name == "security"}


def _tag(operation: Operation) -> str:
    return TAGS.get(operation.path.split("/")[1], HEALTH_TAG)


def _parameters(operation: Operation) -> list[Json]:
    found = []
    if "{store_id}" in operation.path:
        rule = {"pattern": STORE_ID_PATTERN, "minLength": STORE_ID_MIN_LENGTH, "maxLength": STORE_ID_MAX_LENGTH}
        found.append({"name": "store_id", "in": "path", "required": True, "schema": {"type": "string", **rule}})
    for name, rule in operation.query.model_json_schema(ref_template=SCHEMAS + "{model}").get("properties", {}).items():
        schema = {key: value for key, value in _without_null(rule).items() if key not in ("title", "description")}
        found.append({"name": name, "in": "query", "description": rule["description"], "schema": schema})
    if operation.takes_etag:
        text = "The ETag of an earlier response; the response is 304 if it is still current."
        found.append({"name": "If-None-Match", "in": "header", "description": text, "schema": {"type": "string"}})
    if operation.takes_key:
        text = "Chosen by the caller for one creation. A repeated request with the same key returns the same store."
        schema = {"type": "string", "pattern": IDEMPOTENCY_KEY_PATTERN}
        found.append({"name": IDEMPOTENCY_KEY, "in": "header", "description": text, "schema": schema})
    return found


def _without_null(rule: Json) -> Json:
    """Return the schema of a parameter without null: an absent parameter is None in the model."""
    choices = [choice for choice in rule.get("anyOf", ()) if choice != {"type": "null"}]
    if not choices:
        return rule
    rest = {key: value for key, value in rule.items() if key not in ("anyOf", "default")}
    return {**rest, **choices[0]}


def _responses(operation: Operation) -> Json:
    by_status: dict[int, list[str]] = {}
    for name in dict.fromkeys(operation.problems):
        by_status.setdefault(PROBLEMS[name][0], []).append(name)
    answers: Json = {str(status): _answer(answer) for status, answer in operation.answers.items()}
    for status, names in sorted(by_status.items()):
        narrowed = {"type": {"enum": [URN + name for name in names]}, "status": {"const": status}}
        problem: Json = {
            "description": "; ".join(f"{PROBLEMS[name][1]} (`{name}`)" for name in names) + ".",
            "headers": _headers(PROBLEM_HEADERS.get(status, ())),
            "content": {PROBLEM_JSON: {"schema": {"allOf": [_ref(Problem), {"properties": narrowed}]}}},
        }
        # One status may have an answer and a problem: /readyz and /healthz respond with 503 and their own body.
        known = answers.get(str(status), {})
        answers[str(status)] = {**problem, "content": {**known.get("content", {}), **problem["content"]}}
    return answers


def _answer(answer: Answer) -> Json:
    entry: Json = {"description": answer.description, "headers": _headers(answer.headers)}
    if answer.model is not None:
        entry["content"] = {"application/json": {"schema": _ref(answer.model)}}
    elif answer.media_type:
        is_json = answer.media_type.endswith("json")
        entry["content"] = {answer.media_type: {"schema": {"type": "object" if is_json else "string"}}}
    return entry


def _headers(names: Sequence[str]) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-Id", *names)}


def _ref(model: type[Wire]) -> Json:
    return {"$ref": SCHEMAS + model.__name__}
