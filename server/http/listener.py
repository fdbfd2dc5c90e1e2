"""The sockets on which the server listens: one for an address, one for each address of a name.

`::` is one socket for both families. On a host without IPv6 it is every IPv4 address, so that one setting suits the
pods of any cluster.
"""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

from urumi.errors import ConfigError

if TYPE_CHECKING:
    from server.settings import ServerSettings

EVERY_ADDRESS, EVERY_IPV4_ADDRESS = "::", "0.0.0.0"  # noqa: S104 - the user chooses the address


def listeners(settings: ServerSettings) -> list[socket.socket]:
    """Return the bound sockets.

    Raises:
        ConfigError: the port is in use, or the host has no such address.
    """
    host = settings.host.removeprefix("[").removesuffix("]")
    try:
        return _bound(host, settings.port)
    except OSError as error:
        where = f"[{host}]:{settings.port}" if ":" in host else f"{host}:{settings.port}"
        raise ConfigError(
            f"Cannot listen on {where}: {error.strerror}.", hint="Pass another --port or set URUMI_PORT."
        ) from error


def _bound(host: str, port: int) -> list[socket.socket]:
    if host == EVERY_ADDRESS and not has_ipv6():
        host = EVERY_IPV4_ADDRESS
    found = dict.fromkeys(
        (family, address)
        for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        if family != socket.AF_INET6 or has_ipv6()
    )
    with ExitStack() as opened:
        bound = []
        for family, address in found:
            # asyncio sets TCP_NODELAY only on a socket with an explicit protocol; without it, answers are delayed by
            # 40 ms.
            listener = opened.enter_context(socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, host != EVERY_ADDRESS)
            listener.bind(address)
            bound.append(listener)
        opened.pop_all()
    return bound


def has_ipv6() -> bool:
    """Return whether this host has IPv6; a kernel that supports it may have it disabled."""
    if not socket.has_ipv6:
        return False
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
