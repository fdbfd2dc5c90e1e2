"""The proxy of a URL, from the environment: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY in either case.

A company's environment often sets a proxy and no NO_PROXY. A proxy on another machine cannot reach this machine's
loopback interface, nor a pod's API server, so these addresses never go through one, as in Go's standard library. On
macOS, the proxies of the system's settings count too.
"""

from __future__ import annotations

import ipaddress
import os
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

if TYPE_CHECKING:
    from collections.abc import Mapping

# The only kind that the HTTP client, the WebSocket client and aiohttp support without more packages.
SUPPORTED = ("http://", "https://")
API_SERVER_VARIABLE = "KUBERNETES_SERVICE_HOST"


def is_direct(host: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether a host is this machine or, in a pod, the cluster's API server."""
    name = host.strip("[]").rstrip(".").lower()
    if name == environ.get(API_SERVER_VARIABLE, "").strip("[]").lower():
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_unspecified)


def proxy_for(url: str) -> str | None:
    """Return the URL of the proxy for a URL, None if it is reached directly."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_direct(host) or proxy_bypass(host if parts.port is None else f"{host}:{parts.port}"):
        return None
    proxies = getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all")
    return f"http://{found}" if found and "://" not in found else found or None


def without_password(proxy: str) -> str:
    """Return the URL of a proxy without user and password."""
    return re.sub(r"//[^/@]*@", "//", proxy)
