"""The page's session: sign in with a token, keep it in a cookie that scripts cannot read, sign out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from server.auth.audit_log import note
from server.auth.identity import COOKIE
from server.http.origin import check_origin
from server.http.request import check_fields, json_body
from urumi.wire import SignIn

if TYPE_CHECKING:
    from starlette.requests import Request

    from server.auth.identity import Gate


class Session:
    """The endpoint /session."""

    def __init__(self, gate: Gate, seconds: int) -> None:
        self._gate = gate
        self._seconds = seconds

    async def sign_in(self, request: Request) -> Response:
        """POST /session."""
        check_origin(request)
        token = check_fields(SignIn, await json_body(request)).token.strip()
        authority = self._gate.authority
        note(request, user=(await authority.identify(token))[:256])
        response = Response(status_code=204)
        is_secure = request.url.scheme == "https"
        cookie = authority.cookie(token)
        response.set_cookie(COOKIE, cookie, max_age=self._seconds, httponly=True, samesite="strict", secure=is_secure)
        return response

    async def who(self, request: Request) -> Response:
        """GET /session."""
        return JSONResponse({"user": self._gate.admit(request).user})

    async def sign_out(self, request: Request) -> Response:
        """DELETE /session."""
        self._gate.admit(request)
        response = Response(status_code=204)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return response
