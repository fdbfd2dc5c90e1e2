"""Problems (RFC 9457): the one shape of every error that leaves the server."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import Response

from urumi.errors import ClusterError, InvalidRequest, UrumiError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import HTTPConnection, Request

URN = "urn:urumi:problem:"
RETRY_AFTER_SECONDS = 5

# Every problem there is: its name, its status and its title, which never changes.
PROBLEMS = {
    "invalid-request": (422, "The request is not valid"),
    "malformed": (400, "The body is not JSON"),
    "unauthorized": (401, "Sign in first"),
    "forbidden": (403, "Not from there"),
    "not-allowed": (403, "Your rights do not reach so far"),
    "not-found": (404, "Not found"),
    "method-not-allowed": (405, "Method not allowed"),
    "bad-cursor": (422, "The cursor is not of this list"),
    "key-reused": (422, "The Idempotency-Key was used for another request"),
    "conflict": (409, "The store is in another state"),
    "quota-exceeded": (409, "A limit is reached"),
    "too-large": (413, "The body is too large"),
    "unsupported-media-type": (415, "The body must be application/json"),
    "too-many-requests": (429, "Too many requests"),
    "internal": (500, "A defect in the server"),
    "cluster-refused": (502, "The Kubernetes API refused"),
    "cluster-unreachable": (503, "The Kubernetes API is out of reach"),
    "busy": (503, "The server is busy"),
}
_BY_STATUS = {404: "not-found", 405: "method-not-allowed"}

log = logging.getLogger(__name__)


class ProblemError(UrumiError):
    """Raised by an endpoint to answer with a problem."""

    def __init__(
        self,
        name: str,
        detail: str,
        *,
        hint: str = "",
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        limit: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail, hint=hint)
        self.name = name
        self.errors = errors
        self.headers = dict(headers or {})
        self.limit = limit


def request_id(connection: HTTPConnection) -> str:
    """Return the id of the request, as header, body and log carry it."""
    return str(connection.scope.get("state", {}).get("request_id", ""))


def problem_response(connection: HTTPConnection, problem: ProblemError) -> Response:
    """Return the response that says the problem."""
    status, title = PROBLEMS[problem.name]
    body = {
        "type": URN + problem.name,
        "title": title,
        "status": status,
        "detail": problem.message,
        "hint": problem.hint,
        "instance": request_id(connection),
        "errors": list(problem.errors),
        "limit": problem.limit,
    }
    kept = {name: value for name, value in body.items() if value or name == "status"}
    headers = {"Cache-Control": "no-store", **problem.headers}
    return Response(json.dumps(kept), status, headers, media_type="application/problem+json")


def as_problem(error: Exception) -> ProblemError:
    """Return the problem that tells an error; what is not meant for callers becomes `internal`."""
    match error:
        case ProblemError():
            return error
        case InvalidRequest():
            pointer = {"pointer": f"/{error.field}", "message": error.message}
            return ProblemError("invalid-request", error.message, hint=error.hint, errors=[pointer])
        case ClusterError():
            return _cluster_problem(error)
        case HTTPException() if error.status_code in _BY_STATUS:
            return ProblemError(_BY_STATUS[error.status_code], _detail(error), headers=error.headers)
    return ProblemError("internal", "The server met a defect.", hint="Look for the request id in the server's log.")


async def handle_error(request: Request, error: Exception) -> Response:
    """Starlette's handler for every exception."""
    problem = as_problem(error)
    if problem.name in ("not-found", "method-not-allowed") and not problem.message:
        problem.message = f"{request.method} {request.url.path} is not of this API."
    told = {"request_id": request_id(request), "method": request.method, "path": request.url.path}
    if problem.name == "internal":
        log.error("request failed", exc_info=error, extra=told)
    else:
        log.info("request refused", extra={**told, "problem": problem.name, "detail": problem.message})
    return problem_response(request, problem)


def _cluster_problem(error: ClusterError) -> ProblemError:
    if error.status == 401:
        # The server's own token, not the caller's: a pod's ends with the pod, a moment before its last answers.
        detail = "The Kubernetes API does not accept this server's own token any more; nothing was changed."
        hint = "Try again: another replica may answer. If none does, look at the server's ServiceAccount or kubeconfig."
        return ProblemError("cluster-unreachable", detail, hint=hint, headers={"Retry-After": "1"})
    if error.status in (0, 429) or error.status >= 500:
        seconds = int(error.retry_after_seconds or RETRY_AFTER_SECONDS)
        hint = "Nothing was changed as far as the server knows; reads go on from what it last saw."
        return ProblemError("cluster-unreachable", error.message, hint=hint, headers={"Retry-After": str(seconds)})
    return ProblemError("cluster-refused", error.message, hint="Check the platform's rights and the custom resource.")


def _detail(error: HTTPException) -> str:
    return "" if error.detail == HTTPStatus(error.status_code).phrase else str(error.detail)
