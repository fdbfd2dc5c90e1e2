"""Authorities: the user of a token and the rights of that user.

`Authority` is the protocol. `SharedToken` is the authority of a server with one token; `token_review.py` has the one
that asks the Kubernetes API. A session cookie leads back to a token, and each call checks the token, so that a right
that was revoked is also revoked for the page.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import Protocol

from server.http.problems import ProblemError

LOCAL_USER = "admin"


class Authority(Protocol):
    """Identifies and authorizes tokens.

    Raises:
        ProblemError: `unauthorized` for an unknown token, `not-allowed` if its user lacks the right.
        ClusterError: the token could not be checked; the call is refused.
    """

    async def identify(self, token: str) -> str:
        """Return the user of a token."""
        ...

    async def permit(self, token: str, verb: str) -> None:
        """Return if the user may use the RBAC verb on stores; raise otherwise."""
        ...

    def cookie(self, token: str) -> str:
        """Return the value of a session cookie for a valid token."""
        ...

    def token_in(self, cookie: str) -> str:
        """Return the token of a session cookie, empty if the cookie is not valid."""
        ...

    def unauthorized(self, detail: str) -> ProblemError:
        """Return the problem for a caller without a valid token, with a hint how to get one."""
        ...


class SharedToken:
    """One token with all rights, for a server on a single machine.

    The cookie is stateless: an expiry time, signed with a key that is derived from the token. It is valid across
    restarts and becomes invalid when the token changes.
    """

    def __init__(self, token: str, session_seconds: int) -> None:
        if not token:
            raise ValueError("the token must not be empty")
        self._token = token
        self._session_seconds = session_seconds
        self._key = hashlib.sha256(b"urumi-session:" + token.encode()).digest()

    async def identify(self, token: str) -> str:
        """Return the one user."""
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            raise self.unauthorized("Invalid token.")
        return LOCAL_USER

    async def permit(self, token: str, verb: str) -> None:
        """Return if the token is valid: the one user has every right."""
        await self.identify(token)

    def cookie(self, token: str) -> str:
        """Return a signed expiry time."""
        expiry = str(int(time.time()) + self._session_seconds)
        return f"{expiry}.{self._signature(expiry)}"

    def token_in(self, cookie: str) -> str:
        """Return the token if the expiry time is signed and in the future."""
        expiry, _, signature = cookie.partition(".")
        if not expiry.isdigit() or not hmac.compare_digest(signature.encode(), self._signature(expiry).encode()):
            return ""
        return self._token if int(expiry) > time.time() else ""

    def unauthorized(self, detail: str) -> ProblemError:
        """Return the problem, with the place of the token."""
        hint = "Send Authorization: Bearer <token>. The server logs the path of the token file when it starts."
        return unauthorized(detail, hint)

    def _signature(self, expiry: str) -> str:
        return hmac.new(self._key, expiry.encode(), hashlib.sha256).hexdigest()


def unauthorized(detail: str, hint: str) -> ProblemError:
    """Return the problem for a caller without a valid token."""
    return ProblemError("unauthorized", detail, hint=hint, headers={"WWW-Authenticate": "Bearer"})
