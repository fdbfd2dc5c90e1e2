"""The configuration files of the node's programs; JSON where they expect YAML, because JSON is valid YAML."""

import json
from pathlib import Path
from typing import Any

from cluster.node import layout
from cluster.node.folders import NodeFolder

CONTAINERD = """\
version = 2
root = "{root}"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", \
"io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs"]
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  # A machine may forbid a lower score, and runc then starts no container.
  restrict_oom_score_adj = true
  # Mirrors and registries of the machine's owner, one folder each.
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{registries}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{cni}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
"""

# Two blocks, because in one `template` would respond before `kubernetes`. Names outside the cluster do not exist.
COREFILE = """\
{domain}:53 in-addr.arpa:53 {{
  errors
  ready
  kubernetes {{
    ttl 5
  }}
}}
.:53 {{
  errors
  template ANY ANY . {{
    rcode NXDOMAIN
  }}
}}
"""

KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{{name: node, cluster: {{server: "{server}", certificate-authority: "{authority}"}}}}]
users: [{{name: admin, user: {{token: "{token}"}}}}]
contexts: [{{name: node, context: {{cluster: node, user: admin}}}}]
current-context: node
"""


def write_configuration(folder: NodeFolder, server: str, token: str) -> None:
    """Write every file that a program of the node reads."""
    etc = folder.etc
    (etc / "cni").mkdir(exist_ok=True)
    authority = folder.pki / "ca.crt"
    folder.kubeconfig.write_text(KUBECONFIG.format(server=server, authority=authority, token=token))
    (etc / "containerd.toml").write_text(
        CONTAINERD.format(
            root=folder.containerd,
            socket=layout.CONTAINERD_SOCKET,
            pause=layout.PAUSE_IMAGE,
            cni=etc / "cni",
            registries=etc / "certs.d",
        )
    )
    (etc / "Corefile").write_text(COREFILE.format(domain=layout.DOMAIN))
    (etc / "resolv.conf").write_text(f"nameserver {layout.DNS_ADDRESS}\nsearch {layout.DOMAIN}\n")
    (etc / "empty-resolv.conf").write_text("")
    _write(etc / "cni" / "10-bridge.conflist", _network())
    _write(etc / "kubelet.yaml", _kubelet(folder))
    _write(etc / "kube-proxy.yaml", _proxy(folder))
    volumes = {"nodePathMap": [{"node": "DEFAULT_PATH_FOR_NON_LISTED_NODES", "paths": [str(folder.volumes)]}]}
    (etc / "volumes").mkdir(exist_ok=True)
    _write(etc / "volumes" / "config.json", volumes)
    _write(etc / "volumes" / "helperPod.yaml", helper_pod())


def helper_pod() -> dict[str, Any]:
    """Return the pod in which the provisioner creates and deletes the folder of a volume."""
    container = {"name": "helper-pod", "image": layout.BUSYBOX_IMAGE, "imagePullPolicy": "Never"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "helper-pod"},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
    }


def _network() -> dict[str, Any]:
    addresses = {
        "type": "host-local",
        "dataDir": "/var/lib/cni/networks",
        "ranges": [[{"subnet": layout.POD_RANGE}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "hairpinMode": True, "ipam": addresses}
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": "urumi-node", "plugins": [bridge, ports]}


def _kubelet(folder: NodeFolder) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "failCgroupV1": False,
        "cgroupDriver": "cgroupfs",
        "containerRuntimeEndpoint": f"unix://{layout.CONTAINERD_SOCKET}",
        "address": layout.NODE_ADDRESS,
        "clusterDNS": [layout.DNS_ADDRESS],
        "clusterDomain": layout.DOMAIN,
        "resolvConf": str(folder.etc / "empty-resolv.conf"),
        "podLogsDir": str(folder.root / "pods"),
        "volumePluginDir": str(folder.root / "plugins"),
        "tlsCertFile": str(folder.pki / "kubelet.crt"),
        "tlsPrivateKeyFile": str(folder.pki / "kubelet.key"),
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(folder.pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "failSwapOn": False,
        # The machine has other users, so the node evicts pods only as a last resort.
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "syncFrequency": "10s",
        "oomScoreAdj": 0,
        "serializeImagePulls": False,
    }


def _proxy(folder: NodeFolder) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "bindAddress": layout.NODE_ADDRESS,
        "clientConnection": {"kubeconfig": str(folder.kubeconfig)},
        "clusterCIDR": layout.POD_RANGE,
        "mode": "nftables",
        "conntrack": {"maxPerCore": 0, "min": 0},
        "oomScoreAdj": 0,
    }


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1))
