"""The node's addresses and names, the same for every node, because each has a separate network."""

from pathlib import Path

NODE = "node-1"
NODE_ADDRESS = "10.98.0.1"
NODE_RANGE = "10.98.0.0/24"
POD_RANGE = "10.99.0.0/16"
SERVICE_RANGE = "10.97.0.0/16"
API_PORT = 6443
API_SERVICE_ADDRESS = "10.97.0.1"
DNS_ADDRESS = "10.97.0.10"
DOMAIN = "cluster.local"
KUBELET_FOLDER = Path("/var/lib/kubelet")
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
PAUSE_IMAGE = "localhost/pause:1"
POLICY_QUEUE = 100
BUSYBOX_IMAGE = "localhost/busybox:1"
VOLUME_NAMESPACE = "local-path-storage"
STORAGE_CLASS = "local-path"
