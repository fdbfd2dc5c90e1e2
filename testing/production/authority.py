"""A certificate authority of the tests, and certificates for host names, made with openssl."""

import subprocess
from pathlib import Path

SUBJECT = "/O=Urumi tests/CN="
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30")


class Authority:
    """An authority whose certificate is the file `ca.crt` of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificate = folder / "ca.crt"
        extensions = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
        _openssl("req", "-x509", *KEY, *extensions, "-subj", f"{SUBJECT}authority", *self._files("ca"))

    def issue(self, name: str, host: str) -> None:
        """Write NAME.crt and NAME.key for a host, which may be a wildcard."""
        ca = ("-CA", self.certificate, "-CAkey", self.folder / "ca.key")
        extensions = ("-addext", f"subjectAltName=DNS:{host}", "-addext", "basicConstraints=critical,CA:FALSE")
        _openssl("req", "-x509", *KEY, *ca, *extensions, "-subj", f"{SUBJECT}{name}", *self._files(name))

    def _files(self, name: str) -> tuple[str | Path, ...]:
        return "-keyout", self.folder / f"{name}.key", "-out", self.folder / f"{name}.crt"


def _openssl(*words: str | Path) -> None:
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
