"""What setup.sh prints about the server."""

import os

from cluster.place import Place
from cluster.server.process import HOST, ServerProcess


def token_lines(place: Place) -> tuple[str, str]:
    """Return the access token and where it comes from."""
    given = os.environ.get("URUMI_TOKEN")
    if given:
        return f"Token:  {given}", "        (from the variable URUMI_TOKEN)"
    return f"Token:  {place.token.read_text().strip()}", f"        (from {place.token})"


def print_server_status(place: Place) -> int:
    """Print the state of the server, and return the exit code: 0 ready, 1 not ready, 3 not running."""
    server = ServerProcess(place)
    pid, port = server.pid(), server.port()
    if pid is None or port is None:
        place.console.row("server", "not running")
        return 3
    if not server.is_ready(port):
        place.console.row("server", f"not ready: {server.missing(port)} See {server.log}")
        return 1
    place.console.row("server", f"running at http://{HOST}:{port}/, pid {pid}; log {server.log}")
    return 0
