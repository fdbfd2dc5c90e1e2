"""The requirements of the Docker engine: what a node needs, and Docker with a user-mode network."""

import shutil
from pathlib import Path

from cluster.node import host as node_host
from cluster.node.host import SEARCH
from testing.docker.errors import DockerError

# Debian's client, by its path: a client from elsewhere may be first on PATH.
CLIENT = Path("/usr/bin/docker")
PACKAGES = {
    str(CLIENT): "docker.io",
    "dockerd": "docker.io",
    "slirp4netns": "slirp4netns",
    "dnsmasq": "dnsmasq-base",
    "setpriv": "util-linux",
}


def missing_packages() -> list[str]:
    """Return the Debian packages whose programs are missing."""
    own = {package for program, package in PACKAGES.items() if shutil.which(program, path=SEARCH) is None}
    return sorted(own | set(node_host.missing_packages()))


def obstacle() -> str:
    """Return why no engine can run here and what to do, empty if one can."""
    if missing := missing_packages():
        return f"The Docker engine needs Debian packages that are missing: apt-get install {' '.join(missing)}"
    return node_host.obstacle()


def check() -> None:
    """Raise if no engine can run here.

    Raises:
        DockerError: states what is missing.
    """
    if words := obstacle():
        raise DockerError(words)
