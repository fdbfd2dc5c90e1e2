"""What a user chooses about the kind cluster, in variables of the environment, and the addresses that follow from it.

The names below `localhost` need no DNS and no identifier of a shop can change what they resolve to. A name such as
`shop-1.127.0.0.1.nip.io` is read from its left end, as the address 1.127.0.0.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from cluster.errors import KindError

HTTP_PORT = 80
HTTPS_PORT = 443
PAGE_HOST = "urumi.localhost"  # one of ingress.host and ingress.extraHosts in charts/platform/values-local.yaml
COMMAND_HOST = "localhost"  # resolved by every system, also by those that do not know names below localhost
OTHER_DOMAIN = "127-0-0-1.nip.io"


@dataclass(frozen=True, slots=True)
class Settings:
    """The chosen settings; None and the empty text mean that nothing was chosen."""

    http_port: int | None = None
    https_port: int | None = None
    image: str = ""
    base_domain: str = ""

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read the variables.

        Raises:
            KindError: a port is not a number from 1 to 65535, or both ports are the same.
        """
        http, https = _port(environ, "URUMI_HTTP_PORT"), _port(environ, "URUMI_HTTPS_PORT")
        if (http or HTTP_PORT) == (https or HTTPS_PORT):
            raise KindError(f"URUMI_HTTP_PORT and URUMI_HTTPS_PORT must differ, got {http or HTTP_PORT} for both.")
        domain = environ.get("URUMI_BASE_DOMAIN") or environ.get("BASE_DOMAIN") or ""
        return cls(http, https, environ.get("URUMI_KIND_IMAGE", ""), domain)

    @property
    def ports(self) -> "Ports":
        """The ports of a new cluster."""
        return Ports(self.http_port or HTTP_PORT, self.https_port or HTTPS_PORT)


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of this machine at which shops and page are reached."""

    http: int = HTTP_PORT
    https: int = HTTPS_PORT

    def url(self, host: str) -> str:
        """Return the URL of a host, with the port unless it is the usual one."""
        return f"http://{host}" if self.http == HTTP_PORT else f"http://{host}:{self.http}"


def _port(environ: Mapping[str, str], name: str) -> int | None:
    text = environ.get(name, "")
    if not text:
        return None
    port = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= port <= 65535:
        raise KindError(f"{name} must be a port number from 1 to 65535, got {text!r}.")
    return port
