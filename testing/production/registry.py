"""A registry for images: Debian's docker-registry, where the builder pushes and where the node pulls.

Two processes serve the same blobs: one on a loopback address of this machine, one in the node's network. The registry
has a public name, as one in production has: a file of hosts and buildah's configuration lead the builder to it,
containerd's configuration leads the node, in the form that k3s makes of its registries.yaml. The blobs stay in the
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

NAME = "registry.example.com"
PORT = 5000
# A loopback address on which nothing else listens.
OUTSIDE = "127.0.83.1"
SETTINGS = """\
version: 0.1
storage: {{filesystem: {{rootdirectory: "{folder}"}}}}
http: {{addr: "{address}"}}
log: {{level: error, accesslog: {{disabled: true}}}}
"""


class Registry:
    """A running registry; use as a context manager."""

    def __init__(self, node: Node, folder: Path) -> None:
        self._node = node
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Registry":
        self._start(f"{OUTSIDE}:80", lambda *command: list(command))
        self._start(f"{layout.NODE_ADDRESS}:{PORT}", self._node.in_network)
        self._trust()
        wait_for(self._responds, "the registry to respond", 30)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            process.wait()

    def _start(self, address: str, placed: Callable[..., list[str]]) -> None:
        blobs = node_cache() / "registry"
        blobs.mkdir(exist_ok=True)
        settings = self._folder / f"{address}.yaml"
        settings.write_text(SETTINGS.format(folder=blobs, address=address))
        # The process is killed when the test run ends, as the node is.
        command = ["setpriv", "--pdeathsig", "KILL", *placed("docker-registry", "serve", str(settings))]
        with settings.with_suffix(".log").open("wb") as log:
            self._processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def _responds(self) -> bool:
        command = ("busybox", "wget", "-q", "-O", "-")
        outside = subprocess.run([*command, f"http://{OUTSIDE}/v2/"], capture_output=True, check=False)
        inside = self._node.in_network(*command, f"http://{layout.NODE_ADDRESS}:{PORT}/v2/")
        return outside.returncode == 0 == subprocess.run(inside, capture_output=True, check=False).returncode

    def _trust(self) -> None:
        folder = self._node.folder.etc / "certs.d" / NAME
        folder.mkdir(parents=True, exist_ok=True)
        server = f"http://{layout.NODE_ADDRESS}:{PORT}"
        (folder / "hosts.toml").write_text(f'server = "{server}"\n[host."{server}"]\n  capabilities = ["pull"]\n')


class Builder:
    """buildah, as `scripts/images` finds it: the base images are in its storage, the registry in its configuration.

    `volumes` are mounted into each build: caches of package managers.
    """

    def __init__(self, folder: Path, volumes: Iterable[str]) -> None:
        self._hosts = folder / "hosts"
        self._hosts.write_text(f"127.0.0.1 localhost\n{OUTSIDE} {NAME}\n")
        storage = node_cache() / "buildah"
        limits = json.dumps([f"nofile={open_files()}"])
        files = {
            "CONTAINERS_STORAGE_CONF": (
                f'[storage]\ndriver = "overlay"\ngraphroot = "{storage / "root"}"\nrunroot = "{storage / "run"}"\n'
            ),
            "CONTAINERS_REGISTRIES_CONF": (
                'unqualified-search-registries = ["docker.io"]\nshort-name-mode = "permissive"\n'
                f'[[registry]]\nlocation = "{NAME}"\ninsecure = true\n'
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

    def command(self, commands: str) -> list[str]:
        """Return the command line that runs commands of a shell with this builder; its mounts end with it."""
        mount = 'mount --bind "$0" /etc/hosts && exec bash -euc "$1"'
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", mount, str(self._hosts), commands]


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
