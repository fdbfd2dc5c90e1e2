"""The middleware around every response: the request id, security headers, and a problem for an unhandled exception.

Unhandled exceptions are answered here instead of by Starlette's outermost middleware, so that their responses carry the
request id and the headers too.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.requests import Request

from server.http.problems import handle_error

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
STRICT_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
# Encoded once, because every response gets them.
_BY_DEFAULT = tuple(
    (name.lower().encode(), value.encode()) for name, value in {"Cache-Control": "no-store", **STRICT_HEADERS}.items()
)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Envelope:
    """Pure ASGI middleware for HTTP calls and WebSocket handshakes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on with a request id in its state, and add the headers to its response."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_strict(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                given = {name for name, _ in message["headers"]}
                added = (header for header in _BY_DEFAULT if header[0] not in given)
                message["headers"] = [*message["headers"], *added, (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, send_strict)
        except Exception as error:
            if scope["type"] != "http":
                raise
            response = await handle_error(Request(scope, receive), error)
            await response(scope, receive, send_strict)
