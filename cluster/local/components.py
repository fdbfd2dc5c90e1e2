"""How each component is started: its flags, its configuration, and the inputs whose change requires a restart.

etcd and the API server communicate through a Unix socket in a folder that only this user may enter; the other
components open no port. The API server's port on the loopback interface is the only port of the cluster.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import yaml

from cluster.folders import StateFolder, write_private
from cluster.local.component import Launch
from cluster.local.credentials import Credentials
from cluster.ports import ADDRESS
from cluster.programs.binaries import Binaries

ETCD = "etcd"
API_SERVER = "kube-apiserver"
CONTROLLER_MANAGER = "kube-controller-manager"
SCHEDULER = "kube-scheduler"
KWOK = "kwok"
# In the order of their start.
NAMES = (ETCD, API_SERVER, CONTROLLER_MANAGER, SCHEDULER, KWOK)
# Each group stops together, before the next group.
STOP_GROUPS = ((KWOK, SCHEDULER, CONTROLLER_MANAGER), (API_SERVER,), (ETCD,))

STAGES_DIR = Path(__file__).resolve().parent / "stages"
# Relative to the working folder, as a socket's path may be 100 bytes long at most. The ":0" satisfies etcd's parser.
CLIENT_SOCKET = "unix://etcd.sock:0"
PEER_SOCKET = "unix://peer.sock:0"
MIB = 1024**2
ETCD_QUOTA_BYTES = 8 * 1024**3
SERVICE_RANGE = "10.96.0.0/16"
POD_RANGE = "10.128.0.0/9"
NODE_ADDRESS = "10.97.0.1"
NODE_LABEL = "urumi.ai/simulated-node"
LEASE_SECONDS = 40

KWOK_CONFIG = {
    "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
    "kind": "KwokConfiguration",
    "metadata": {"name": "kwok"},
    "options": {
        "cidr": POD_RANGE,
        "nodeIP": NODE_ADDRESS,
        "manageNodesWithLabelSelector": f"{NODE_LABEL}=true",
        "nodeLeaseDurationSeconds": LEASE_SECONDS,
        "nodeLeaseParallelism": 4,
        "nodePlayStageParallelism": 4,
        "podPlayStageParallelism": 16,
        "podsOnNodeSyncParallelism": 4,
    },
}

SCHEDULER_CONFIG = {
    "apiVersion": "kubescheduler.config.k8s.io/v1",
    "kind": "KubeSchedulerConfiguration",
    "leaderElection": {"leaderElect": False},
    "enableProfiling": False,
}


@dataclass(frozen=True, slots=True)
class Launches:
    """The launch of each component of one cluster."""

    folder: StateFolder
    binaries: Binaries
    credentials: Credentials
    fsync: bool

    def etcd(self) -> Launch:
        """The database of the API server."""
        flags = {
            "name": "urumi",
            "data-dir": self.folder.data,
            "listen-client-urls": CLIENT_SOCKET,
            "advertise-client-urls": CLIENT_SOCKET,
            "listen-peer-urls": PEER_SOCKET,
            "initial-advertise-peer-urls": PEER_SOCKET,
            "initial-cluster": f"urumi={PEER_SOCKET}",
            "quota-backend-bytes": ETCD_QUOTA_BYTES,
            # Without it the API server sends no bookmarks for kinds that do not change.
            "watch-progress-notify-interval": "5s",
            "log-level": "warn",
        }
        if not self.fsync:
            flags["unsafe-no-fsync"] = "true"
        return self._launch(ETCD, flags)

    def api_server(self, port: int) -> Launch:
        """The API server."""
        key = self.credentials.service_account_key
        flags = {
            "etcd-servers": CLIENT_SOCKET,
            "bind-address": ADDRESS,
            "advertise-address": ADDRESS,
            "secure-port": port,
            "cert-dir": self.credentials.folder,
            "token-auth-file": self.credentials.tokens,
            "anonymous-auth": "false",
            "authorization-mode": "RBAC",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": key,
            "service-account-signing-key-file": key,
            "service-cluster-ip-range": SERVICE_RANGE,
            "allow-privileged": "true",
            # The `kubernetes` service has no endpoint, because an endpoint may not be a loopback address.
            "endpoint-reconciler-type": "none",
            "profiling": "false",
        }
        return self._launch(API_SERVER, flags, self.credentials.tokens, key)

    def controller_manager(self, kubeconfig: Path) -> Launch:
        """The controllers, with rate limits and workers for hundreds of stores at once."""
        key = self.credentials.service_account_key
        flags = {
            "kubeconfig": kubeconfig,
            "service-account-private-key-file": key,
            "root-ca-file": self.credentials.authority,
            "leader-elect": "false",
            "secure-port": 0,
            "profiling": "false",
            "kube-api-qps": 500,
            "kube-api-burst": 1000,
            "concurrent-namespace-syncs": 50,
            "concurrent-deployment-syncs": 20,
            "concurrent-replicaset-syncs": 20,
            "concurrent-statefulset-syncs": 20,
            "concurrent-job-syncs": 20,
            "concurrent-resource-quota-syncs": 10,
        }
        return self._launch(CONTROLLER_MANAGER, flags, kubeconfig, key, self.credentials.authority)

    def scheduler(self, kubeconfig: Path) -> Launch:
        """The scheduler."""
        config = self.folder.run / "scheduler.yaml"
        connection = {"kubeconfig": kubeconfig.name, "qps": 500, "burst": 1000}
        write_private(config, yaml.safe_dump({**SCHEDULER_CONFIG, "clientConnection": connection}))
        return self._launch(SCHEDULER, {"config": config, "secure-port": 0}, config, kubeconfig)

    def kwok(self, kubeconfig: Path) -> Launch:
        """The simulator of nodes, pods and volumes."""
        config = self.folder.run / "kwok.yaml"
        stages = [path.read_text() for path in sorted(STAGES_DIR.glob("*.yaml"))]
        write_private(config, "---\n".join([yaml.safe_dump(KWOK_CONFIG), *stages]))
        return self._launch(KWOK, {"kubeconfig": kubeconfig, "config": config.name, "v": "WARN"}, config, kubeconfig)

    def _launch(self, name: str, flags: dict[str, object], *inputs: Path) -> Launch:
        argv = (str(self.binaries.path(name)), *(f"--{flag}={value}" for flag, value in flags.items()))
        digest = hashlib.sha256()
        for path in inputs:
            digest.update(path.read_bytes() + b"\0")
        return Launch(argv, digest.hexdigest()[:16], go_memory())


def go_memory() -> tuple[tuple[str, str], ...]:
    """Return the environment that makes a Go program collect garbage less often, up to an eighth of the memory.

    On a small machine this makes every start and call faster. A limit close to what a program really needs is worse
    than none: the API server with a thousand stores then spends its time on garbage collection.
    """
    mib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MIB
    return ("GOGC", "400"), ("GOMEMLIMIT", f"{max(1024, mib // 8)}MiB")
