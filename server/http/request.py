"""Query, headers and body of a request, validated by the models that also document them.

Every invalid field is reported at once, each with its place, the expected value and the value that was sent.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from server.http.problems import ProblemError
from server.settings import MAX_BODY_BYTES
from urumi.store import Engine
from urumi.wire import Wire

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails
    from starlette.requests import Request

IDEMPOTENCY_KEY = "Idempotency-Key"
IDEMPOTENCY_KEY_PATTERN = r"^[!-~]{1,255}$"

WireT = TypeVar("WireT", bound=Wire)


def read_query(request: Request, model: type[WireT]) -> WireT:
    """Return the query of a request.

    Raises:
        ProblemError: a parameter is unknown, repeated, or has an invalid value.
    """
    if not request.scope["query_string"]:
        return model()
    given = request.query_params
    repeated = sorted({name for name in given if len(given.getlist(name)) > 1})
    if repeated:
        raise _invalid([{"parameter": name, "message": f"{name} must be given once"} for name in repeated])
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        errors = [{"parameter": str(e["loc"][0]), "message": _query_message(model, e)} for e in error.errors()]
        raise _invalid(errors) from error


def read_idempotency_key(request: Request) -> str:
    """Return the Idempotency-Key of a request, empty if it has none.

    Raises:
        ProblemError: the key is empty, too long, or contains characters other than visible ASCII.
    """
    key = request.headers.get(IDEMPOTENCY_KEY)
    if key is None:
        return ""
    if not re.fullmatch(IDEMPOTENCY_KEY_PATTERN, key):
        message = f"{IDEMPOTENCY_KEY} must be 1 to 255 visible ASCII characters, got {key[:80]!r}"
        raise _invalid([{"header": IDEMPOTENCY_KEY, "message": message}])
    return key


async def json_body(request: Request, *, is_optional: bool = False) -> dict[str, Any]:
    """Return the body as a JSON object, an empty one if the body is optional and missing.

    Raises:
        ProblemError: the body has another media type, is too large, is not JSON, or is not an object.
    """
    data = await _read_bounded(request)
    if is_optional and not data:
        return {}
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        detail = f"Content-Type must be application/json, got {media_type or 'none'!r}."
        raise ProblemError("unsupported-media-type", detail)
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ProblemError("malformed", f"The body is not valid JSON: {error}.") from error
    if not isinstance(body, dict):
        example = json.dumps({"storeId": "shop-1", "engine": Engine.WOOCOMMERCE.value})
        detail = f"The body must be an object such as {example}, got {type(body).__name__}."
        raise ProblemError("invalid-request", detail)
    return body


async def _read_bounded(request: Request) -> bytes:
    """Return the body, without reading more than one part beyond the limit."""
    size = request.headers.get("content-length", "")
    is_too_large = size.isdigit() and int(size) > MAX_BODY_BYTES
    body = bytearray()
    if not is_too_large:
        async for part in request.stream():
            body += part
            is_too_large = len(body) > MAX_BODY_BYTES
            if is_too_large:
                break
    if is_too_large:
        # The connection stays open and uvicorn discards the rest: a reset could overtake the response.
        raise ProblemError("too-large", f"The body is larger than {MAX_BODY_BYTES} bytes.")
    return bytes(body)


def check_fields(model: type[WireT], body: dict[str, Any]) -> WireT:
    """Return a body as its model.

    Raises:
        ProblemError: with every invalid field.
    """
    try:
        return model.model_validate(body)
    except ValidationError as error:
        errors = [{"pointer": "/" + "/".join(map(str, e["loc"])), "message": e["msg"]} for e in error.errors()]
        fields = ", ".join(each["pointer"] for each in errors)
        raise ProblemError("invalid-request", f"The body is invalid at {fields}.", errors=errors) from error


def _query_message(model: type[Wire], error: ErrorDetails) -> str:
    name = error["loc"][0]
    if error["type"] == "extra_forbidden":
        known = ", ".join(sorted(str(field.alias) for field in model.model_fields.values()))
        expected = f"one of {known}" if known else "no parameters"
        return f"{name} is not a parameter of this call; expected {expected}"
    return f"{name}: {error['msg'][0].lower()}{error['msg'][1:]}, got {str(error['input'])[:80]!r}"


def _invalid(errors: list[dict[str, str]]) -> ProblemError:
    detail = "; ".join(each["message"] for each in errors)
    return ProblemError("invalid-request", f"{detail}.", errors=errors)
