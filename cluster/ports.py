"""The one port of the cluster: chosen free at the first start, remembered, and exchanged where somebody else took it.

The range lies below the one from which systems take the ports of outgoing connections, so that a port which was free
yesterday is likely to be free today.
"""

import random
import socket

ADDRESS = "127.0.0.1"
RANGE = range(20000, 30000)


def is_free(port: int) -> bool:
    """Return whether the port can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a free port of the range."""
    return next(port for port in random.sample(RANGE, len(RANGE)) if is_free(port))
