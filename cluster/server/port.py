"""The port of the server: `URUMI_PORT`, or the one of the running server, or 8780."""

import os

from cluster.errors import SetupError
from cluster.server.process import ServerProcess

DEFAULT_PORT = 8780


def chosen_port(server: ServerProcess) -> int:
    """Return the port on which the server is to listen.

    Raises:
        SetupError: `URUMI_PORT` is not a port.
    """
    given = os.environ.get("URUMI_PORT", "")
    if not given:
        return (server.port() if server.pid() is not None else None) or DEFAULT_PORT
    if not (given.isascii() and given.isdigit()) or len(given) > 5:
        raise SetupError(f"URUMI_PORT must be a port number, got '{given}'.")
    if not 1 <= int(given) <= 65535:
        raise SetupError(f"URUMI_PORT must be from 1 to 65535, got '{given}'.")
    return int(given)
