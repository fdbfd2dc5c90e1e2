"""The contract's parts: an operation says what it takes, what it answers and which problems it may answer with.

    operations (server/openapi/operations.py) --+--> routes    what Starlette serves
                                        +--> document  what /openapi.json says and /docs shows

Both are made of the same operations, so that neither can have what the other has not.
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
    """One way in which an operation ends well: a model, text of a media type, or nothing."""

    words: str
    model: type[Wire] | None = None
    media_type: str = ""
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    `answers` are by status; `problems` are names of server.problems.PROBLEMS; `verb` is the one of RBAC that it takes,
    None where it is for everybody; `action` is its name in the audit trail.
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
    words: str = ""

    @property
    def is_open(self) -> bool:
        """Return whether no identity is needed."""
        return self.verb is None

    def endpoint_behind(self, gate: Gate) -> Endpoint:
        """Return the endpoint for those only who may call it, with its line in the audit trail."""
        endpoint = self.endpoint if self.verb is None else gate.guard(self.verb, self.endpoint)
        return audited(self.action, endpoint) if self.action else endpoint


def routes(operations: Iterable[Operation], gate: Gate) -> list[Route]:
    """Return one route a path, so that 405 names every method there is."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for operation in operations:
        by_path.setdefault(operation.path, {})[operation.method] = operation.endpoint_behind(gate)
    return [Route(path, _dispatcher(endpoints), methods=list(endpoints)) for path, endpoints in by_path.items()]


def _dispatcher(endpoints: dict[str, Endpoint]) -> Endpoint:
    async def dispatch(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await endpoints[method](request)

    return dispatch
