"""The audit trail: exactly one line of the logger `urumi.audit` for each call of an auditable operation.

The wrapper is outside the gate, so that refused calls are recorded too. The line has the action, the store, the
outcome, the user, the address and the request id, each once. The endpoint adds through `note` what only it knows. A
refused call also has the problem's detail in its line; the log of refused requests (server/http/problems.py) leaves
the call out.
"""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING

from server.auth.identity import identified_caller
from server.http.problems import as_problem, request_id

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from server.auth.identity import Endpoint

log = logging.getLogger("urumi.audit")


def note(request: Request, **facts: str) -> None:
    """Set facts of the call's line: `store`, `outcome` or `user`; the last value of each wins."""
    request.state.audit_facts = {**getattr(request.state, "audit_facts", {}), **facts}


def audited(action: str, endpoint: Endpoint) -> Endpoint:
    """Return the endpoint with one audit line for each call."""

    @functools.wraps(endpoint)
    async def call(request: Request) -> Response:
        # Problems are logged once: here.
        request.state.is_audited = True
        facts = {"outcome": "cancelled"}
        try:
            response = await endpoint(request)
            facts = {"outcome": "done"}
            return response
        except Exception as error:
            problem = as_problem(error)
            facts = {"outcome": f"refused: {problem.name}", "detail": problem.message}
            raise
        finally:
            caller = identified_caller(request)
            line = {
                "action": action,
                "store": request.path_params.get("store_id", "")[:80],
                "user": caller.user if caller else "",
                "ip": request.client.host if request.client else "",
                "request_id": request_id(request),
            }
            # What the endpoint noted is more precise than the name of the problem.
            log.info("call audited", extra={**line, **facts, **getattr(request.state, "audit_facts", {})})

    return call
