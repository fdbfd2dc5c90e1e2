"""The settings of the first process of a node: written by the process outside, read in the namespaces."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from cluster.node.folders import NodeFolder


@dataclass(frozen=True, slots=True)
class Plan:
    """The folders of a node and how it starts.

    `code` is a digest of what runs in the namespaces.
    `is_fresh`: etcd has no data, so records of containers in the storage belong to an earlier node. `is_durable`: etcd
    waits for the disk; without it writes are faster, and a crash of the machine may lose data.
    """

    root: str
    storage: str
    port: int
    cluster_programs: str
    node_programs: str
    code: str
    is_fresh: bool
    is_durable: bool

    @property
    def folder(self) -> NodeFolder:
        """The files of the node."""
        return NodeFolder(Path(self.root), Path(self.storage))

    def write(self) -> Path:
        """Write the plan into the node's folder and return its path."""
        path = self.folder.etc / "plan.json"
        path.write_text(json.dumps(asdict(self)))
        return path

    @classmethod
    def read(cls, path: Path) -> "Plan":
        """Read a plan."""
        return cls(**json.loads(path.read_text()))
