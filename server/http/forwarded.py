"""The client behind proxies: its address, and the scheme, host and path prefix that it used.

    client --> proxy in URUMI_TRUSTED_PROXIES --X-Forwarded-*, or Forwarded--> server

Anyone can send these headers, so one rule applies to all of them: they are read only from a trusted peer. Each proxy
appends the address of its peer, so the list of addresses is read from its end: the first address that is not a trusted
proxy is the client. `Forwarded` (RFC 7239) is read only from a proxy that sends no X-Forwarded header: most proxies
write one of the two kinds and pass the other on as the client sent it. The middleware writes the result into the scope,
so that everything behind it sees the client's address, the `Host` of the client and the prefix as `root_path`.

uvicorn's own support for these headers trusts every process on the same machine; it is disabled.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

from starlette.datastructures import Headers

from server.settings import PREFIX_PATTERN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    from starlette.requests import HTTPConnection
    from starlette.types import ASGIApp, Receive, Scope, Send

    Network = IPv4Network | IPv6Network

DEFAULT_PORTS = frozenset({"80", "443"})
_LEGACY = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "x-forwarded-prefix")
_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
_PREFIX = re.compile(PREFIX_PATTERN)
_PAIR = re.compile(r'([A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))')
_ELEMENT = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')


@dataclass(frozen=True, slots=True)
class Client:
    """A client as it is known to the server: its address, and the scheme, host and path prefix that it used."""

    ip: str
    scheme: str
    host: str = ""
    prefix: str = ""


class Peer(NamedTuple):
    """The other end of the connection, which is a proxy or the client itself."""

    ip: str
    is_trusted: bool


def seen_through(peer: str, direct: Client, headers: Headers, trusted: Sequence[Network]) -> Client:
    """Return the client behind a trusted peer; `direct` is the client if the peer is not a proxy."""
    if not _is_trusted(peer, trusted):
        return direct
    if any(name in headers for name in _LEGACY):
        return _from_legacy(direct, headers, trusted)
    return _from_standard(direct, headers, trusted)


class ForwardedHeaders:
    """Pure ASGI middleware that replaces address, scheme, host and prefix of the connection with those of the client.

    Args:
        trusted: the networks of the proxies.
        root_path: the prefix at which the server is published; if it is set, X-Forwarded-Prefix is ignored.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[Network], root_path: str = "") -> None:
        self._app = app
        self._trusted = trusted
        self._root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on with what the client used in its scope."""
        if scope["type"] in ("http", "websocket") and scope.get("client"):
            self._rewrite(scope)
        await self._app(scope, receive, send)

    def _rewrite(self, scope: Scope) -> None:
        given, port = scope["client"]
        peer, headers = str(_address(given) or given), Headers(scope=scope)
        direct = Client(peer, scope["scheme"].replace("ws", "http"), headers.get("host", ""))
        client = seen_through(peer, direct, headers, self._trusted)
        scope["client"] = (client.ip, port if client.ip == peer else 0)
        scope["scheme"] = client.scheme.replace("http", "ws" if scope["type"] == "websocket" else "http")
        if client.host != direct.host:
            others = [(name, value) for name, value in scope["headers"] if name != b"host"]
            scope["headers"] = [(b"host", client.host.encode()), *others]
        scope.setdefault("state", {})["peer"] = Peer(peer, _is_trusted(peer, self._trusted))
        if prefix := self._root_path or client.prefix:
            # Some proxies remove the prefix and some do not. In ASGI, the path includes it.
            path = scope["path"]
            scope["root_path"] = prefix
            if path == prefix:
                scope["path"] = f"{prefix}/"
            elif not path.startswith(f"{prefix}/"):
                scope["path"] = prefix + path


def peer_of(connection: HTTPConnection) -> Peer:
    """Return the other end of a connection."""
    peer: Peer | None = getattr(connection.state, "peer", None)
    return peer or Peer(connection.client.host if connection.client else "", is_trusted=False)


def _from_legacy(direct: Client, headers: Headers, trusted: Sequence[Network]) -> Client:
    hops = ",".join(headers.getlist("x-forwarded-for")).split(",")
    _, ip = _client_among(hops, direct.ip, trusted)
    scheme = _first(headers, "x-forwarded-proto").lower()
    host, port = _first(headers, "x-forwarded-host"), _first(headers, "x-forwarded-port")
    has_port = re.search(r":[0-9]+$", host or direct.host)
    # A proxy behind another one often sends the port of its own connection: the default ports say nothing.
    if port.isdigit() and port not in DEFAULT_PORTS and not has_port:
        host = f"{host or direct.host}:{port}"
    # Each proxy that removes a prefix appends it.
    prefix = "".join(part.strip().rstrip("/") for part in headers.get("x-forwarded-prefix", "").split(","))
    return _changed(replace(direct, ip=ip), scheme, host, prefix)


def _from_standard(direct: Client, headers: Headers, trusted: Sequence[Network]) -> Client:
    text = ",".join(headers.getlist("forwarded"))
    elements = [
        {name.lower(): re.sub(r"\\(.)", r"\1", quoted) or plain for name, quoted, plain in _PAIR.findall(element)}
        for element in _ELEMENT.findall(text)
    ]
    # Each proxy appends what its own client used, so scheme and host come from the element of the client.
    place, ip = _client_among([element.get("for", "") for element in elements], direct.ip, trusted)
    used = elements[place] if place < len(elements) else {}
    return _changed(replace(direct, ip=ip), used.get("proto", "").lower(), used.get("host", ""), "")


def _client_among(hops: Sequence[str], peer: str, trusted: Sequence[Network]) -> tuple[int, str]:
    """Return the last address that no trusted proxy has, and its place; the peer, and one too many, without any."""
    place, ip = len(hops), peer
    for number, hop in reversed(list(enumerate(hops))):
        found = _address(hop)
        if found is None:
            break
        place, ip = number, str(found)
        if not _is_trusted(ip, trusted):
            break
    return place, ip


def _changed(client: Client, scheme: str, host: str, prefix: str) -> Client:
    """Return the client with what is valid of the given texts."""
    return replace(
        client,
        scheme=scheme if scheme in ("http", "https") else client.scheme,
        host=host if _HOST.fullmatch(host) else client.host,
        prefix=prefix if _PREFIX.fullmatch(prefix) else "",
    )


def _first(headers: Headers, name: str) -> str:
    """Return the part of a list that the outermost proxy wrote."""
    return headers.get(name, "").partition(",")[0].strip()


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
