"""Shoppers of the stores: HTTPS on a forwarded port, with the shop's name in TLS and in the request."""

import base64
import hashlib
import ssl
import subprocess
from pathlib import Path

import httpx2

ANSWER_SECONDS = 30.0


class PortTransport(httpx2.HTTPTransport):
    """Connects to a port of this machine whatever the host of a URL is; the certificate is verified for that host."""

    def __init__(self, port: int, authority: Path) -> None:
        super().__init__(verify=ssl.create_default_context(cafile=str(authority)))
        self._port = port

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request to the port."""
        there = httpx2.Request(
            request.method,
            request.url.copy_with(host="127.0.0.1", port=self._port),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": request.url.host},
        )
        return super().handle_request(there)


def visitor(url: str, port: int, authority: Path, headers: dict[str, str] | None = None) -> httpx2.Client:
    """Return a client of a site."""
    return httpx2.Client(
        base_url=url,
        transport=PortTransport(port, authority),
        headers=headers,
        timeout=ANSWER_SECONDS,
        follow_redirects=True,
    )


def browser_flags(port: int, domain: str, *certificates: Path) -> tuple[str, ...]:
    """Return the flags with which a browser reaches the hosts of a domain, and accepts these certificates."""
    accepted = ",".join(map(_fingerprint, certificates))
    return (
        f"--host-resolver-rules=MAP *.{domain}:443 127.0.0.1:{port}",
        f"--ignore-certificate-errors-spki-list={accepted}",
    )


def _fingerprint(certificate: Path) -> str:
    """Return the digest of a certificate's public key, as Chromium expects it."""
    key = subprocess.run(
        ["openssl", "x509", "-in", str(certificate), "-pubkey", "-noout"], capture_output=True, text=True, check=True
    ).stdout
    lines = (line for line in key.splitlines() if not line.startswith("-----"))
    return base64.b64encode(hashlib.sha256(base64.b64decode("".join(lines))).digest()).decode()
