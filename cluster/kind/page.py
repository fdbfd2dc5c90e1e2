"""The platform's page as this machine reaches it: through the node's port and the ingress controller.

After a stopped node starts again, the Deployment's status is still the one from before, so the release alone does not
show that the server responds.
"""

import http.client
import time
from collections.abc import Callable

from cluster.errors import KindError

HOST = "127.0.0.1"
PAGE_SECONDS = 120.0
REPORT_SECONDS = 10.0
CALL_SECONDS = 5.0
POLL_SECONDS = 0.5


def wait_for_page(say: Callable[[str], None], host: str, port: int, seconds: float = PAGE_SECONDS) -> None:
    """Wait until the server behind this host name is ready.

    Raises:
        KindError: it is not; quotes the last response.
    """
    started = reported = time.monotonic()
    while reason := _missing(host, port):
        now = time.monotonic()
        if now - started > seconds:
            raise KindError(
                f"The server's pods are ready, but http://{host}:{port}/readyz is not after {seconds:.0f} s: {reason}.",
                hint="Run ./setup.sh doctor, and look at the ingress controller: "
                "kubectl -n traefik logs daemonset/traefik",
            )
        if now - reported >= REPORT_SECONDS:
            say(f"      waiting for the server behind the ingress controller, {now - started:.0f} s: {reason}")
            reported = now
        time.sleep(POLL_SECONDS)


def _missing(host: str, port: int) -> str:
    """Return why the server is not ready, nothing if it is. No proxy and no resolver is involved."""
    connection = http.client.HTTPConnection(HOST, port, timeout=CALL_SECONDS)
    try:
        connection.request(
            "GET", "/readyz", headers={"Host": host if port == http.client.HTTP_PORT else f"{host}:{port}"}
        )
        response = connection.getresponse()
        body = " ".join(response.read(500).decode(errors="replace").split())
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()
    return "" if response.status == 200 else f"{response.status} {body}".strip()
