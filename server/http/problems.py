"""Problems (RFC 9457): the one shape of every error response."""

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
LIVE_PATH = "/ws"

# Every problem: its name, its status, and its title, which is the same in every response.
PROBLEMS = {
    "invalid-request": (422, "Invalid request"),
    "malformed": (400, "Malformed JSON"),
    "unauthorized": (401, "Authentication required"),
    "forbidden": (403, "Cross-origin request refused"),
    "not-allowed": (403, "Permission denied"),
    "not-found": (404, "Not found"),
    "method-not-allowed": (405, "Method not allowed"),
    "bad-cursor": (422, "Invalid cursor"),
    "key-reused": (422, "Idempotency-Key already used"),
    "conflict": (409, "Conflict with the state of the store"),
    "quota-exceeded": (409, "Limit reached"),
    "too-large": (413, "Request body too large"),
    "unsupported-media-type": (415, "Unsupported media type"),
    "too-many-requests": (429, "Too many requests"),
    "internal": (500, "Internal server error"),
    "cluster-refused": (502, "Kubernetes API refused the request"),
    "cluster-unreachable": (503, "Kubernetes API unreachable"),
    "busy": (503, "Server busy"),
}
_BY_STATUS = {404: "not-found", 405: "method-not-allowed"}

log = logging.getLogger(__name__)


class ProblemError(UrumiError):
    """Raised by an endpoint to respond with a problem."""

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
    """Return the id of the request, which is in the response header, the problem and the log."""
    return str(connection.scope.get("state", {}).get("request_id", ""))


def problem_response(connection: HTTPConnection, problem: ProblemError) -> Response:
    """Return the response for a problem."""
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
    present = {name: value for name, value in body.items() if value or name == "status"}
    headers = {"Cache-Control": "no-store", **problem.headers}
    return Response(json.dumps(present), status, headers, media_type="application/problem+json")


def as_problem(error: Exception) -> ProblemError:
    """Return the problem for an error; an error that is not meant for callers becomes `internal`."""
    match error:
        case ProblemError():
            return error
        case InvalidRequest():
            pointer = {"pointer": f"/{error.field}", "message": error.message}
            return ProblemError("invalid-request", error.message, hint=error.hint, errors=[pointer])
        case ClusterError():
            return _cluster_problem(error)
        case HTTPException() if error.status_code in _BY_STATUS:
            is_default = error.detail == HTTPStatus(error.status_code).phrase
            detail = "" if is_default else str(error.detail)
            return ProblemError(_BY_STATUS[error.status_code], detail, headers=error.headers)
    return ProblemError("internal", "Internal server error.", hint="Search the server's log for the request id.")


async def handle_error(request: Request, error: Exception) -> Response:
    """Handle every exception for Starlette.

    A refused call is logged here, unless its audit line records it already; a defect is always logged with its
    traceback.
    """
    problem = as_problem(error)
    if problem.name in ("not-found", "method-not-allowed") and not problem.message:
        problem.message = f"No endpoint {request.method} {request.url.path} in this API."
        problem.hint = _hint_for(request.scope["path"].removeprefix(request.scope.get("root_path", "")))
    call = {"request_id": request_id(request), "method": request.method, "path": request.url.path}
    if problem.name == "internal":
        log.error("request failed", exc_info=error, extra=call)
    elif not getattr(request.state, "is_audited", False):
        log.info("request refused", extra={**call, "problem": problem.name, "detail": problem.message})
    return problem_response(request, problem)


def _hint_for(path: str) -> str:
    """Return what to do about a path that is not served."""
    if path == LIVE_PATH:
        return (
            "Connect to it as a WebSocket. If this is a WebSocket client, a reverse proxy on the way does not pass on "
            "the headers Upgrade and Connection."
        )
    return f"Remove the slash at the end: {path.rstrip('/')}" if path.strip("/") and path.endswith("/") else ""


def _cluster_problem(error: ClusterError) -> ProblemError:
    if error.status == 401:
        # The server's own token, not the caller's: a pod's token expires with the pod, shortly before its last
        # responses.
        detail = "The Kubernetes API rejected the token of this server; nothing was changed."
        hint = "Try again: another replica may respond. If none does, check the server's ServiceAccount or kubeconfig."
        return ProblemError("cluster-unreachable", detail, hint=hint, headers={"Retry-After": "1"})
    if error.status in (0, 429) or error.status >= 500:
        seconds = int(error.retry_after_seconds or RETRY_AFTER_SECONDS)
        hint = "Try again later. As far as the server knows, nothing was changed; reads show the last known state."
        return ProblemError("cluster-unreachable", error.message, hint=hint, headers={"Retry-After": str(seconds)})
    return ProblemError(
        "cluster-refused", error.message, hint="Check the platform's RBAC rights and the custom resource."
    )
