"""An nginx in the role of the ingress controller: the paths of one host, each routed to a server."""

from collections.abc import Mapping
from pathlib import Path

import httpx2

from testing.nginx import nginx
from testing.shops.medusa.servers import Server

BLOCK = """
    server {{
        listen 127.0.0.1:{port};
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-Proto http;
        {routes}
    }}
"""


def ingress(folder: Path, port: int, routes: Mapping[str, str]) -> Server:
    """Return the server; the routes map a path to a URL."""
    lines = "\n        ".join(f"location {path} {{ proxy_pass {url}; }}" for path, url in routes.items())
    block = BLOCK.format(port=port, routes=lines)
    return nginx("ingress", folder, block, lambda: answers(f"http://127.0.0.1:{port}/config.json"))


def answers(url: str) -> bool:
    """Return whether the response is 200."""
    try:
        return httpx2.get(url, timeout=10).status_code == 200
    except httpx2.TransportError:
        return False
