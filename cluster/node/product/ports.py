"""The ports of the product's node on this machine's loopback interface: chosen at the first start, then kept.

The HTTP port is in the address of every shop, so it changes only if the user chooses another.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from cluster.node.errors import NodeError
from cluster.ports import free_port, is_free

HTTP, HTTPS = "URUMI_HTTP_PORT", "URUMI_HTTPS_PORT"
DEFAULTS = {HTTP: 8088, HTTPS: 8443}
TRIES = 100


@dataclass(frozen=True, slots=True)
class NodePorts:
    """The ports of the API server, and of the ingress controller for http and https."""

    api: int
    http: int
    https: int

    @classmethod
    def read(cls, path: Path) -> "NodePorts | None":
        """Return the ports of the last start, None before the first."""
        try:
            return cls(**{name: int(port) for name, port in json.loads(path.read_text()).items()})
        except (OSError, ValueError, TypeError, AttributeError):
            return None

    def write(self, path: Path) -> None:
        """Keep the ports."""
        path.write_text(json.dumps(asdict(self)))


def choose_ports(known: NodePorts | None, own: frozenset[int]) -> NodePorts:
    """Return the ports for a start; `own` are those on which the running node listens.

    Raises:
        NodeError: a variable is not a port, or a port that must not change is in use.
    """
    api = known.api if known and (known.api in own or is_free(known.api)) else free_port()
    http = _public_port(HTTP, known.http if known else None, own)
    return NodePorts(api, http, _public_port(HTTPS, known.https if known else None, own | {http}))


def taken_ports(known: NodePorts | None, own: frozenset[int]) -> str:
    """Return why the node cannot have its ports, empty if it can."""
    try:
        choose_ports(known, own)
    except NodeError as error:
        return error.sentence()
    return ""


def _public_port(variable: str, known: int | None, own: frozenset[int]) -> int:
    given = os.environ.get(variable, "")
    if given:
        wanted = _port(variable, given)
    elif known is not None:
        wanted = known
    else:
        first = DEFAULTS[variable]
        return next(port for port in range(first, first + TRIES) if port not in own and is_free(port))
    if wanted in own or is_free(wanted):
        return wanted
    shops = ", which is in the addresses of your shops," if variable == HTTP and not given else ""
    raise NodeError(
        f"Port {wanted} of 127.0.0.1{shops} is in use by another program.",
        hint=f"Stop that program, or choose another: {variable}={wanted + 1} ./setup.sh --cluster node",
    )


def _port(variable: str, given: str) -> int:
    if not (given.isascii() and given.isdigit() and len(given) <= 5 and 1 <= int(given) <= 65535):
        raise NodeError(f"{variable} must be a port from 1 to 65535, got '{given}'.")
    return int(given)
