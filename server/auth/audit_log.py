"""The audit trail: one line in the log `urumi.audit` for each call that would change something, whatever came of it.

The wrapper stands outside the gate, so that those who were refused are on record too. The endpoint says through `note`
what only it knows; where it does not get that far, the outcome is the problem that the caller is told.
"""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING

from server.auth.identity import asker_of
from server.http.problems import as_problem, request_id

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from server.auth.identity import Endpoint

log = logging.getLogger("urumi.audit")


def note(request: Request, **words: str) -> None:
    """Remember words for the line, such as `store` and `outcome`."""
    request.state.audit = {**_noted(request), **words}


def audited(action: str, endpoint: Endpoint) -> Endpoint:
    """Return the endpoint that leaves a line for each call."""

    @functools.wraps(endpoint)
    async def answered(request: Request) -> Response:
        try:
            response = await endpoint(request)
        except Exception as error:
            _write(action, request, {"outcome": f"refused: {as_problem(error).name}"})
            raise
        _write(action, request, {})
        return response

    return answered


def _write(action: str, request: Request, words: dict[str, str]) -> None:
    asker = asker_of(request)
    line = {
        "action": action,
        "store": request.path_params.get("store_id", "")[:80],
        "outcome": "done",
        "user": asker.user if asker else "",
        "ip": request.client.host if request.client else "",
        "request_id": request_id(request),
    }
    # What the endpoint noted is more exact than the problem's name.
    log.info("store call", extra={**line, **words, **_noted(request)})


def _noted(request: Request) -> dict[str, str]:
    noted: dict[str, str] = getattr(request.state, "audit", {})
    return noted
