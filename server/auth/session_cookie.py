"""The cookie of a session: its name and attributes, and the candidates in a request.

    https, at the root of a host    __Host-urumi_session      Secure, Path=/: no other host can set it
    https, below a path prefix      __Secure-urumi_session    Secure, Path=/prefix/: several servers on one host
    http                            urumi_session_8780        the port: cookies of one host are sent to all its ports

A browser sends all cookies of one name, and a page on a sibling domain can set more of them. So every value is a
candidate, those first that such a page cannot set.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from server.http.origin import is_page_secure, port_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import HTTPConnection
    from starlette.responses import Response

HOST_NAME, SECURE_NAME, PLAIN_NAME = "__Host-urumi_session", "__Secure-urumi_session", "urumi_session_{port}"
# Browsers keep no cookie whose name and value are longer together (RFC 6265bis, 5.6).
MAX_BYTES = 4096
# Each candidate may cost a review of its token.
MAX_CANDIDATES = 10


@dataclass(frozen=True, slots=True)
class SessionCookie:
    """The cookie that a server sets for one address of the page."""

    name: str
    path: str
    is_secure: bool

    def set(self, response: Response, value: str, seconds: int) -> None:
        """Set the cookie; scripts cannot read it and no other site sends it."""
        response.set_cookie(
            self.name,
            value,
            max_age=seconds,
            path=self.path,
            secure=self.is_secure,
            httponly=True,
            samesite="strict",
        )

    def clear(self, response: Response) -> None:
        """Remove the cookie from the browser."""
        response.delete_cookie(self.name, path=self.path, secure=self.is_secure, httponly=True, samesite="strict")


def cookie_of(connection: HTTPConnection) -> SessionCookie:
    """Return the cookie for the address of the page that sends a request."""
    path = connection.scope.get("root_path", "") + "/"
    if not is_page_secure(connection):
        return SessionCookie(PLAIN_NAME.format(port=port_of(connection)), path, is_secure=False)
    return SessionCookie(HOST_NAME if path == "/" else SECURE_NAME, path, is_secure=True)


def candidates(connection: HTTPConnection) -> list[str]:
    """Return the values of the cookies that may be a session, the most trustworthy first."""
    # Whether a later request of the page is secure is not always known, so all names are read.
    names = (HOST_NAME, SECURE_NAME, PLAIN_NAME.format(port=port_of(connection)))
    pairs = list(_pairs(connection))
    found = (value for wanted in names for name, value in pairs if name == wanted)
    return list(islice(dict.fromkeys(found), MAX_CANDIDATES))


def _pairs(connection: HTTPConnection) -> Iterator[tuple[str, str]]:
    for header in connection.headers.getlist("cookie"):
        for part in header.split(";"):
            name, _, value = part.strip().partition("=")
            yield name, value.removeprefix('"').removesuffix('"')
