"""Where a node keeps its files: what can be used again in the cache, what belongs to one node in its own folder."""

from dataclasses import dataclass
from pathlib import Path

from cluster.folders import cache_root


@dataclass(frozen=True, slots=True)
class NodeFolder:
    """The files of one node; everything below `root` goes when the node is forgotten."""

    root: Path

    @property
    def etcd(self) -> Path:
        """etcd's data."""
        return self.root / "etcd"

    @property
    def kubelet(self) -> Path:
        """The kubelet's own folder, with the pods' volumes mounted below."""
        return self.root / "kubelet"

    @property
    def volumes(self) -> Path:
        """The volumes that claims get."""
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
        """The admin's kubeconfig, of use inside and outside."""
        return self.root / "kubeconfig"

    def make(self) -> None:
        """Make the folders."""
        for folder in (self.root, self.etc, self.pki, self.logs, self.volumes, self.kubelet):
            folder.mkdir(parents=True, exist_ok=True)


def node_cache() -> Path:
    """Return the folder of what every node uses: programs, images, containerd's own storage."""
    return cache_root() / "node"
