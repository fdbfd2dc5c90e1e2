"""The proxies and certificate authorities that the environment sets; passwords are not repeated."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from cluster.doctor.finding import Finding
from cluster.place import Place

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
AUTHORITIES = {
    "SSL_CERT_FILE": "Go, Python, urumi",
    "SSL_CERT_DIR": "Go, Python, urumi",
    "REQUESTS_CA_BUNDLE": "pip",
    "PIP_CERT": "pip",
    "NODE_EXTRA_CA_CERTS": "npm",
    "CURL_CA_BUNDLE": "pip, curl",
    "GIT_SSL_CAINFO": "git",
}


def proxies(place: Place) -> Iterator[Finding]:
    """Report which proxies are set, and whether a kind is set that not everything supports."""
    found = {
        case: value for name in PROXIES for case in (name, name.lower()) if (value := os.environ.get(case, "").strip())
    }
    if not found:
        yield Finding("ok", "proxies", "none")
        return
    for name, value in found.items():
        if "://" in value and not value.startswith(("http://", "https://")) and name.upper() != "NO_PROXY":
            sentence = f"{name}={redacted(value)} is not an HTTP proxy; pip and Urumi do not support it."
            yield Finding("note", "proxies", sentence, "Set HTTP_PROXY and HTTPS_PROXY to an HTTP proxy.")
        else:
            yield Finding("ok", "proxies", f"{name}={redacted(value)}")


def authorities(place: Place) -> Iterator[Finding]:
    """Check the files with certificate authorities that the environment names."""
    found = {name: value for name in AUTHORITIES if (value := os.environ.get(name, ""))}
    if not found:
        yield Finding("ok", "certificates", "those of the system")
    for name, value in found.items():
        readers = AUTHORITIES[name]
        missing = [part for part in value.split(os.pathsep) if not os.access(part, os.R_OK)]
        if missing:
            sentence = (
                f"{name} names {missing[0]}, which {'cannot be read' if _exists(missing[0]) else 'does not exist'}."
            )
            yield Finding("problem", "certificates", sentence, f"Correct or unset it; it is read by {readers}.")
        else:
            yield Finding("ok", "certificates", f"{name}={value} ({readers})")


def redacted(text: str) -> str:
    """Return a text without the user and password of the URLs in it."""
    return re.sub(r"(//|^)[^/\s]+@", r"\1***@", text)


def _exists(path: str) -> bool:
    try:
        Path(path).lstat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True
