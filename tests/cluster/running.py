"""Clusters for tests: a running one, and the command as users run it."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from cluster.folders import cache_root
from cluster.local.cluster import ClusterInfo, LocalCluster
from testing.kubectl import Kubectl

REPOSITORY = Path(__file__).resolve().parents[2]
# The kubeconfig of another program; no cluster may read or change it.
FOREIGN_KUBECONFIG = "apiVersion: v1\nkind: Config\ncurrent-context: precious\n"


@dataclass
class RunningCluster:
    """A running cluster, and the messages of its start."""

    folder: Path
    cluster: LocalCluster
    info: ClusterInfo
    said: list[str] = field(default_factory=list)

    @property
    def kubectl(self) -> Kubectl:
        """kubectl against it."""
        return Kubectl(self.info)

    def pids(self) -> dict[str, int | None]:
        """The pid of every component."""
        return {item.name: item.pid for item in self.cluster.status().components}

    def up(self) -> list[str]:
        """Run `up` again and return its messages."""
        said: list[str] = []
        self.info = self.cluster.up(said.append)
        return said


def start(folder: Path) -> RunningCluster:
    """Start a cluster in a folder."""
    said: list[str] = []
    cluster = LocalCluster(folder, fsync=False)
    return RunningCluster(folder, cluster, cluster.up(said.append), said)


@dataclass(frozen=True, slots=True)
class Shell:
    """`python -m cluster` as users run it, with a separate home and state."""

    home: Path

    @property
    def state_dir(self) -> Path:
        """The folder of the command's cluster."""
        return self.home / "state" / "cluster"

    @property
    def environ(self) -> dict[str, str]:
        """The environment; its kubeconfig belongs to another program."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "KUBECONFIG": str(self.home / ".kube" / "config"),
            "URUMI_CACHE_DIR": str(cache_root()),
            "URUMI_STATE_DIR": str(self.home / "state"),
        }

    def spawn(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the command."""
        command = [sys.executable, "-W", "error", "-m", "cluster", *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=REPOSITORY, env=self.environ, stdout=pipe, stderr=pipe, text=True)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run the command; return its exit code, its standard output and its standard error."""
        with self.spawn(*arguments) as process:
            output, narration = process.communicate(timeout=120)
        return process.returncode, output, narration
