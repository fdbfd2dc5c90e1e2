"""The check that a browser's request comes from the page itself, by headers that scripts cannot forge.

A browser sends the session cookie with every request, also with those of other pages. `Origin` must name the host and
port that the request was sent to: the `Host` header, or the one that a trusted proxy forwards
(server/http/forwarded.py). The default ports count as none, because proxies add and drop them. The schemes are compared
only if the server knows that the client uses https: TLS may end at a proxy that is not trusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from server.http.forwarded import DEFAULT_PORTS, peer_of
from server.http.problems import ProblemError

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

SHOWN = 200
_FORWARDED = ("x-forwarded-host", "forwarded")
_PORT_OF = {"http": 80, "https": 443}


def check_origin(connection: HTTPConnection) -> None:
    """Check that a request with a session comes from the page.

    Raises:
        ProblemError: forbidden.
    """
    site = connection.headers.get("sec-fetch-site")
    origin = connection.headers.get("origin")
    if site is not None and site not in ("same-origin", "none"):
        detail = f"Request from another site refused: Sec-Fetch-Site must be same-origin, got {site[:40]!r}."
        raise ProblemError("forbidden", detail)
    if origin is None and site is None:
        detail = "Request with a session cookie refused: it has no Origin header."
        raise ProblemError("forbidden", detail, hint="Send a bearer token instead of the cookie.")
    host = connection.headers.get("host", "")
    if origin is not None and not is_same_origin(origin, connection.scope["scheme"], host):
        raise _refusal(connection, origin, host)


def is_same_origin(origin: str, scheme: str, host: str) -> bool:
    """Return whether an Origin header names the host that a request was sent to with this scheme."""
    try:
        page, target = urlsplit(origin), urlsplit(f"//{host}")
        page_port, target_port = page.port, target.port
    except ValueError:
        return False
    if page.scheme not in _PORT_OF or not page.hostname or page.hostname != target.hostname:
        return False
    if scheme in ("https", "wss") and page.scheme != "https":
        return False
    default = _PORT_OF[page.scheme]
    if (page_port or default) == default and (target_port is None or str(target_port) in DEFAULT_PORTS):
        return True
    return page_port == target_port


def is_page_secure(connection: HTTPConnection) -> bool:
    """Return whether a request comes from an https address, as far as the server can know.

    Behind a proxy that is not trusted, only the Origin of the page shows it.
    """
    scheme, origin = connection.scope["scheme"], connection.headers.get("origin", "")
    return scheme in ("https", "wss") or urlsplit(origin).scheme == "https"


def port_of(connection: HTTPConnection) -> int:
    """Return the port that the client of a connection used."""
    scheme = connection.scope["scheme"].replace("ws", "http")
    try:
        return urlsplit(f"//{connection.headers.get('host', '')}").port or _PORT_OF[scheme]
    except ValueError:
        return _PORT_OF[scheme]


def _refusal(connection: HTTPConnection, origin: str, host: str) -> ProblemError:
    """Return the problem, with what came and what to set if the request came from the page nevertheless."""
    peer = peer_of(connection)
    detail = f"Request from another origin refused: Origin is {origin[:SHOWN]!r}, Host is {host[:SHOWN]!r}"
    ignored = next((name for name in _FORWARDED if name in connection.headers and not peer.is_trusted), "")
    if not ignored:
        hint = (
            "Check that the reverse proxy of this page, if there is one, passes on the Host header, or sends "
            "X-Forwarded-Host from an address in URUMI_TRUSTED_PROXIES."
        )
        return ProblemError("forbidden", f"{detail}.", hint=hint)
    return ProblemError(
        "forbidden",
        f"{detail}; {ignored} {connection.headers[ignored][:SHOWN]!r} from {peer.ip} is not trusted.",
        hint=f"Check whether {peer.ip} is the reverse proxy of this page; if so, add it to URUMI_TRUSTED_PROXIES.",
    )
