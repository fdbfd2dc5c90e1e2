"""The objects of a new cluster: simulated nodes, and a default storage class with simulated volumes.

A node counts as ready if its condition is Ready, it is schedulable, and its lease is current. The condition alone is
not enough, because it survives a stop of the cluster.
"""

import platform
from datetime import UTC, datetime, timedelta
from typing import Any

from cluster.api import Api
from cluster.local.components import LEASE_SECONDS, NODE_LABEL

STORAGE_CLASS = "standard"
PROVISIONER = "urumi.ai/simulated-volume"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
NODES = "/api/v1/nodes"
STORAGE_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
DEFAULT_ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/default"
# The controllers remove these shortly after a node becomes ready.
UNREADY_TAINTS = {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}
STORAGE_CLASS_OBJECT = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {
        "name": STORAGE_CLASS,
        "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
    },
    "provisioner": PROVISIONER,
    "reclaimPolicy": "Delete",
    "volumeBindingMode": "Immediate",
}
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def node_name(index: int) -> str:
    """Return the name of a node."""
    return f"urumi-node-{index}"


def apply_objects(api: Api, node_count: int) -> None:
    """Apply the storage class and the nodes; more nodes than that are kept, as pods may run on them."""
    api.apply(f"{STORAGE_CLASSES}/{STORAGE_CLASS}", STORAGE_CLASS_OBJECT)
    for index in range(node_count):
        api.apply(f"{NODES}/{node_name(index)}", _node(node_name(index)))


def forget_leases(api: Api) -> None:
    """Delete the leases of our nodes; otherwise a new kwok would wait until those of the old one expire."""
    for node in _nodes(api):
        api.delete(f"{LEASES}/{node['metadata']['name']}")


def ready_nodes(api: Api) -> list[str]:
    """Return the names of our nodes that are ready for pods."""
    leases = {lease["metadata"]["name"]: lease["spec"].get("renewTime") for lease in api.get(LEASES)["items"]}
    oldest = datetime.now(UTC) - timedelta(seconds=LEASE_SECONDS)
    found = []
    for node in _nodes(api):
        name = node["metadata"]["name"]
        conditions = {item["type"]: item["status"] for item in node["status"].get("conditions", [])}
        taints = {taint["key"] for taint in node["spec"].get("taints", [])}
        renewed = leases.get(name)
        is_current = renewed is not None and datetime.fromisoformat(renewed.replace("Z", "+00:00")) > oldest
        if conditions.get("Ready") == "True" and not taints & UNREADY_TAINTS and is_current:
            found.append(name)
    return found


def node_names(api: Api) -> list[str]:
    """Return the names of our nodes."""
    return [node["metadata"]["name"] for node in _nodes(api)]


def unready_nodes(api: Api) -> list[str]:
    """Return the names of our nodes that are not ready for pods."""
    ready = ready_nodes(api)
    return [name for name in node_names(api) if name not in ready]


def has_default_account(api: Api) -> bool:
    """Return whether the controllers have created the service account that every pod needs."""
    return api.get(DEFAULT_ACCOUNT) is not None


def _nodes(api: Api) -> list[Any]:
    found: list[Any] = api.get(f"{NODES}?labelSelector={NODE_LABEL}%3Dtrue")["items"]
    return found


def _node(name: str) -> dict[str, Any]:
    machine = platform.machine()
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            # Programs recognize a simulated node by this annotation.
            "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": {
                NODE_LABEL: "true",
                "kubernetes.io/arch": ARCHITECTURES.get(machine, machine),
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
            },
        },
    }
