"""The admin's token, the key that signs service account tokens, and the API server's certificate.

Token and key are created once and kept as long as the cluster. The API server creates its own certificate, signed by an
authority whose key it does not keep; the certificate is replaced before it expires.
"""

import base64
import re
import secrets
import ssl
import time
from dataclasses import dataclass
from pathlib import Path

from cluster.folders import write_private

ADMIN = "urumi-admin"
RENEW_SECONDS = 30 * 24 * 3600

# The order of the curve P-256, and the DER around a private key on it (RFC 5915, without the optional public key).
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
DER_HEAD = bytes.fromhex("30310201010420")
DER_TAIL = bytes.fromhex("a00a06082a8648ce3d030107")


@dataclass(frozen=True, slots=True)
class Credentials:
    """The files in the folder of keys and certificates."""

    folder: Path

    @property
    def tokens(self) -> Path:
        """The API server's token file."""
        return self.folder / "tokens.csv"

    @property
    def service_account_key(self) -> Path:
        """The key that signs service account tokens."""
        return self.folder / "service-account.key"

    @property
    def authority(self) -> Path:
        """The authority that signed the API server's certificate, as a file for the controllers."""
        return self.folder / "ca.crt"

    @property
    def token(self) -> str:
        """The admin's token."""
        return self.tokens.read_text().partition(",")[0]

    def make(self) -> None:
        """Create what does not exist yet."""
        if not self.tokens.exists():
            write_private(self.tokens, f'{secrets.token_urlsafe(32)},{ADMIN},{ADMIN},"system:masters"\n')
        if not self.service_account_key.exists():
            scalar = secrets.randbelow(P256_ORDER - 1) + 1
            body = base64.encodebytes(DER_HEAD + scalar.to_bytes(32, "big") + DER_TAIL).decode()
            key = f"-----BEGIN EC PRIVATE KEY-----\n{body}-----END EC PRIVATE KEY-----\n"
            write_private(self.service_account_key, key)

    def drop_old_certificate(self) -> None:
        """Delete a certificate that expires soon or cannot be read; the API server creates another when it starts."""
        if not self._is_fresh():
            for name in ("apiserver.crt", "apiserver.key"):
                (self.folder / name).unlink(missing_ok=True)

    def authority_pem(self) -> str | None:
        """Return the authority's certificate, None until the API server has created it."""
        try:
            text = (self.folder / "apiserver.crt").read_text()
        except FileNotFoundError:
            return None
        certificates = re.findall(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n", text, re.DOTALL)
        # The file contains the server's certificate, followed by the authority's.
        return str(certificates[1]) if len(certificates) == 2 else None

    def _is_fresh(self) -> bool:
        authority = self.authority_pem()
        if authority is None:
            return False
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(cadata=authority)
        except ssl.SSLError:
            return False
        ends = str(context.get_ca_certs()[0]["notAfter"])
        return ssl.cert_time_to_seconds(ends) > time.time() + RENEW_SECONDS
