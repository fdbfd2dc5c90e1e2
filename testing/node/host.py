"""What the tests with `--node` need: what a node needs, and what the walk of docs/production.md runs besides."""

import shutil

from cluster.node import host
from cluster.node.host import obstacle as obstacle

# Programs and the Debian packages that bring them.
PACKAGES = {"docker-registry": "docker-registry", "jq": "jq"}


def missing_packages() -> list[str]:
    """Return the Debian packages whose programs are missing."""
    own = (package for program, package in PACKAGES.items() if shutil.which(program, path=host.SEARCH) is None)
    return [*host.missing_packages(), *own]
