"""The address of the client: the peer of the connection, or the address that a trusted proxy forwards.

    client --> proxy in URUMI_TRUSTED_PROXIES --X-Forwarded-For, X-Forwarded-Proto--> server

Anyone can send these headers, so they are read only from a trusted peer. Each proxy appends the address of its peer, so
the list is read from its end: the first address that is not a trusted proxy is the client. uvicorn's own support for
these headers trusts every process on the same machine; it is disabled.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

from starlette.datastructures import Headers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    from starlette.types import ASGIApp, Receive, Scope, Send

    Network = IPv4Network | IPv6Network


class ClientAddress(NamedTuple):
    """The address of the client and the scheme that it used, `http` or `https`."""

    ip: str
    scheme: str


def client_address(peer: str, scheme: str, headers: Headers, trusted: Sequence[Network]) -> ClientAddress:
    """Return the client of a call, given the peer address and the scheme of the connection."""
    if not _is_trusted(peer, trusted):
        return ClientAddress(peer, scheme)
    ip = peer
    for hop in reversed(",".join(headers.getlist("x-forwarded-for")).split(",")):
        found = _address(hop)
        if found is None:
            break
        ip = str(found)
        if not _is_trusted(ip, trusted):
            break
    forwarded = headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    return ClientAddress(ip, forwarded if forwarded in ("http", "https") else scheme)


class ForwardedHeaders:
    """Pure ASGI middleware that replaces the address and scheme of the connection with those of the client."""

    def __init__(self, app: ASGIApp, trusted: Sequence[Network]) -> None:
        self._app = app
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on with the client's address and scheme in its scope."""
        if self._trusted and scope["type"] in ("http", "websocket") and scope.get("client"):
            peer, port = scope["client"]
            kind = "ws" if scope["type"] == "websocket" else "http"
            scheme = scope["scheme"].replace("ws", "http")
            client = client_address(peer, scheme, Headers(scope=scope), self._trusted)
            scope["client"] = (client.ip, port if client.ip == peer else 0)
            scope["scheme"] = client.scheme.replace("http", kind)
        await self._app(scope, receive, send)


def _is_trusted(ip: str, trusted: Sequence[Network]) -> bool:
    address = _address(ip)
    return address is not None and any(address in network for network in trusted)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Parse `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`; return None for anything else."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A dual-stack socket reports IPv4 peers as ::ffff:192.0.2.1.
    return getattr(address, "ipv4_mapped", None) or address
