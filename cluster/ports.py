"""The port of the cluster: chosen at the first start, kept, and replaced if another program uses it.

The range is below the ephemeral ports of the usual systems, so a port that was free once is likely to stay free.
"""

import random
import socket

ADDRESS = "127.0.0.1"
RANGE = range(20000, 30000)
CONNECT_SECONDS = 1.0


def is_free(port: int) -> bool:
    """Return whether a program can listen on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return False
    return True


def something_listens(port: int) -> bool:
    """Return whether a program accepts connections on the port."""
    with socket.socket() as probe:
        probe.settimeout(CONNECT_SECONDS)
        return probe.connect_ex((ADDRESS, port)) == 0


def free_port() -> int:
    """Return a free port of the range."""
    return next(port for port in random.sample(RANGE, len(RANGE)) if is_free(port))
