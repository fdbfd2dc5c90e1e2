"""The folders of a node: reusable files in the cache, the files of one node in a separate folder."""

from dataclasses import dataclass
from pathlib import Path

from cluster.folders import cache_root

# The checkout: its charts and the sources of its images.
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class NodeFolder:
    """The files of one node; `root` is deleted with the node."""

    root: Path

    @property
    def etcd(self) -> Path:
        """etcd's data."""
        return self.root / "etcd"

    @property
    def kubelet(self) -> Path:
        """The kubelet's folder, with the pods' volumes mounted in it."""
        return self.root / "kubelet"

    @property
    def volumes(self) -> Path:
        """The provisioned volumes."""
        return self.root / "volumes"

    @property
    def etc(self) -> Path:
        """Configuration files."""
        return self.root / "etc"

    @property
    def pki(self) -> Path:
        """Keys, certificates and the token."""
        return self.root / "pki"

    @property
    def logs(self) -> Path:
        """One log for each program."""
        return self.root / "logs"

    @property
    def kubeconfig(self) -> Path:
        """The admin's kubeconfig, usable inside and outside the node."""
        return self.root / "kubeconfig"

    def make(self) -> None:
        """Create the folders."""
        for folder in (self.root, self.etc, self.pki, self.logs, self.volumes, self.kubelet):
            folder.mkdir(parents=True, exist_ok=True)


def node_cache() -> Path:
    """Return the folder that all nodes share: programs, images, containerd's storage."""
    return cache_root() / "node"
