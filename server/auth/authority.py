"""Authorities: the user of a token and the rights of that user.

`Authority` is the protocol. `SharedToken` is the authority of a server with one token; `token_review.py` has the one
that asks the Kubernetes API.
"""

from __future__ import annotations

import hashlib
import hmac
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

    def proof(self, claim: str, token: str) -> str:
        """Return the part of a session cookie that proves a claim (id and expiry) to come from a valid token."""
        ...

    def token_of(self, claim: str, proof: str) -> str:
        """Return the token from which a claim comes, empty if the proof is wrong."""
        ...

    def unauthorized(self, detail: str) -> ProblemError:
        """Return the problem for a caller without a valid token, with a hint how to get one."""
        ...


class SharedToken:
    """One token with all rights, for a server on a single machine.

    The proof in a session cookie is a signature with a key that is derived from the token: valid across restarts and
    replicas, and invalid when the token changes.
    """

    def __init__(self, token: str) -> None:
        if not token:
            raise ValueError("the token must not be empty")
        self._token = token
        self._key = hashlib.sha256(b"urumi-session:" + token.encode()).digest()

    async def identify(self, token: str) -> str:
        """Return the one user."""
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            raise self.unauthorized("Invalid token.")
        return LOCAL_USER

    async def permit(self, token: str, verb: str) -> None:
        """Return if the token is valid: the one user has every right."""
        await self.identify(token)

    def proof(self, claim: str, token: str) -> str:
        """Return the signature of the claim."""
        return hmac.new(self._key, claim.encode(), hashlib.sha256).hexdigest()

    def token_of(self, claim: str, proof: str) -> str:
        """Return the one token if the claim is signed."""
        is_signed = hmac.compare_digest(proof.encode(), self.proof(claim, self._token).encode())
        return self._token if is_signed else ""

    def unauthorized(self, detail: str) -> ProblemError:
        """Return the problem, with the place of the token."""
        hint = "Send Authorization: Bearer <token>. The server logs the path of the token file when it starts."
        return unauthorized(detail, hint)


def unauthorized(detail: str, hint: str) -> ProblemError:
    """Return the problem for a caller without a valid token."""
    return ProblemError("unauthorized", detail, hint=hint, headers={"WWW-Authenticate": "Bearer"})
