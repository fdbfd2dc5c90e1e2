"""What comes with a request besides its path, read by the models that also document it: query, headers and body.

Everything that is wrong is told at once, each with the place it is at, what was expected and what came.
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
    from starlette.requests import Request

IDEMPOTENCY_KEY = "Idempotency-Key"
IDEMPOTENCY_KEY_PATTERN = r"^[!-~]{1,255}$"

WireT = TypeVar("WireT", bound=Wire)


def read_query(request: Request, model: type[WireT]) -> WireT:
    """Return the query of a request.

    Raises:
        ProblemError: a parameter that the call does not have, that came twice, or whose value is not allowed.
    """
    if not request.scope["query_string"]:
        return model()
    given = request.query_params
    twice = sorted({name for name in given if len(given.getlist(name)) > 1})
    if twice:
        raise _invalid([{"parameter": name, "message": f"{name} must be given once"} for name in twice])
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        raise _invalid(
            [{"parameter": str(each["loc"][0]), "message": _query_words(model, each)} for each in error.errors()]
        ) from error


def read_key(request: Request) -> str:
    """Return the Idempotency-Key of a request, empty where it has none.

    Raises:
        ProblemError: the key is empty, too long, or has characters that are not visible ASCII.
    """
    key = request.headers.get(IDEMPOTENCY_KEY)
    if key is None:
        return ""
    if not re.fullmatch(IDEMPOTENCY_KEY_PATTERN, key):
        message = f"{IDEMPOTENCY_KEY} must be 1 to 255 visible ASCII characters, got {key[:80]!r}"
        raise _invalid([{"header": IDEMPOTENCY_KEY, "message": message}])
    return key


async def json_body(request: Request, *, is_optional: bool = False) -> dict[str, Any]:
    """Return the body as a JSON object, an empty one where it may be left out and is.

    Raises:
        ProblemError: another media type, too large, not JSON, or not an object.
    """
    data = await _bounded(request)
    if is_optional and not data:
        return {}
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise ProblemError("unsupported-media-type", f"Expected application/json, got {media_type or 'none'!r}.")
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ProblemError("malformed", f"The body is not JSON: {error}.") from error
    if not isinstance(body, dict):
        example = json.dumps({"storeId": "shop-1", "engine": Engine.WOOCOMMERCE.value})
        raise ProblemError("invalid-request", f"Expected an object such as {example}, got {type(body).__name__}.")
    return body


async def _bounded(request: Request) -> bytes:
    """Return the body; what is too large is refused by its first byte too many, or unread where it says so itself."""
    size = request.headers.get("content-length", "")
    if size.isdigit() and int(size) > MAX_BODY_BYTES:
        raise _too_large()
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise _too_large()
    return bytes(body)


def _too_large() -> ProblemError:
    # The connection stays open and uvicorn drops what still comes: a reset could overtake the answer.
    return ProblemError("too-large", f"The body is larger than {MAX_BODY_BYTES} bytes.")


def check_fields(model: type[WireT], body: dict[str, Any]) -> WireT:
    """Return a body as its model.

    Raises:
        ProblemError: with every field that is wrong.
    """
    try:
        return model.model_validate(body)
    except ValidationError as error:
        errors = [{"pointer": "/" + "/".join(map(str, e["loc"])), "message": e["msg"]} for e in error.errors()]
        fields = ", ".join(each["pointer"] for each in errors)
        raise ProblemError("invalid-request", f"The body does not fit at {fields}.", errors=errors) from error


def _query_words(model: type[Wire], error: Any) -> str:
    name = error["loc"][0]
    if error["type"] == "extra_forbidden":
        known = ", ".join(sorted(str(field.alias) for field in model.model_fields.values())) or "no parameters"
        return f"{name} is not a parameter of this call; it has {known}"
    return f"{name}: {error['msg'][0].lower()}{error['msg'][1:]}, got {str(error['input'])[:80]!r}"


def _invalid(errors: list[dict[str, str]]) -> ProblemError:
    detail = "; ".join(each["message"] for each in errors)
    return ProblemError("invalid-request", f"{detail}.", errors=errors)
