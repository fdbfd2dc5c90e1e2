"""A registry for images: Debian's docker-registry in the node's network, and a builder that pushes to it.

The registry has a public name, as one in production has. Configuration files lead that name to it: containerd's for the
node, where k3s's registries.yaml writes the same file; those of containers-common for buildah. Its blobs stay in the
cache, so an unchanged layer is pushed once.
"""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

from cluster.node import layout
from cluster.node.folders import node_cache
from cluster.node.images.image import Image, open_files, provide
from cluster.node.node import Node
from testing.kubectl import wait_for
from testing.serve import free_port

NAME = "registry.example.com"
PORT = 5000
SETTINGS = """\
version: 0.1
storage: {{filesystem: {{rootdirectory: "{folder}"}}}}
http: {{addr: "{address}:{port}"}}
log: {{level: warn, accesslog: {{disabled: true}}}}
"""


class Registry:
    """A running registry; use as a context manager."""

    def __init__(self, node: Node, folder: Path) -> None:
        self.port = free_port()
        self._node = node
        self._settings = folder / "registry.yaml"
        self._log = folder / "registry.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Registry":
        blobs = node_cache() / "registry"
        blobs.mkdir(exist_ok=True)
        address = layout.NODE_ADDRESS
        self._settings.write_text(SETTINGS.format(folder=blobs, address=address, port=PORT))
        # The process is killed when the test run ends, as the node is.
        command = [
            "setpriv",
            "--pdeathsig",
            "KILL",
            *self._node.in_network("docker-registry", "serve", str(self._settings)),
        ]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._node.forward_port(self.port, address, PORT)
        self._trust()
        wait_for(self._responds, "the registry to respond", 30)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _responds(self) -> bool:
        command = ("busybox", "wget", "-q", "-O", "-", f"http://127.0.0.1:{self.port}/v2/")
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def _trust(self) -> None:
        folder = self._node.folder.etc / "certs.d" / NAME
        folder.mkdir(parents=True, exist_ok=True)
        server = f"http://{layout.NODE_ADDRESS}:{PORT}"
        (folder / "hosts.toml").write_text(f'server = "{server}"\n[host."{server}"]\n  capabilities = ["pull"]\n')


class Builder:
    """buildah, as `scripts/images` finds it: the base images are in its storage, the registry in its configuration.

    `volumes` are mounted into each build: caches of package managers.
    """

    def __init__(self, registry: Registry, folder: Path, volumes: Iterable[str]) -> None:
        storage = node_cache() / "buildah"
        limits = json.dumps([f"nofile={open_files()}"])
        files = {
            "CONTAINERS_STORAGE_CONF": (
                f'[storage]\ndriver = "overlay"\ngraphroot = "{storage / "root"}"\nrunroot = "{storage / "run"}"\n'
            ),
            "CONTAINERS_REGISTRIES_CONF": (
                'unqualified-search-registries = ["docker.io"]\nshort-name-mode = "permissive"\n'
                f'[[registry]]\nprefix = "{NAME}"\nlocation = "127.0.0.1:{registry.port}"\ninsecure = true\n'
            ),
            "CONTAINERS_CONF": (f"[containers]\ndefault_ulimits = {limits}\nvolumes = {json.dumps(list(volumes))}\n"),
        }
        self.environ = {"BUILDAH_ISOLATION": "chroot", "BUILDAH_LAYERS": "true"}
        for name, text in files.items():
            path = folder / f"{name.lower()}.conf"
            path.write_text(text)
            self.environ[name] = str(path)

    @staticmethod
    def provide_bases(images: Iterable[Image], say: Callable[[str], None]) -> None:
        """Put the base images of these images into the storage, under the names in their Dockerfiles."""
        for image in images:
            arguments = dict(re.findall(r"^ARG (\w+)=(\S+)$", (image.context / image.file).read_text(), re.MULTILINE))
            for argument, alias in image.arguments.items():
                name = arguments[argument]
                full = name if name.startswith("docker.io/") else f"docker.io/library/{name}"
                provide(image.needs[alias], full, say)

    @property
    def command(self) -> tuple[str, ...]:
        """The start of a command line whose mounts end with it."""
        return ("unshare", "--mount", "--propagation", "private", "env", *(f"{k}={v}" for k, v in self.environ.items()))


def mounts_of(images: Iterable[Image]) -> list[str]:
    """Return the volumes that the builds of these images mount."""
    words = (word for image in images for word in image.options())
    return [value for option, value in pairwise(words) if option == "--volume"]


def path_without(folder: Path, *programs: str) -> str:
    """Return a PATH on which these programs do not run."""
    folder.mkdir(exist_ok=True)
    for name in programs:
        path = folder / name
        path.write_text("#!/bin/sh\nexit 1\n")
        path.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"
