"""The storefront as its image runs it: files that every user may read, and nginx as a user without root's rights.

The files are a copy, because a checkout may be in a folder that only its owner may enter, as root's home is.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from testing.shops.medusa.ingress import answers
from testing.shops.medusa.servers import Server, other_user, program

SOURCES = Path(__file__).resolve().parents[3] / "charts" / "medusa" / "image" / "storefront"


def storefront(folder: Path, port: int, variables: Mapping[str, str], sources: Path = SOURCES) -> Server:
    """Return the server, started by the image's entrypoint; it writes below `folder`, which other users may enter."""
    user = other_user("nobody")
    files, run = folder / "files", folder / "run"
    shutil.copytree(sources, files)
    run.mkdir(mode=0o755)
    for path in (folder, files, *files.rglob("*")):
        path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    if user:
        shutil.chown(run, user)
    program("nginx", "nginx")
    environment = {**variables, "PATH": "/usr/sbin:/usr/bin:/bin", "URUMI_PORT": str(port), "URUMI_RUN_DIR": str(run)}
    command = [str(files / "urumi-storefront")]
    url = f"http://127.0.0.1:{port}/config.json"
    return Server("storefront", command, folder, lambda: answers(url), environment, user)
