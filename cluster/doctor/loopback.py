"""The loopback interface: its addresses and names, and the ports that Urumi uses."""

import os
import socket
from collections.abc import Iterator

from cluster.doctor.finding import Finding
from cluster.place import Place
from cluster.ports import ADDRESS, is_free

DEFAULT_PORT = 8780
TIMEOUT_SECONDS = 3.0


def loopback(place: Place) -> Iterator[Finding]:
    """Check that a program can connect to another one of this machine."""
    reason = _failure(socket.AF_INET, ADDRESS)
    if reason:
        hint = "Bring the loopback interface up: sudo ip link set lo up"
        yield Finding("problem", "loopback", f"No connection over {ADDRESS} is possible: {reason}.", hint)
    else:
        yield Finding("ok", "loopback", ADDRESS)
    reason = _failure(socket.AF_INET6, "::1")
    sentence = f"::1 is not available ({reason}); Urumi does not need it." if reason else "::1"
    yield Finding("ok", "loopback IPv6", sentence)


def names(place: Place) -> Iterator[Finding]:
    """Check how this machine resolves its own name and the names of shops."""
    found = _addresses("localhost")
    if ADDRESS in found:
        yield Finding("ok", "localhost", ", ".join(found))
    else:
        what = f"resolves to {', '.join(found)}" if found else "does not resolve"
        sentence = f"localhost {what}, not to {ADDRESS}; Urumi uses the address."
        yield Finding("note", "localhost", sentence, f"Add the line `{ADDRESS} localhost` to /etc/hosts.")
    found = _addresses("shop-a.localhost")
    sentence = ", ".join(found) if found else "does not resolve here; browsers and curl need no entry for it"
    yield Finding("ok", "shop-a.localhost", sentence)


def server_port(place: Place) -> Iterator[Finding]:
    """Check that the server's port can be used, or is used by the server."""
    text = os.environ.get("URUMI_PORT") or str(DEFAULT_PORT)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        sentence = f"URUMI_PORT must be a port number from 1 to 65535, got {text!r}."
        yield Finding("problem", "port", sentence, f"Unset it, or set it to {DEFAULT_PORT}.")
        return
    port = int(text)
    if is_free(port):
        yield Finding("ok", "port", f"{port} is free")
    elif f":{port}" in _own_server(place):
        yield Finding("ok", "port", f"{port} is used by Urumi's server")
    else:
        sentence = f"Port {port} of {ADDRESS} is in use by another program."
        yield Finding("problem", "port", sentence, f"Choose another: URUMI_PORT={port % 65535 + 1} ./setup.sh")


def _own_server(place: Place) -> str:
    try:
        return place.server_file.read_text()
    except OSError:
        return ""


def _failure(family: socket.AddressFamily, address: str) -> str:
    try:
        with socket.socket(family) as server, socket.socket(family) as client:
            server.bind((address, 0))
            server.listen()
            client.settimeout(TIMEOUT_SECONDS)
            client.connect(server.getsockname()[:2])
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _addresses(name: str) -> list[str]:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return sorted({str(entry[4][0]) for entry in found})
