"""containerd inside the node: images that are imported and named, containers that are listed and killed.

Which archives are imported is kept as empty files beside containerd's storage, because asking it takes longer.
"""

from collections.abc import Callable
from pathlib import Path

from cluster.node import layout
from cluster.node.folders import NodeFolder

CTR = ("ctr", "--address", layout.CONTAINERD_SOCKET, "--namespace", "k8s.io")
IMPORT_SECONDS = 600.0


class Containers:
    """The images and containers of one node; `inside` runs a command in its namespaces."""

    def __init__(self, folder: NodeFolder, inside: Callable[..., str]) -> None:
        self._imported = folder.imported
        self._inside = inside

    def load(self, archive: Path) -> None:
        """Import the images of an archive, unless this archive is already imported."""
        mark = self._imported / archive.name
        if mark.exists():
            return
        self._inside(*CTR, "images", "import", str(archive), timeout_seconds=IMPORT_SECONDS)
        self._forget(archive.stem.rpartition("-")[0])
        mark.touch()

    def tag(self, image: str, name: str) -> None:
        """Give an image an additional name; an archive of that name is imported again on its next use."""
        self._inside(*CTR, "images", "tag", "--force", image, name)
        self._forget(name.rpartition("/")[2].replace(":", "-"))

    def of(self, namespace: str) -> list[str]:
        """Return the ids of the containers of a namespace."""
        label = f'labels."io.kubernetes.pod.namespace"=={namespace}'
        return self._inside(*CTR, "containers", "list", "--quiet", label).split()

    def kill(self, container: str) -> None:
        """Kill the first process of a container with SIGKILL."""
        self._inside(*CTR, "tasks", "kill", "--signal", "SIGKILL", container)

    def _forget(self, name: str) -> None:
        for mark in self._imported.glob(f"{name}-{'?' * 16}.tar"):
            mark.unlink()
