"""One operation of the API: its parameters, its answers and its problems.

    server/openapi/operations.py --+--> routes    served by Starlette
                                   +--> document  /openapi.json and /docs

Routes and document are built from the same table, so they cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.routing import Route

from server.auth.audit_log import audited
from urumi.wire import NoQuery

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request
    from starlette.responses import Response

    from server.auth.identity import Endpoint, Gate
    from urumi.wire import Wire


@dataclass(frozen=True, slots=True)
class Answer:
    """One successful response of an operation: a model, text of a media type, or no content."""

    description: str
    model: type[Wire] | None = None
    media_type: str = ""
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    Attributes:
        answers: the successful responses by status.
        problems: names from `server.http.problems.PROBLEMS`.
        verb: the RBAC verb that the caller needs, None for a public operation.
        action: the name in the audit trail, empty if the operation is not audited.
    """

    method: str
    path: str
    endpoint: Endpoint
    name: str
    summary: str
    answers: dict[int, Answer]
    problems: tuple[str, ...] = ()
    query: type[Wire] = NoQuery
    body: type[Wire] | None = None
    is_body_optional: bool = False
    takes_key: bool = False
    takes_etag: bool = False
    verb: str | None = None
    action: str = ""
    description: str = ""

    @property
    def is_open(self) -> bool:
        """Return whether the operation needs no identity."""
        return self.verb is None

    def endpoint_behind(self, gate: Gate) -> Endpoint:
        """Return the endpoint with its check of rights and its audit line."""
        endpoint = self.endpoint if self.verb is None else gate.guard(self.verb, self.endpoint)
        return audited(self.action, endpoint) if self.action else endpoint


def routes(operations: Iterable[Operation], gate: Gate) -> list[Route]:
    """Return one route per path, so that a 405 response lists every method of the path."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for operation in operations:
        by_path.setdefault(operation.path, {})[operation.method] = operation.endpoint_behind(gate)
    return [Route(path, _dispatcher(endpoints), methods=list(endpoints)) for path, endpoints in by_path.items()]


def _dispatcher(endpoints: dict[str, Endpoint]) -> Endpoint:
    async def dispatch(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await endpoints[method](request)

    return dispatch
