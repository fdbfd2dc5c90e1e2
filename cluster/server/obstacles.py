"""What prevents the server from starting on this machine."""

import shlex
from collections.abc import Iterator

from cluster.doctor.finding import Finding
from cluster.place import Place
from cluster.ports import something_listens
from cluster.server.port import DEFAULT_PORT, chosen_port
from cluster.server.process import HOST, ServerProcess


def server_obstacles(place: Place, server: ServerProcess) -> Iterator[Finding]:
    """Yield a problem if the server runs from another checkout, or if another program uses its port.

    Raises:
        SetupError: `URUMI_PORT` is not a port.
    """
    port, is_running = chosen_port(server), server.pid() is not None
    other = server.checkout()
    if is_running and other is not None and other != place.root:
        yield Finding(
            "problem",
            "checkout",
            f"Urumi already runs from {other}, with its state in {place.state}.",
            f"Stop it there (cd {shlex.quote(str(other))} && ./setup.sh down), or give this checkout its own:"
            f" URUMI_STATE_DIR={shlex.quote(f'{place.state}-2')} URUMI_PORT={_next(port)} ./setup.sh",
        )
    elif something_listens(port) and not (is_running and server.port() == port):
        yield Finding(
            "problem",
            f"port {port}",
            f"Port {port} of {HOST} is in use by another program.",
            f"Choose another: URUMI_PORT={_next(port)} ./setup.sh",
        )


def _next(port: int) -> int:
    return port + 1 if port < 65535 else DEFAULT_PORT
