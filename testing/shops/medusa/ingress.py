"""An nginx in the role of the ingress controller: the paths of one host, each routed to a server."""

import os
from collections.abc import Mapping
from pathlib import Path

import httpx2

from testing.shops.medusa.servers import Server, program

CONFIG = """
daemon off;
{user}
worker_processes 1;
pid "{folder}/ingress.pid";
error_log "{folder}/ingress.err";
events {{}}
http {{
    client_body_temp_path "{folder}/temp";
    proxy_temp_path "{folder}/temp";
    fastcgi_temp_path "{folder}/temp";
    uwsgi_temp_path "{folder}/temp";
    scgi_temp_path "{folder}/temp";
    access_log off;
    server {{
        listen 127.0.0.1:{port};
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-Proto http;
        {routes}
    }}
}}
"""


def ingress(folder: Path, port: int, routes: Mapping[str, str]) -> Server:
    """Return the server; the folder needs a subfolder `temp`, the routes map a path to a URL."""
    lines = [f"location {path} {{ proxy_pass {url}; }}" for path, url in routes.items()]
    config = folder / "ingress.conf"
    # As another user, the worker could not write to the folder.
    user = "user root;" if os.geteuid() == 0 else ""
    config.write_text(CONFIG.format(user=user, folder=folder, port=port, routes="\n        ".join(lines)))
    command = [program("nginx", "nginx"), "-e", "stderr", "-c", str(config)]
    return Server("ingress", command, folder, lambda: answers(f"http://127.0.0.1:{port}/config.json"))


def answers(url: str) -> bool:
    """Return whether the response is 200."""
    try:
        return httpx2.get(url, timeout=10).status_code == 200
    except httpx2.TransportError:
        return False
