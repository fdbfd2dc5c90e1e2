"""What prevents the server from starting on this machine."""

import shlex
from collections.abc import Iterator

from cluster.doctor.finding import Finding
from cluster.doctor.installs import servers
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
        choice = f"hoose another: URUMI_PORT={_next(port)} ./setup.sh"
        lost = [found.pid for found in servers() if f" --port {port} " in f"{found.command} " and found.is_of(place)]
        if lost:
            sentence = (
                f"Port {port} of {HOST} is in use by a server of this checkout, pid {lost[0]}, that is not recorded"
            )
            yield Finding(
                "problem", f"port {port}", f"{sentence} in {place.state}.", f"Stop it (kill {lost[0]}), or c{choice}"
            )
        else:
            sentence = f"Port {port} of {HOST} is in use by another program."
            yield Finding("problem", f"port {port}", sentence, f"C{choice}")


def _next(port: int) -> int:
    return port + 1 if port < 65535 else DEFAULT_PORT
