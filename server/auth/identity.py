"""The gate: authenticates the caller by bearer token (programs) or session cookie (the page), and checks its rights.

Every route that needs identity is wrapped by `Gate.guard` with its RBAC verb; the endpoint reads the authorized caller
with `Gate.admit`, which fails on a route without a guard. A browser sends the cookie with every request, so calls that
change something and WebSocket handshakes with a cookie must come from the page's own origin.
"""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from server.http.origin import check_origin
from server.http.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import HTTPConnection, Request
    from starlette.responses import Response

    from server.auth.authority import Authority
    from server.auth.sessions import Session, Sessions

    Endpoint = Callable[[Request], Awaitable[Response]]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# The verb of a route that needs an identity and no right.
ANY = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling and from which address; the audit line and `requestedBy` show it."""

    user: str
    ip: str
    user_agent: str


class Gate:
    """Authenticates and authorizes calls."""

    def __init__(self, authority: Authority, sessions: Sessions) -> None:
        self.authority = authority
        self.sessions = sessions

    def guard(self, verb: str, endpoint: Endpoint) -> Endpoint:
        """Return the endpoint, restricted to callers with the RBAC verb on stores."""

        @functools.wraps(endpoint)
        async def guarded(request: Request) -> Response:
            await self.authorize(request, verb)
            return await endpoint(request)

        return guarded

    async def authorize(self, connection: HTTPConnection, verb: str) -> Caller:
        """Return the caller if it has the verb.

        Raises:
            ProblemError: unauthorized, not-allowed, or forbidden for a cookie from another origin.
            ClusterError: the token could not be checked.
        """
        token, user = await self._identify(connection)
        ip = connection.client.host if connection.client else ""
        caller = Caller(user[:256], ip, connection.headers.get("user-agent", "")[:200])
        # Kept before the check of the right, because the audit line of a refused call has the user too.
        connection.state.identified_caller = caller
        if verb != ANY:
            await self.authority.permit(token, verb)
        connection.state.authorized_caller = caller
        return caller

    def admit(self, connection: HTTPConnection) -> Caller:
        """Return the authorized caller.

        Raises:
            ProblemError: unauthorized, if no guard authorized the call.
        """
        caller: Caller | None = getattr(connection.state, "authorized_caller", None)
        if caller is None:
            raise self.authority.unauthorized("Authentication required.")
        return caller

    async def session_ended(self, connection: HTTPConnection) -> None:
        """Wait until the user of a connection signs out; never returns for a bearer token."""
        session: Session | None = getattr(connection.state, "session", None)
        if session is None:
            await asyncio.Event().wait()
        else:
            await self.sessions.until_ended(session)

    async def _identify(self, connection: HTTPConnection) -> tuple[str, str]:
        """Return the token of a call and its user."""
        connection.state.session = None
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return token.strip(), await self.authority.identify(token.strip())
        refusal = self.authority.unauthorized("Authentication required: the request has no token and no valid session.")
        for session in self.sessions.of(connection):
            try:
                user = await self.authority.identify(session.token)
            except ProblemError as problem:
                # Another cookie of this name may be the session: any page on a sibling domain can set one.
                refusal = problem
                continue
            if connection.scope.get("method", "WEBSOCKET") not in SAFE_METHODS:
                check_origin(connection)
            connection.state.session = session
            return session.token, user
        raise refusal


def identified_caller(connection: HTTPConnection) -> Caller | None:
    """Return the authenticated caller, also if it lacks the right; None if the caller is not known."""
    caller: Caller | None = getattr(connection.state, "identified_caller", None)
    return caller
