"""How each program of the node is started."""

from dataclasses import dataclass
from pathlib import Path

from cluster.node import layout
from cluster.node.folders import NodeFolder

CLIENT = "http://127.0.0.1:2379"
PEER = "http://127.0.0.1:2380"

Flags = dict[str, object]


@dataclass(frozen=True, slots=True)
class Programs:
    """The folders of the programs: the local cluster's and the node's."""

    cluster: Path
    node: Path


def first_commands(folder: NodeFolder, programs: Programs, *, is_durable: bool) -> dict[str, list[str]]:
    """Return the programs that start first: containerd, etcd, the API server."""
    return {
        "containerd": ["containerd", "--config", str(folder.etc / "containerd.toml")],
        "etcd": _command(
            programs.cluster / "etcd",
            {
                "data-dir": folder.etcd,
                "listen-client-urls": CLIENT,
                "advertise-client-urls": CLIENT,
                "listen-peer-urls": PEER,
                "initial-advertise-peer-urls": PEER,
                "initial-cluster": f"default={PEER}",
                "watch-progress-notify-interval": "5s",
                "unsafe-no-fsync": str(not is_durable).lower(),
                "log-level": "warn",
            },
        ),
        "kube-apiserver": _command(programs.cluster / "kube-apiserver", _api_server(folder.pki)),
    }


def later_commands(folder: NodeFolder, programs: Programs) -> dict[str, list[str]]:
    """Return the programs that start once the API server responds."""
    kubeconfig = folder.kubeconfig
    key = folder.pki / "service-account.key"
    alone: Flags = {"kubeconfig": kubeconfig, "leader-elect": "false", "secure-port": 0}
    manager: Flags = {"service-account-private-key-file": key, "root-ca-file": folder.pki / "ca.crt"}
    kubelet: Flags = {
        "config": folder.etc / "kubelet.yaml",
        "kubeconfig": kubeconfig,
        "root-dir": layout.KUBELET_FOLDER,
        "cert-dir": folder.pki,
        "hostname-override": layout.NODE,
        "node-ip": layout.NODE_ADDRESS,
    }
    proxy: Flags = {"config": folder.etc / "kube-proxy.yaml", "hostname-override": layout.NODE}
    volumes: Flags = {
        "config": folder.etc / "volumes" / "config.json",
        "helper-pod-file": folder.etc / "volumes" / "helperPod.yaml",
        "helper-image": layout.BUSYBOX_IMAGE,
        "namespace": layout.VOLUME_NAMESPACE,
        "service-account-name": "default",
        "kubeconfig": kubeconfig,
    }
    # Without policies no connection is allowed; NRI and connection labels need features that this node does not have.
    policies: Flags = {
        "kubeconfig": kubeconfig,
        "hostname-override": layout.NODE,
        "nfqueue-id": layout.POLICY_QUEUE,
        "fail-open": "false",
        "strict-mode": "false",
        "disable-nri": "true",
        "netfilter-bug-1766-fix": "false",
        "metrics-bind-address": "127.0.0.1:9080",
    }
    return {
        "kube-controller-manager": _command(programs.cluster / "kube-controller-manager", alone | manager),
        "kube-scheduler": _command(programs.cluster / "kube-scheduler", alone),
        "kubelet": _command(programs.node / "kubelet", kubelet),
        "kube-proxy": _command(programs.node / "kube-proxy", proxy),
        "kube-network-policies": _command(programs.node / "kube-network-policies", policies),
        "local-path-provisioner": _command(programs.node / "local-path-provisioner", volumes, "start"),
    }


def _api_server(pki: Path) -> Flags:
    key = pki / "service-account.key"
    return {
        "etcd-servers": CLIENT,
        "bind-address": "0.0.0.0",  # noqa: S104 - in a private network
        "advertise-address": layout.NODE_ADDRESS,
        "secure-port": layout.API_PORT,
        "tls-cert-file": pki / "apiserver.crt",
        "tls-private-key-file": pki / "apiserver.key",
        "client-ca-file": pki / "ca.crt",
        "kubelet-client-certificate": pki / "kubelet-client.crt",
        "kubelet-client-key": pki / "kubelet-client.key",
        "kubelet-certificate-authority": pki / "ca.crt",
        "kubelet-preferred-address-types": "InternalIP",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": key,
        "service-account-signing-key-file": key,
        "token-auth-file": pki / "tokens.csv",
        "authorization-mode": "RBAC",
        "service-cluster-ip-range": layout.SERVICE_RANGE,
        "allow-privileged": "true",
    }


def _command(program: Path, flags: Flags, *words: str) -> list[str]:
    return [str(program), *words, *(f"--{flag}={value}" for flag, value in flags.items())]
