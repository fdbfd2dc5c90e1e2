"""The folders of a node: reusable files in the cache, the files of one node in a separate folder."""

from dataclasses import dataclass
from pathlib import Path

from cluster.folders import cache_root

# The checkout: its charts and the sources of its images.
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class NodeFolder:
    """The files of one node, and containerd's storage, which nodes of the tests share.

    Programs in the node see the kubelet's folder at /var/lib/kubelet: a socket's path may be 100 bytes long at most.
    """

    root: Path
    storage: Path

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
    def containerd(self) -> Path:
        """containerd's images and containers."""
        return self.storage / "root"

    @property
    def imported(self) -> Path:
        """An empty file for each archive that containerd has."""
        return self.storage / "imported"

    @property
    def run(self) -> Path:
        """The records of the processes outside the namespaces."""
        return self.root / "run"

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
        folders = (self.root, self.etc, self.pki, self.logs, self.run, self.volumes, self.kubelet)
        for folder in (*folders, self.containerd, self.imported):
            folder.mkdir(parents=True, exist_ok=True)
        # The volumes and the credentials are nobody else's.
        self.root.chmod(0o700)


def node_cache() -> Path:
    """Return the folder that all nodes share: programs, images, containerd's storage."""
    return cache_root() / "node"
