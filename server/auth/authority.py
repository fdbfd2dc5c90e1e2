"""Who a token belongs to and what they may do: the question, and its answer where there is one token for everything.

`token_review.py` has the other answer, that of the Kubernetes API. A session cookie leads back to a token, so that
everything is asked of the token, each time: whoever loses a right loses it in the page too.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import Protocol

from server.http.problems import ProblemError

LOCAL_USER = "admin"


class Authority(Protocol):
    """Knows tokens.

    Raises:
        ProblemError: unauthorized where nobody has that token, not-allowed where its owner may not do that.
        ClusterError: it cannot be found out now; nobody is let in on a guess.
    """

    async def identify(self, token: str) -> str:
        """Return the user whose token it is."""
        ...

    async def permit(self, token: str, verb: str) -> None:
        """Let pass who may do that with stores."""
        ...

    def cookie(self, token: str) -> str:
        """Return the value of a session cookie for a token that is known."""
        ...

    def token_in(self, cookie: str) -> str:
        """Return the token that a session cookie stands for, empty where it stands for none."""
        ...

    def unauthorized(self, detail: str) -> ProblemError:
        """Return the problem of a caller that nobody knows."""
        ...


class OneToken:
    """One token that may do everything, for a server on somebody's own machine.

    The cookie is stateless: an expiry signed with a key derived from the token, so that it outlives a restart and ends
    when the token changes.
    """

    def __init__(self, token: str, session_seconds: int) -> None:
        if not token:
            raise ValueError("there has to be a token")
        self._token = token
        self._session_seconds = session_seconds
        self._key = hashlib.sha256(b"urumi-session:" + token.encode()).digest()

    async def identify(self, token: str) -> str:
        """Return the one user."""
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            raise self.unauthorized("The token is not the server's.")
        return LOCAL_USER

    async def permit(self, token: str, verb: str) -> None:
        """Let the one user pass."""
        await self.identify(token)

    def cookie(self, token: str) -> str:
        """Return a signed expiry."""
        expiry = str(int(time.time()) + self._session_seconds)
        return f"{expiry}.{self._signature(expiry)}"

    def token_in(self, cookie: str) -> str:
        """Return the token where the expiry is signed and has not come."""
        expiry, _, signature = cookie.partition(".")
        if not expiry.isdigit() or not hmac.compare_digest(signature.encode(), self._signature(expiry).encode()):
            return ""
        return self._token if int(expiry) > time.time() else ""

    def unauthorized(self, detail: str) -> ProblemError:
        """Return the problem, with where the token is to be found."""
        return stranger(
            detail,
            "Send Authorization: Bearer <token>; the server wrote the token's file name to its log when it started.",
        )

    def _signature(self, expiry: str) -> str:
        return hmac.new(self._key, expiry.encode(), hashlib.sha256).hexdigest()


def stranger(detail: str, hint: str) -> ProblemError:
    """Return the problem of a caller that nobody knows."""
    return ProblemError("unauthorized", detail, hint=hint, headers={"WWW-Authenticate": "Bearer"})
