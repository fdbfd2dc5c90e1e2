"""Where a call comes from: its connection, or what proxies say that the operator trusts.

    client --> proxy in TRUSTED_PROXIES --X-Forwarded-For, X-Forwarded-Proto--> server

Anybody can send these headers, so they count only from a trusted peer, and each entry only as far as the one that
wrote it is trusted itself: the list is read from its end, and the first address that is no trusted proxy is the
client. uvicorn's own reading of them trusts every process of the same machine, and is switched off.
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
    """Return where a call comes from; `peer` is the other end of the connection, `scheme` the connection's own."""
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
    said = headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    return ClientAddress(ip, said if said in ("http", "https") else scheme)


class Forwarded:
    """Pure ASGI middleware that puts the client's address and scheme in the place of the connection's."""

    def __init__(self, app: ASGIApp, trusted: Sequence[Network]) -> None:
        self._app = app
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on as if it came from the client itself."""
        if self._trusted and scope["type"] in ("http", "websocket") and scope.get("client"):
            peer, port = scope["client"]
            kind = "ws" if scope["type"] == "websocket" else "http"
            scheme = scope["scheme"].replace("ws", "http")
            seen = client_address(peer, scheme, Headers(scope=scope), self._trusted)
            scope["client"] = (seen.ip, port if seen.ip == peer else 0)
            scope["scheme"] = seen.scheme.replace("http", kind)
        await self._app(scope, receive, send)


def _is_trusted(ip: str, trusted: Sequence[Network]) -> bool:
    address = _address(ip)
    return address is not None and any(address in network for network in trusted)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address of `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`; None for anything else."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A socket that takes both kinds shows IPv4 peers as ::ffff:192.0.2.1.
    return getattr(address, "ipv4_mapped", None) or address
