"""The calls of the page's session: sign in with a token, read who is signed in, sign out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from server.auth.audit_log import note
from server.auth.session_cookie import cookie_of
from server.http.origin import check_origin
from server.http.request import check_fields, json_body
from urumi.wire import SignIn

if TYPE_CHECKING:
    from starlette.requests import Request

    from server.auth.identity import Gate


class SessionCalls:
    """The endpoint /session."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def sign_in(self, request: Request) -> Response:
        """POST /session."""
        check_origin(request)
        token = check_fields(SignIn, await json_body(request)).token.strip()
        note(request, user=(await self._gate.authority.identify(token))[:256])
        cookie, sessions = cookie_of(request), self._gate.sessions
        value = sessions.begin(token, cookie)
        response = Response(status_code=204)
        cookie.set(response, value, sessions.seconds)
        return response

    async def who(self, request: Request) -> Response:
        """GET /session."""
        return JSONResponse({"user": self._gate.admit(request).user})

    async def sign_out(self, request: Request) -> Response:
        """DELETE /session."""
        self._gate.admit(request)
        for session in self._gate.sessions.of(request):
            await self._gate.sessions.end(session)
        response = Response(status_code=204)
        cookie_of(request).clear(response)
        return response
