"""Who is calling: a bearer token for programs, a signed cookie for the page.

The cookie is stateless: an expiry signed with a key derived from the token, so that it outlives a restart and ends when
the token changes. A browser sends it along by itself, so everything that it can change with (unsafe methods and the
WebSocket) must come from the page's own origin.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from server.problems import ProblemError

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

COOKIE = "urumi_session"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling and from where, as the audit line and `requestedBy` tell it."""

    user: str
    ip: str
    user_agent: str


class Gate:
    """Lets callers in by token or by cookie."""

    def __init__(self, token: str, session_seconds: int) -> None:
        if not token:
            raise ValueError("a gate needs a token")
        self._token = token
        self._session_seconds = session_seconds
        self._key = hashlib.sha256(b"urumi-session:" + token.encode()).digest()

    def admit(self, connection: HTTPConnection) -> Caller:
        """Return the caller.

        Raises:
            ProblemError: unauthorized, or forbidden where a cookie came from another origin.
        """
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            self.check_token(token.strip())
            return _caller(connection)
        if not self._is_signed(connection.cookies.get(COOKIE, "")):
            raise unauthorized("No token came with the request, or the session is over.")
        method = connection.scope.get("method", "WEBSOCKET")
        if method not in SAFE_METHODS:
            check_origin(connection)
        return _caller(connection)

    def check_token(self, token: str) -> None:
        """Let the right token pass.

        Raises:
            ProblemError: unauthorized.
        """
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            raise unauthorized("The token is not the server's.")

    def cookie(self) -> str:
        """Return the value of a new session cookie."""
        expiry = str(int(time.time()) + self._session_seconds)
        return f"{expiry}.{self._signature(expiry)}"

    def _is_signed(self, cookie: str) -> bool:
        expiry, _, signature = cookie.partition(".")
        if not expiry.isdigit() or not hmac.compare_digest(signature.encode(), self._signature(expiry).encode()):
            return False
        return int(expiry) > time.time()

    def _signature(self, expiry: str) -> str:
        return hmac.new(self._key, expiry.encode(), hashlib.sha256).hexdigest()


def check_origin(connection: HTTPConnection) -> None:
    """Let requests of the page itself pass: browsers say in headers that scripts cannot forge where one comes from.

    Raises:
        ProblemError: forbidden.
    """
    site = connection.headers.get("sec-fetch-site")
    origin = connection.headers.get("origin")
    if site is not None and site not in ("same-origin", "none"):
        raise ProblemError("forbidden", f"The request came from another site ({site}).")
    if origin is not None and urlsplit(origin).netloc != connection.headers.get("host", ""):
        raise ProblemError("forbidden", f"The request came from {origin[:200]!r}, expected the page's own origin.")
    if origin is None and site is None:
        raise ProblemError("forbidden", "A cookie came without Origin.", hint="Programs send a bearer token instead.")


def unauthorized(detail: str) -> ProblemError:
    """Return the problem of a caller that nobody knows."""
    hint = "Send Authorization: Bearer <token>; the server wrote the token's file name to its log when it started."
    return ProblemError("unauthorized", detail, hint=hint, headers={"WWW-Authenticate": "Bearer"})


def _caller(connection: HTTPConnection) -> Caller:
    ip = connection.client.host if connection.client else ""
    return Caller("admin", ip, connection.headers.get("user-agent", "")[:200])
