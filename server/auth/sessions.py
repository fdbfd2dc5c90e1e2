"""Sessions of the page: what a session cookie contains, and which of those in a request are valid.

    cookie = <id> . <expiry> . <proof>

The proof leads back to the token, which each call checks, so that a right that was revoked is also revoked for the
page. What the proof is depends on the authority: with one shared token a signature of id and expiry, with the tokens of
a cluster the token itself. Such a token is not kept in an object of the cluster instead, although that would lift the
limit on its length: everyone who may read the object could act as any user who is signed in, and every sign-in would
need a write. Nothing is kept in the process, so every replica accepts every session, also after a restart.

A session ends when it expires, when its token does, or when the user signs out (ended_sessions.py). With the tokens of
a cluster, a copy of the cookie still contains a token that is valid for the API: signing out cannot revoke that.
"""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from server.auth.session_cookie import MAX_BYTES, candidates
from server.http.problems import ProblemError

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from server.auth.authority import Authority
    from server.auth.ended_sessions import EndedSessions
    from server.auth.session_cookie import SessionCookie

_VALUE = re.compile(r"([0-9a-f]{32})\.([0-9]{1,12})\.(.+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Session:
    """A session that is neither expired nor ended; its token has yet to be checked."""

    id: str
    expiry: int
    token: str


class Sessions:
    """Begins, reads and ends sessions.

    Args:
        authority: makes and reads the proof.
        ended: the sessions that users have ended.
        seconds: how long a session lasts.
    """

    def __init__(self, authority: Authority, ended: EndedSessions, seconds: int) -> None:
        self.seconds = seconds
        self._authority = authority
        self._ended = ended

    def begin(self, token: str, cookie: SessionCookie) -> str:
        """Return the value of the cookie for a new session with a valid token.

        Raises:
            ProblemError: the token does not fit into a cookie.
        """
        claim = f"{secrets.token_hex(16)}.{int(time.time()) + self.seconds}"
        value = f"{claim}.{self._authority.proof(claim, token)}"
        # The value is quoted if the token contains certain characters.
        size = len(f'{cookie.name}="{value}"')
        if size > MAX_BYTES:
            most = len(token) - (size - MAX_BYTES)
            detail = (
                f"The token is too long for the page: it has {len(token)} characters, and browsers keep cookies of at "
                f"most {MAX_BYTES} bytes, which leaves {most}."
            )
            raise ProblemError(
                "invalid-request",
                detail,
                hint="Use a token with fewer claims, such as one of `kubectl create token`. The command and the "
                "dashboard accept the long one.",
                errors=[{"pointer": "/token", "message": f"token must have at most {most} characters"}],
            )
        return value

    def of(self, connection: HTTPConnection) -> list[Session]:
        """Return the sessions in a request, the most trustworthy first.

        Raises:
            ClusterUnreachable: it is not known yet which sessions were ended.
        """
        values = candidates(connection)
        if values:
            self._ended.check_known()
        return [session for value in values if (session := self._read(value)) is not None]

    async def end(self, session: Session) -> None:
        """End a session on every replica.

        Raises:
            ClusterError: the API server did not accept it; the session continues.
        """
        await self._ended.end(session.id, session.expiry)

    async def until_ended(self, session: Session) -> None:
        """Wait until a user ends a session, on whichever replica."""
        await self._ended.until_ended(session.id)

    def _read(self, value: str) -> Session | None:
        parts = _VALUE.fullmatch(value)
        if parts is None:
            return None
        session_id, expiry, proof = parts[1], int(parts[2]), parts[3]
        token = self._authority.token_of(f"{session_id}.{parts[2]}", proof)
        is_over = expiry <= time.time() or session_id in self._ended
        return None if is_over or not token else Session(session_id, expiry, token)
