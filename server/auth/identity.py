"""Who is calling: a bearer token for programs, a cookie for the page; what it is worth, the authority says.

Every route that is not for everybody stands behind `Gate.guard`, which names the verb of RBAC that it takes. An
endpoint asks `Gate.admit` who was let in; a route without a guard has let in nobody. A browser sends the cookie along
by itself, so everything that it can change with (unsafe methods, the WebSocket) must come from the page's own origin.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from server.http.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import HTTPConnection, Request
    from starlette.responses import Response

    from server.auth.authority import Authority

    Endpoint = Callable[[Request], Awaitable[Response]]

COOKIE = "urumi_session"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# The verb of those who need to be known only.
ANY = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling and from where, as the audit line and `requestedBy` tell it."""

    user: str
    ip: str
    user_agent: str


class Gate:
    """Lets callers in by token or by cookie."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority

    def guard(self, verb: str, endpoint: Endpoint) -> Endpoint:
        """Return the endpoint for those only who may do `verb` with stores."""

        @functools.wraps(endpoint)
        async def guarded(request: Request) -> Response:
            await self.enter(request, verb)
            return await endpoint(request)

        return guarded

    async def enter(self, connection: HTTPConnection, verb: str) -> Caller:
        """Let the caller in and return who it is.

        Raises:
            ProblemError: unauthorized, not-allowed, or forbidden where a cookie came from another origin.
            ClusterError: it cannot be found out now.
        """
        token = self._token(connection)
        user = await self.authority.identify(token)
        ip = connection.client.host if connection.client else ""
        caller = Caller(user[:256], ip, connection.headers.get("user-agent", "")[:200])
        # The audit trail wants the name of who is refused, too.
        connection.state.asker = caller
        if verb != ANY:
            await self.authority.permit(token, verb)
        connection.state.caller = caller
        return caller

    def admit(self, connection: HTTPConnection) -> Caller:
        """Return who was let in.

        Raises:
            ProblemError: unauthorized, where nobody was.
        """
        caller = caller_of(connection)
        if caller is None:
            raise self.authority.unauthorized("Nobody was let in here.")
        return caller

    def _token(self, connection: HTTPConnection) -> str:
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return token.strip()
        token = self.authority.token_in(connection.cookies.get(COOKIE, ""))
        if not token:
            raise self.authority.unauthorized("No token came with the request, or the session is over.")
        if connection.scope.get("method", "WEBSOCKET") not in SAFE_METHODS:
            check_origin(connection)
        return token


def caller_of(connection: HTTPConnection) -> Caller | None:
    """Return who was let in, None where nobody was."""
    return _remembered(connection, "caller")


def asker_of(connection: HTTPConnection) -> Caller | None:
    """Return who asked, also where they may not; None where it is not known."""
    return _remembered(connection, "asker")


def _remembered(connection: HTTPConnection, name: str) -> Caller | None:
    caller = connection.scope.get("state", {}).get(name)
    return caller if isinstance(caller, Caller) else None


def check_origin(connection: HTTPConnection) -> None:
    """Let requests of the page itself pass: browsers say in headers that scripts cannot forge where one comes from.

    Raises:
        ProblemError: forbidden.
    """
    site = connection.headers.get("sec-fetch-site")
    origin = connection.headers.get("origin")
    if site is not None and site not in ("same-origin", "none"):
        raise ProblemError("forbidden", f"The request came from another site ({site[:40]!r}).")
    if origin is not None and urlsplit(origin).netloc != connection.headers.get("host", ""):
        raise ProblemError("forbidden", f"The request came from {origin[:200]!r}, expected the page's own origin.")
    if origin is None and site is None:
        raise ProblemError("forbidden", "A cookie came without Origin.", hint="Programs send a bearer token instead.")
