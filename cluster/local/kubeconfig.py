"""The kubeconfig of the cluster: self-contained, with certificate and token inside, mode 0600."""

import base64
from pathlib import Path

import yaml

from cluster.folders import write_private
from cluster.local.credentials import ADMIN

NAME = "urumi"


def kubeconfig_text(server: str, authority_pem: str, token: str) -> str:
    """Return a kubeconfig for the admin."""
    authority = base64.b64encode(authority_pem.encode()).decode()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NAME, "cluster": {"server": server, "certificate-authority-data": authority}}],
        "users": [{"name": ADMIN, "user": {"token": token}}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": ADMIN}}],
        "current-context": NAME,
    }
    return yaml.safe_dump(config, sort_keys=False, width=float("inf"))


def write_kubeconfig(path: Path, text: str) -> None:
    """Write a kubeconfig unless the file already has this content."""
    if not path.exists() or path.read_text() != text:
        write_private(path, text)
    path.chmod(0o600)
