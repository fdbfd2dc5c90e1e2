"""The nginx examples of docs/proxies.md on the loopback interface, in front of given servers."""

import re
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from testing.nginx import nginx
from testing.replicas import Replicas
from testing.serve import free_port
from testing.shops.medusa.servers import program

PAGE = Path(__file__).resolve().parents[1] / "docs" / "proxies.md"
BACKEND = "http://127.0.0.1:8780"
NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"


@dataclass(frozen=True)
class Front:
    """The proxy: its ports for https and for http, and the certificate."""

    tls_port: int
    port: int
    certificate: Path

    @property
    def context(self) -> ssl.SSLContext:
        """A client's TLS settings that trust the certificate."""
        return ssl.create_default_context(cafile=str(self.certificate))


OpenFront = Callable[[Replicas], AbstractContextManager[Front]]


@pytest.fixture(scope="session")
def open_front(tmp_path_factory: pytest.TempPathFactory) -> OpenFront:
    """Return what opens a proxy."""
    return lambda replicas: front_of(replicas, tmp_path_factory.mktemp("front"))


@contextmanager
def front_of(replicas: Replicas, folder: Path) -> Iterator[Front]:
    """Serve the first replica at the root of the host, and the last one below /urumi/."""
    front = Front(free_port(), free_port(), folder / "front.pem")
    files = ["-keyout", str(folder / "front.key"), "-out", str(front.certificate)]
    command = [program("openssl", "openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *files]
    subprocess.run([*command, "-subj", "/CN=localhost", "-addext", NAMES], check=True, capture_output=True)
    whole, location = re.findall(r"```nginx\n(.*?)```", PAGE.read_text(), re.DOTALL)
    whole = whole.replace(BACKEND, replicas.urls[0])
    site = whole.rstrip().removesuffix("}") + location.replace(BACKEND, replicas.urls[-1]) + "}\n"
    plain = site[site.index("server {") :].replace(" ssl;", ";")
    plain = "\n".join(line for line in plain.splitlines() if "ssl_certificate" not in line)
    blocks = _on(site, front.tls_port) + _on(plain, front.port)
    blocks = blocks.replace("/etc/nginx/urumi.pem", str(front.certificate))
    blocks = blocks.replace("/etc/nginx/urumi.key", str(folder / "front.key"))
    server = nginx("front", folder, blocks, lambda: _accepts(front.port))
    server.start()
    try:
        yield front
    finally:
        server.stop()


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _on(block: str, port: int) -> str:
    return block.replace("listen 443", f"listen 127.0.0.1:{port}").replace("listen [::]:443", f"listen [::1]:{port}")
